//! Who may be written to, and what for: consents by purpose, and suppressions
//! by hand.

use aws_sdk_dynamodb::types::AttributeValue;
use carillon_local::stack::TABLE;
use carillon_store::keys;
use carillon_tests::people::mobile;
use carillon_tests::{Answer, Setup, World, callers, shows, with_json};
use reqwest::Method;
use serde_json::{Value, json};

fn promotion() -> Value {
    json!({"purpose": "promotional"})
}

fn escaped(number: &str) -> String {
    number.replace('+', "%2B")
}

async fn consents(world: &World, to: &str) -> Vec<Value> {
    let list = world.get(&format!("/v1/consents?to={}&channel=sms", escaped(to))).await.ok(200);
    list["data"].as_array().expect("a list").clone()
}

fn consent(to: &str, status: &str) -> Value {
    json!({
        "to": to, "channel": "sms", "purpose": "promotional", "status": status,
        "source": "web form", "text": "Yes, send me offers",
    })
}

#[tokio::test]
async fn a_consent_taken_back_stops_its_purpose_and_a_later_one_lets_it_go() {
    let world = World::start().await;
    let to = mobile(1);
    let granted = world.post("/v1/consents", &consent(&to, "granted")).await.ok(201);
    shows(&granted, &json!({"to": to, "status": "granted", "at": world.now().to_string()}));
    world.skip(1);
    let _ = world.post("/v1/consents", &consent(&to, "revoked")).await.ok(201);
    let refused = world.send(&to, "Offer", promotion()).await;
    let sent = world.send(&to, "See you at 7", json!({})).await;
    let other = world.send(&mobile(2), "Offer", promotion()).await;
    world.settle().await;
    let message = world.message(&refused).await;
    shows(
        &message,
        &json!({
            "status": "suppressed", "attempts": [],
            "decisions": [{"decision": "suppressed", "reason": "no_consent"}],
        }),
    );
    let detail = message["decisions"][0]["detail"].as_str().expect("a detail");
    assert!(detail.contains("web form") && detail.contains("Yes, send me offers"), "{detail}");
    for id in [&sent, &other] {
        shows(&world.message(id).await, &json!({"status": "delivered"}));
    }

    world.skip(1);
    let _ = world.post("/v1/consents", &consent(&to, "granted")).await.ok(201);
    shows(
        &json!(consents(&world, &to).await),
        &json!([{"status": "granted", "purpose": "promotional"}]),
    );
    let sent = world.send(&to, "Offer", promotion()).await;
    world.settle().await;
    shows(&world.message(&sent).await, &json!({"status": "delivered"}));
    assert_eq!(world.accepted_for(&to).await.len(), 2);
}

#[tokio::test]
async fn where_a_consent_is_required_silence_is_none() {
    let settings = json!({
        "quiet_hours": null, "max_per_contact_per_day": null, "max_per_hour": null,
        "consent_required": ["promotional"],
    });
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let _ = world.post("/v1/consents", &consent(&mobile(1), "granted")).await.ok(201);
    let mut file = "phone\n".to_owned();
    for n in 0..4 {
        file.push_str(&format!("{}\n", mobile(n)));
    }
    world.import(file.as_bytes(), "Offer", &[("purpose", "promotional")]).await;
    world.import(file.as_bytes(), "Notice", &[]).await;
    world.advance(2).await;
    let received = world.received().await;
    let offers: Vec<_> = received.iter().filter(|r| r.body == "Offer").map(|r| &r.to).collect();
    assert_eq!(offers, [&mobile(1)]);
    assert_eq!(received.len(), 5, "notices need none");
    let suppressed = world.list("status=suppressed").await;
    assert_eq!(suppressed.len(), 3);
    shows(
        &suppressed[0]["decisions"][0],
        &json!({
            "reason": "no_consent",
            "detail": "promotional messages need a consent, and none is recorded",
        }),
    );
    let stats = world.get("/v1/stats").await.ok(200);
    shows(&stats, &json!({"total_suppressed": 3}));
}

#[tokio::test]
async fn what_was_said_later_counts_whatever_order_it_is_told_in() {
    let world = World::start().await;
    let to = mobile(1);
    world.skip(60);
    let at = |minutes: i64| world.in_minutes(-minutes);
    let told = |status: &str, minutes: i64| {
        let mut body = consent(&to, status);
        body["at"] = at(minutes).into();
        body
    };
    for (body, status) in [
        (told("granted", 30), 201),
        (told("granted", 30), 201),
        (told("revoked", 30), 201),
        (told("granted", 30), 409),
        (told("revoked", 30), 201),
        (told("granted", 50), 409),
        (told("granted", 20), 201),
        (told("revoked", 25), 409),
    ] {
        let answer = world.post("/v1/consents", &body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
        if status == 409 {
            assert_eq!(answer.refusal().1, "later_consent");
        }
    }
    shows(&json!(consents(&world, &to).await), &json!([{"status": "granted", "at": at(20)}]));
}

#[tokio::test]
async fn a_doubtful_word_holds_promotion_back_and_start_lets_it_go() {
    let world = World::start().await;
    let to = mobile(1);
    let words = "Please don't stop the event, we would all be sorry and my daughter too";
    world.person_writes(&to, words).await;
    shows(
        &json!(consents(&world, &to).await),
        &json!([{"status": "revoked", "source": "message", "text": words}]),
    );
    let offer = world.send(&to, "Offer", promotion()).await;
    let notice = world.send(&to, "See you at 7", json!({})).await;
    world.settle().await;
    shows(&world.message(&offer).await, &json!({"status": "suppressed"}));
    shows(&world.message(&notice).await, &json!({"status": "delivered"}));
    world.skip(1);
    world.person_writes(&to, "START").await;
    shows(&json!(consents(&world, &to).await), &json!([{"status": "granted", "text": "START"}]));
    let offer = world.send(&to, "Offer", promotion()).await;
    world.settle().await;
    shows(&world.message(&offer).await, &json!({"status": "delivered"}));

    world.person_writes(&mobile(2), "START").await;
    assert!(consents(&world, &mobile(2)).await.is_empty(), "it grants nothing that was not there");
}

#[tokio::test]
async fn a_consent_without_proof_is_refused() {
    let world = World::start().await;
    for (field, value, code) in [
        ("to", json!("12"), "invalid_phone_number"),
        ("channel", json!(null), "missing_field"),
        ("channel", json!("pigeon"), "invalid_value"),
        ("purpose", json!(null), "missing_field"),
        ("status", json!("maybe"), "invalid_value"),
        ("at", json!("yesterday"), "invalid_time"),
        ("at", json!(world.in_minutes(5)), "time_in_future"),
        ("source", json!(""), "invalid_value"),
        ("text", json!(null), "invalid_value"),
        ("text", json!("x".repeat(1_001)), "invalid_value"),
    ] {
        let mut body = consent(&mobile(1), "granted");
        body[field] = value;
        let problem = world.post("/v1/consents", &body).await.problem();
        assert_eq!(problem, (422, code.to_owned(), Some(field.to_owned())), "{body}");
    }
    let refused = world.get("/v1/consents?to=5").await.problem();
    assert_eq!((refused.0, refused.2), (422, Some("to".to_owned())));
}

#[tokio::test]
async fn a_number_is_suppressed_and_let_go_by_hand() {
    let world = World::start().await;
    let to = mobile(1);
    let path = format!("/v1/suppressions?to={}&channel=sms", escaped(&to));
    let lift = || async { Answer::to(world.request(Method::DELETE, &path)).await };
    assert_eq!(lift().await.refusal(), (404, "not_found".to_owned()));
    let body = json!({"to": to, "channel": "sms", "reason": "manual"});
    let made = world.post("/v1/suppressions", &body).await.ok(201);
    shows(&made, &json!({"address": to, "channel": "sms", "reason": "manual", "words": null}));
    assert_eq!(world.post("/v1/suppressions", &body).await.ok(200), made);
    assert_eq!(world.get(&path).await.ok(200)["data"], json!([made]));
    let id = world.send(&to, "Hi", json!({})).await;
    world.settle().await;
    shows(
        &world.message(&id).await,
        &json!({"status": "suppressed", "decisions": [{"reason": "manual"}]}),
    );
    assert_eq!(lift().await.status, 204);
    let id = world.send(&to, "Hi", json!({})).await;
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
    for (field, value) in [("reason", "stop_keyword"), ("channel", "pigeon")] {
        let mut body = body.clone();
        body[field] = value.into();
        let problem = world.post("/v1/suppressions", &body).await.problem();
        assert_eq!(problem, (422, "invalid_value".to_owned(), Some(field.to_owned())));
    }
}

#[tokio::test]
async fn what_a_person_said_is_not_for_us_to_take_back() {
    let world = World::start().await;
    let to = mobile(1);
    world.person_writes(&to, "STOP").await;
    let path = format!("/v1/suppressions?to={}&channel=sms", escaped(&to));
    let refused = Answer::to(world.request(Method::DELETE, &path)).await.refusal();
    assert_eq!(refused, (409, "opted_out_by_person".to_owned()));
    // Nor is it hidden behind a reason that we could take back.
    let body = json!({"to": to, "channel": "sms", "reason": "manual"});
    let there = world.post("/v1/suppressions", &body).await.ok(200);
    shows(&there, &json!({"reason": "stop_keyword", "words": "STOP"}));
    // A consent to promotion from before does not outweigh it either.
    let _ = world.post("/v1/consents", &consent(&to, "granted")).await.ok(201);
    let id = world.send(&to, "Offer", promotion()).await;
    world.settle().await;
    shows(&world.message(&id).await, &json!({"decisions": [{"reason": "stop_keyword"}]}));
}

/// The release before knows four words; it reads the row as suppressed by hand.
#[tokio::test]
async fn no_consent_is_written_so_that_the_release_before_can_read_it() {
    let world = World::start().await;
    let _ = world.post("/v1/consents", &consent(&mobile(1), "revoked")).await.ok(201);
    let id = world.send(&mobile(1), "Offer", promotion()).await;
    world.settle().await;
    let key = keys::message(world.stack.org, id.parse().expect("an id"));
    let table = world.stack.engines.dynamodb();
    let (pk, sk) = (AttributeValue::S(key.pk), AttributeValue::S(key.sk));
    let row = table.get_item().table_name(TABLE).key("pk", pk).key("sk", sk).send().await;
    let row = row.expect("the table answers").item.expect("a row");
    assert_eq!(row["sr"], AttributeValue::S("manual".to_owned()));
    assert_eq!(row["sx"], AttributeValue::S("no_consent".to_owned()));
}

#[tokio::test]
async fn a_viewer_records_nothing_and_only_an_admin_lifts() {
    use carillon_domain::Role;
    let world = World::start().await;
    for role in [Role::Viewer, Role::Manager] {
        let secret = format!("crl_{}", role.as_str());
        callers::add(&world.stack.ctx, world.stack.org, &secret, role).await;
    }
    let to = escaped(&mobile(1));
    let suppression = json!({"to": mobile(1), "channel": "sms"});
    for (method, path, body, viewer, manager) in [
        (Method::POST, "/v1/consents".to_owned(), consent(&mobile(1), "granted"), 403, 201),
        (Method::GET, format!("/v1/consents?to={to}"), json!({}), 200, 200),
        (Method::POST, "/v1/suppressions".to_owned(), suppression, 403, 201),
        (Method::GET, format!("/v1/suppressions?to={to}"), json!({}), 200, 200),
        (Method::DELETE, format!("/v1/suppressions?to={to}&channel=sms"), json!({}), 403, 403),
    ] {
        for (key, expected) in [("crl_viewer", viewer), ("crl_manager", manager)] {
            let request = world.request_by(key, method.clone(), &path);
            let answer = Answer::to(with_json(request, &body)).await;
            assert_eq!(answer.status, expected, "{key} {method} {path}: {}", answer.text);
        }
    }
}

/// Walks a list to its end, two at a time; answers what `field` says in each.
async fn walk(world: &World, path: &str, field: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = world.get(&format!("{path}?limit=2{cursor}")).await.ok(200);
        let data = page["data"].as_array().expect("a list");
        all.extend(data.iter().map(|d| d[field].as_str().expect("an address").to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

#[tokio::test]
async fn all_suppressions_and_consents_are_listed_newest_first_and_only_ones_own() {
    let world = World::start().await;
    let mut expected = Vec::new();
    for n in 0..5 {
        world.skip(1);
        let body = json!({"to": mobile(n), "channel": "sms"});
        let _ = world.post("/v1/suppressions", &body).await.ok(201);
        let _ = world.post("/v1/consents", &consent(&mobile(n), "granted")).await.ok(201);
        expected.insert(0, mobile(n));
    }
    world.skip(1);
    world.person_writes(&mobile(7), "STOP").await;
    let mut suppressed = expected.clone();
    suppressed.insert(0, mobile(7));
    assert_eq!(walk(&world, "/v1/suppressions", "address").await, suppressed);
    assert_eq!(walk(&world, "/v1/consents", "to").await, expected);

    let lifted = format!("/v1/suppressions?to={}&channel=sms", escaped(&mobile(2)));
    let request = world.request(reqwest::Method::DELETE, &lifted);
    assert_eq!(carillon_tests::Answer::to(request).await.status, 204);
    suppressed.retain(|to| *to != mobile(2));
    assert_eq!(walk(&world, "/v1/suppressions", "address").await, suppressed);
    world.skip(1);
    let _ = world.post("/v1/consents", &consent(&mobile(1), "revoked")).await.ok(201);
    expected.retain(|to| *to != mobile(1));
    expected.insert(0, mobile(1));
    assert_eq!(walk(&world, "/v1/consents", "to").await, expected, "once, at its new place");

    for path in ["/v1/suppressions", "/v1/consents"] {
        let none = world.get(&format!("{path}?channel=voice")).await.ok(200);
        assert_eq!(none, json!({"data": [], "next_cursor": null}));
        let refused = world.get(&format!("{path}?cursor=x")).await.refusal();
        assert_eq!(refused, (400, "invalid_cursor".to_owned()));
        let ctx = &world.stack.ctx;
        let other = carillon_domain::OrgId::from_hash(&[b"another"]);
        carillon_tests::callers::add(ctx, other, "crl_lists", carillon_domain::Role::Admin).await;
        let request = world.request_by("crl_lists", reqwest::Method::GET, path);
        assert_eq!(carillon_tests::Answer::to(request).await.ok(200)["data"], json!([]));
    }
}
