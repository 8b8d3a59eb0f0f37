//! People: stored, found, changed, each number and external id one person's.

use carillon_tests::people::mobile;
use carillon_tests::{Answer, World, shows};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

async fn add(world: &World, contact: Value) -> Value {
    world.post("/v1/contacts", &contact).await.ok(201)
}

/// The names that a query lists, page by page.
async fn names(world: &World, query: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = world.get(&format!("/v1/contacts?{query}{cursor}")).await.ok(200);
        for contact in page["data"].as_array().expect("a list") {
            names.push(contact["name"].as_str().unwrap_or("?").to_owned());
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return names,
        }
    }
}

#[tokio::test]
async fn a_person_is_stored_read_changed_and_deleted() {
    let world = World::start().await;
    let made = add(
        &world,
        json!({
            "name": " Ada  Lovelace ", "phone": mobile(1), "email": "Ada@Example.com",
            "time_zone": "europe/kiev", "language": "EN", "external_id": "crm-1",
            "status": "lead", "score": 7, "labels": ["VIP", "vip", "new"],
            "attributes": {"city": "Kyiv", "seats": 2, "paid": true},
            "consents": [{"channel": "sms", "purpose": "promotional", "status": "granted",
                "source": "form", "text": "Yes"}],
        }),
    )
    .await;
    let path = format!("/v1/contacts/{}", id(&made));
    shows(
        &made,
        &json!({
            "name": "Ada Lovelace", "first_name": "Ada", "phone": mobile(1),
            "email": "ada@example.com", "time_zone": "Europe/Kiev", "language": "en",
            "status": "lead", "score": 7, "labels": ["VIP", "new"],
            "attributes": {"city": "Kyiv", "seats": 2, "paid": true},
        }),
    );
    assert_eq!(made["consents"][0]["status"], "granted");
    assert_eq!(world.get(&path).await.ok(200), made);

    let patch = json!({
        "name": "Ada King", "phone": mobile(2), "status": null, "attributes": {"city": null},
    });
    let changed = world.patch(&path, &patch).await.ok(200);
    shows(
        &changed,
        &json!({"first_name": "Ada", "phone": mobile(2), "status": null,
            "attributes": {"seats": 2, "paid": true}, "consents": []}),
    );
    // The number that was given up is free for somebody else.
    let other = add(&world, json!({"name": "Bob", "phone": mobile(1)})).await;
    assert_eq!(other["consents"][0]["status"], "granted", "it was said by that number");

    assert_eq!(world.request(Method::DELETE, &path).send().await.expect("gone").status(), 204);
    assert_eq!(world.get(&path).await.refusal(), (404, "not_found".to_owned()));
    let _ = add(&world, json!({"name": "Eve", "phone": mobile(2), "external_id": "crm-1"})).await;
    assert_eq!(names(&world, "limit=1").await, ["Bob", "Eve"]);
}

#[tokio::test]
async fn a_number_and_an_external_id_are_one_persons() {
    let world = World::start().await;
    let ada = add(&world, json!({"phone": mobile(1), "external_id": "crm-1"})).await;
    let bob = add(&world, json!({"phone": mobile(2)})).await;
    for (body, field) in
        [(json!({"phone": mobile(1)}), "phone"), (json!({"external_id": "crm-1"}), "external_id")]
    {
        let path = format!("/v1/contacts/{}", id(&bob));
        for refused in [world.post("/v1/contacts", &body).await, world.patch(&path, &body).await] {
            let (status, code, at) = refused.problem();
            assert_eq!(
                (status, code.as_str(), at.as_deref()),
                (409, "contact_exists", Some(field))
            );
            assert!(refused.text.contains(&id(&ada)), "{}", refused.text);
        }
    }
    // Of twenty at once one gets it.
    let mut requests = JoinSet::new();
    for _ in 0..20 {
        let request = world.request(Method::POST, "/v1/contacts");
        let request = carillon_tests::with_json(request, &json!({"phone": mobile(3)}));
        requests.spawn(async move { Answer::to(request).await.status });
    }
    let mut statuses = requests.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(statuses[1..].iter().all(|status| *status == 409), "{statuses:?}");
}

#[tokio::test]
async fn the_same_request_makes_one_contact() {
    let world = World::start().await;
    let new = json!({"name": "Ada", "phone": mobile(1)});
    let first = world.post_once("/v1/contacts", "k", &new).await.ok(201);
    assert_eq!(world.post_once("/v1/contacts", "k", &new).await.ok(201), first);
    assert_eq!(names(&world, "").await, ["Ada"]);
}

#[tokio::test]
async fn people_are_found_by_the_beginning_of_what_is_known_of_them() {
    let world = World::start().await;
    for (n, name, email, label, status) in [
        (1, "Ada Lovelace", "ada@example.com", "vip", "Lead"),
        (2, "Zoë Müller", "zoe@example.org", "vip", "client"),
        (3, "Adam Smith", "adam@example.com", "Old", "lead"),
        (4, "Ann Annie", "ann@example.com", "old", "client"),
        (5, "Иван Петров", "ivan@example.com", "old", "client"),
    ] {
        let contact = json!({
            "name": name, "phone": mobile(n), "email": email, "labels": [label], "status": status,
        });
        let _ = add(&world, contact).await;
    }
    for (query, found) in [
        ("q=ada", vec!["Ada Lovelace", "Adam Smith"]),
        ("q=ADA%20L", vec!["Ada Lovelace"]),
        ("q=lovel", vec!["Ada Lovelace"]),
        ("q=muller", vec!["Zoë Müller"]),
        ("q=Zo%C3%AB", vec!["Zoë Müller"]),
        ("q=%D0%BF%D0%B5%D1%82", vec!["Иван Петров"]),
        // Found by both of its words, shown once.
        ("q=ann", vec!["Ann Annie"]),
        ("q=adam@", vec!["Adam Smith"]),
        ("q=nobody", vec![]),
        ("q=%F0%9F%A6%8A", vec![]),
        ("label=OLD", vec!["Adam Smith", "Ann Annie", "Иван Петров"]),
        ("label=old&status=lead", vec!["Adam Smith"]),
        ("status=lead", vec!["Ada Lovelace", "Adam Smith"]),
        ("q=ad&label=vip", vec!["Ada Lovelace"]),
        ("email=zoe@example.org", vec!["Zoë Müller"]),
        ("", vec!["Ada Lovelace", "Adam Smith", "Ann Annie", "Zoë Müller", "Иван Петров"]),
    ] {
        for limit in [1, 2, 50] {
            assert_eq!(names(&world, &format!("{query}&limit={limit}")).await, found, "{query}");
        }
    }
    let number = mobile(3).replace('+', "%2B");
    assert_eq!(names(&world, &format!("phone={number}")).await, ["Adam Smith"]);
    assert_eq!(names(&world, &format!("q={number}")).await, ["Adam Smith"]);
}

#[tokio::test]
async fn who_is_renamed_is_found_by_the_new_name_alone() {
    let world = World::start().await;
    let made = add(&world, json!({"name": "Ada Byron", "labels": ["a"]})).await;
    let path = format!("/v1/contacts/{}", id(&made));
    let _ = world.patch(&path, &json!({"name": "Ada Lovelace", "labels": ["b"]})).await.ok(200);
    for (query, found) in
        [("q=byron", 0), ("q=lovelace", 1), ("q=ada", 1), ("label=a", 0), ("label=b", 1)]
    {
        assert_eq!(names(&world, query).await.len(), found, "{query}");
    }
}

#[tokio::test]
async fn labels_are_added_and_taken_by_many_at_once() {
    let world = World::start().await;
    let made = add(&world, json!({"name": "Ada", "labels": ["kept"]})).await;
    let path = format!("/v1/contacts/{}/labels", id(&made));
    let mut requests = JoinSet::new();
    for n in 0..8 {
        let body = json!({"labels": [format!("label {n}")]});
        let request = carillon_tests::with_json(world.request(Method::POST, &path), &body);
        requests.spawn(async move { Answer::to(request).await.status });
    }
    assert!(requests.join_all().await.iter().all(|status| *status == 200));
    let taken = json!({"labels": ["LABEL 3", "nobody's"]});
    let request = world.request(Method::DELETE, &path);
    let left = Answer::to(carillon_tests::with_json(request, &taken)).await.ok(200);
    assert_eq!(left["labels"].as_array().map(Vec::len), Some(8), "{left}");
}

#[tokio::test]
async fn what_is_wrong_with_a_person_is_said() {
    let world = World::start().await;
    let long = "x".repeat(600);
    let many: Vec<String> = (0..21).map(|n| format!("label {n}")).collect();
    for (body, code) in [
        (json!({}), "nobody"),
        (json!({"name": null}), "nobody"),
        (json!({"name": "a\nb"}), "invalid_name"),
        (json!({"name": long}), "invalid_name"),
        (json!({"phone": "12"}), "invalid_phone_number"),
        (json!({"email": "ada"}), "invalid_email"),
        (json!({"name": "a", "time_zone": "Mars/Olympus"}), "unknown_time_zone"),
        (json!({"name": "a", "language": "english"}), "invalid_language"),
        (json!({"name": "a", "external_id": ""}), "invalid_external_id"),
        (json!({"name": "a", "status": "🦊"}), "invalid_status"),
        (json!({"name": "a", "score": 2_000_000}), "invalid_score"),
        (json!({"name": "a", "score": 1.5}), "invalid_value"),
        (json!({"name": "a", "labels": ["-"]}), "invalid_label"),
        (json!({"name": "a", "labels": many}), "too_many_labels"),
        (json!({"name": "a", "attributes": {"first name": "x"}}), "invalid_attribute"),
        (json!({"name": "a", "attributes": {"x": long}}), "invalid_attribute"),
        (json!({"name": "a", "attributes": {"x": ["list"]}}), "invalid_value"),
        (
            json!({"name": "a", "consents": [{"channel": "sms", "purpose": "promotional",
                "status": "granted", "source": "form", "text": "Yes"}]}),
            "contact_without_phone",
        ),
        (
            json!({"name": "a", "phone": mobile(1), "consents": [{"to": mobile(2)}]}),
            "unknown_field",
        ),
        (json!({"name": "a", "colour": "red"}), "unknown_field"),
    ] {
        let refused = world.post("/v1/contacts", &body).await;
        assert_eq!(refused.refusal(), (422, code.to_owned()), "{body} {}", refused.text);
    }
    assert_eq!(names(&world, "").await.len(), 0, "nothing half-made");
}
