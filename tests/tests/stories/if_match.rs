//! Two admins do not overwrite each other: `ETag` and `If-Match`.

use carillon_tests::{Answer, World, with_json};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

async fn tag(world: &World, path: &str) -> String {
    let answer = world.get(path).await;
    answer.header("etag").unwrap_or_else(|| panic!("{path} has no tag")).to_owned()
}

async fn change(world: &World, method: Method, path: &str, tag: &str, body: &Value) -> Answer {
    let request = world.request(method, path).header("if-match", tag);
    Answer::to(with_json(request, body)).await
}

/// Path, method, and a body with a value to be told apart.
async fn resources(world: &World) -> Vec<(String, Method, fn(usize) -> Value)> {
    let id = |made: Value| made["id"].as_str().expect("an id").to_owned();
    let template = json!({"key": "notice", "channel": "sms", "body": "Hi"});
    let template = id(world.post("/v1/templates", &template).await.ok(201));
    let sequence = json!({"name": "Reminders", "channel": "sms"});
    let sequence = id(world.post("/v1/sequences", &sequence).await.ok(201));
    let kind = id(world.post("/v1/tags", &json!({"name": "CryptoCloud"})).await.ok(201));
    let member = json!({"email": "ada@example.com", "role": "viewer"});
    let member = id(world.post("/v1/members", &member).await.ok(201));
    let org = id(world.post("/v1/organizations", &json!({"name": "New"})).await.ok(201));
    let contact = id(world.post("/v1/contacts", &json!({"name": "Ada"})).await.ok(201));
    let booking = json!({"client_id": contact, "starts_at": world.in_minutes(3_000)});
    let booking = id(world.post("/v1/bookings", &booking).await.ok(201));
    let place: fn(usize) -> Value = |n| json!({"location": format!("Room {n}")});
    let segment = json!({"name": "All", "rules": {"label": "vip"}});
    let segment = id(world.post("/v1/segments", &segment).await.ok(201));
    let list = id(world.post("/v1/lists", &json!({"name": "Some"})).await.ok(201));
    let template_body: fn(usize) -> Value = |n| json!({"body": format!("Hi {n}")});
    let name: fn(usize) -> Value = |n| json!({"name": format!("Name {n}")});
    let settings: fn(usize) -> Value = |n| json!({"max_per_day": n + 100});
    let integration: fn(usize) -> Value =
        |n| json!({"settings": {"from": "+15005550006", "rate_per_second": n + 1}});
    vec![
        (format!("/v1/templates/{template}"), Method::PATCH, template_body),
        (format!("/v1/sequences/{sequence}"), Method::PATCH, name),
        (format!("/v1/tags/{kind}"), Method::PATCH, name),
        (format!("/v1/members/{member}"), Method::PATCH, name),
        (format!("/v1/contacts/{contact}"), Method::PATCH, name),
        (format!("/v1/bookings/{booking}"), Method::PATCH, place),
        (format!("/v1/segments/{segment}"), Method::PATCH, name),
        (format!("/v1/lists/{list}"), Method::PATCH, name),
        (format!("/v1/organizations/{org}"), Method::PATCH, name),
        ("/v1/settings".to_owned(), Method::PATCH, settings),
        ("/v1/integrations/twilio".to_owned(), Method::PUT, integration),
    ]
}

#[tokio::test]
async fn who_saw_an_older_version_changes_nothing() {
    let world = World::start().await;
    for (path, method, body) in resources(&world).await {
        let first = tag(&world, &path).await;
        assert_eq!(tag(&world, &path).await, first, "{path}: read twice");
        let changed = change(&world, method.clone(), &path, &first, &body(1)).await;
        assert_eq!(changed.status, 200, "{path}: {}", changed.text);
        let second = changed.header("etag").expect("a tag").to_owned();
        assert_ne!(first, second, "{path}");
        assert_eq!(tag(&world, &path).await, second, "{path}");
        let before = world.get(&path).await.text;
        for stale in [first.as_str(), "\"else\"", ""] {
            let refused = change(&world, method.clone(), &path, stale, &body(2)).await.refusal();
            assert_eq!(refused, (412, "precondition_failed".to_owned()), "{path} {stale}");
        }
        assert_eq!(world.get(&path).await.text, before, "{path}");
        for right in ["*", &format!("\"else\", {second}")] {
            let done = change(&world, method.clone(), &path, right, &body(1)).await;
            assert_eq!(done.status, 200, "{path} {right}: {}", done.text);
            let now = tag(&world, &path).await;
            if now != second {
                break;
            }
        }
        // Without it the last one wins.
        let request = world.request(method, &path);
        assert_eq!(Answer::to(with_json(request, &body(4))).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn of_many_at_once_who_saw_the_same_version_one_changes_it() {
    let world = World::start().await;
    for (path, method, body) in resources(&world).await {
        let seen = tag(&world, &path).await;
        let mut requests = JoinSet::new();
        for n in 0..20 {
            let request = world.request(method.clone(), &path).header("if-match", &seen);
            let request = with_json(request, &body(n + 10));
            requests.spawn(async move { (n, Answer::to(request).await) });
        }
        let mut winners = Vec::new();
        for (n, answer) in requests.join_all().await {
            if answer.status == 412 {
                assert_eq!(answer.refusal().1, "precondition_failed");
            } else {
                let _ = answer.ok(200);
                winners.push(n);
            }
        }
        let [winner] = winners[..] else { panic!("{path}: {winners:?}") };
        let shown = world.get(&path).await.ok(200);
        carillon_tests::shows(&shown, &body(winner + 10));
    }
}
