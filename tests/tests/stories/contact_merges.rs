//! Lists, and two contacts who are one person.

use carillon_tests::people::mobile;
use carillon_tests::{Answer, World, shows, with_json};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

async fn add(world: &World, contact: Value) -> String {
    let made = world.post("/v1/contacts", &contact).await.ok(201);
    made["id"].as_str().expect("an id").to_owned()
}

async fn list(world: &World, name: &str) -> String {
    let made = world.post("/v1/lists", &json!({"name": name})).await.ok(201);
    made["id"].as_str().expect("an id").to_owned()
}

async fn take(world: &World, list: &str, ids: &[&str]) -> Value {
    let request = world.request(Method::DELETE, &format!("/v1/lists/{list}/members"));
    Answer::to(with_json(request, &json!({"contact_ids": ids}))).await.ok(200)
}

#[tokio::test]
async fn a_list_counts_each_contact_once_whatever_is_repeated() {
    let world = World::start().await;
    let mut ids = Vec::new();
    for n in 0..6 {
        ids.push(add(&world, json!({"name": format!("Person {n}")})).await);
    }
    let list = list(&world, " Regulars ").await;
    let path = format!("/v1/lists/{list}/members");
    let mut requests = JoinSet::new();
    for _ in 0..6 {
        let body = json!({"contact_ids": [ids[0], ids[1], ids[1], ids[2]]});
        let request = with_json(world.request(Method::POST, &path), &body);
        requests.spawn(async move { Answer::to(request).await.ok(200)["added"].as_u64() });
    }
    let added: u64 = requests.join_all().await.into_iter().flatten().sum();
    assert_eq!(added, 3);
    shows(
        &world.get(&format!("/v1/lists/{list}")).await.ok(200),
        &json!({"name": "Regulars", "count": 3}),
    );
    shows(&take(&world, &list, &[&ids[0], &ids[5]]).await, &json!({"removed": 1, "count": 2}));
    let members = world.get(&format!("{path}?limit=1")).await.ok(200);
    assert_eq!(members["data"].as_array().map(Vec::len), Some(1));
    assert!(members["next_cursor"].is_string());
    // A contact that is deleted is in no list.
    let gone = world.request(Method::DELETE, &format!("/v1/contacts/{}", ids[1]));
    assert_eq!(gone.send().await.expect("an answer").status(), 204);
    assert_eq!(world.get(&format!("/v1/lists/{list}")).await.ok(200)["count"], 1);
    let renamed = world.patch(&format!("/v1/lists/{list}"), &json!({"name": "Old"})).await;
    shows(&renamed.ok(200), &json!({"name": "Old", "count": 1}));
    let nobody = world.post(&path, &json!({"contact_ids": [ids[1], "con_x"]})).await;
    assert_eq!(nobody.refusal(), (422, "unknown_contact".to_owned()));
    let gone = world.request(Method::DELETE, &format!("/v1/lists/{list}"));
    assert_eq!(gone.send().await.expect("an answer").status(), 204);
    assert_eq!(world.get(&path).await.refusal(), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn two_contacts_become_one_person() {
    let world = World::start().await;
    let kept = add(
        &world,
        json!({"name": "Ada", "phone": mobile(1), "labels": ["a"], "attributes": {"city": "Sydney"}}),
    )
    .await;
    let other = add(
        &world,
        json!({"name": "Ada Lovelace", "phone": mobile(2), "email": "ada@example.com",
            "external_id": "x", "labels": ["b"], "attributes": {"city": "Perth", "seats": 2}}),
    )
    .await;
    let list = list(&world, "Regulars").await;
    let members = json!({"contact_ids": [other]});
    let _ = world.post(&format!("/v1/lists/{list}/members"), &members).await.ok(200);
    let path = format!("/v1/contacts/{kept}/merge");
    let merged = world.post(&path, &json!({"contact_id": other})).await.ok(200);
    shows(
        &merged,
        &json!({"name": "Ada", "phone": mobile(1), "other_phones": [mobile(2)],
            "email": "ada@example.com", "external_id": "x", "labels": ["a", "b"],
            "attributes": {"city": "Sydney", "seats": 2}}),
    );
    assert_eq!(world.post(&path, &json!({"contact_id": other})).await.ok(200), merged, "again");
    let gone = world.get(&format!("/v1/contacts/{other}")).await;
    assert_eq!(gone.refusal(), (404, "contact_merged".to_owned()));
    assert!(gone.text.contains(&kept));
    shows(&world.get(&format!("/v1/lists/{list}")).await.ok(200), &json!({"count": 1}));
    let members = world.get(&format!("/v1/lists/{list}/members")).await.ok(200);
    assert_eq!(members["data"][0]["id"], kept);
    for n in [1, 2] {
        let number = mobile(n).replace('+', "%2B");
        let found = world.get(&format!("/v1/contacts?phone={number}")).await.ok(200);
        assert_eq!(found["data"][0]["id"], kept, "{number}");
    }
    let found = world.get("/v1/contacts").await.ok(200);
    assert_eq!(found["data"].as_array().map(Vec::len), Some(1));
    for (body, code) in [
        (json!({"contact_id": kept}), "same_contact"),
        (json!({"contact_id": "con_x"}), "unknown_contact"),
        (json!({}), "missing_field"),
    ] {
        assert_eq!(world.post(&path, &body).await.refusal(), (422, code.to_owned()));
    }
}
