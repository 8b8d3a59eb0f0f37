//! Segments: counted and shown in pages, by what is known and by what there was.

use carillon_tests::people::mobile;
use carillon_tests::{World, shows};
use serde_json::{Value, json};

async fn segment(world: &World, rules: Value) -> String {
    let new = json!({"name": "Some", "rules": rules});
    let made = world.post("/v1/segments", &new).await.ok(201);
    format!("/v1/segments/{}", made["id"].as_str().expect("an id"))
}

/// The names in a segment, page by page.
async fn names(world: &World, path: &str, limit: usize) -> Vec<String> {
    let (mut names, mut cursor) = (Vec::new(), String::new());
    for _ in 0..50 {
        let path = format!("{path}/preview?limit={limit}{cursor}");
        let page = world.get(&path).await.ok(200);
        let data = page["data"].as_array().expect("contacts");
        names.extend(data.iter().map(|c| c["name"].as_str().expect("a name").to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return names,
        }
    }
    panic!("no end");
}

#[tokio::test]
async fn a_segment_is_counted_and_shown_by_its_rules() {
    let world = World::start().await;
    for n in 0..7 {
        let status = if n % 2 == 0 { "lead" } else { "client" };
        let labels = if n < 3 { vec!["vip"] } else { Vec::new() };
        let contact = json!({
            "name": format!("Person {n}"), "phone": mobile(n), "status": status,
            "labels": labels, "attributes": {"seats": n},
        });
        let _ = world.post("/v1/contacts", &contact).await.ok(201);
    }
    for n in [1, 2, 5] {
        let _ = world.send(&mobile(n), "Hi", json!({})).await;
    }
    world.settle().await;
    world.person_writes(&mobile(2), "yes").await;
    for (rules, found) in [
        (json!({"label": "VIP"}), vec![0, 1, 2]),
        (json!({"field": "status", "is": "lead"}), vec![0, 2, 4, 6]),
        (json!({"and": [{"label": "vip"}, {"field": "status", "is": "client"}]}), vec![1]),
        (json!({"field": "attributes.seats", "above": 4}), vec![5, 6]),
        (json!({"received": {}}), vec![1, 2, 5]),
        (json!({"and": [{"received": {}}, {"not": {"replied": {}}}]}), vec![1, 5]),
        (json!({"registered": {}}), vec![]),
    ] {
        let path = segment(&world, rules.clone()).await;
        let found: Vec<String> = found.into_iter().map(|n| format!("Person {n}")).collect();
        for limit in [1, 2, 50] {
            assert_eq!(names(&world, &path, limit).await, found, "{rules}");
        }
        let count = world.get(&format!("{path}/count")).await.ok(200);
        shows(&count, &json!({"count": found.len(), "next_cursor": null}));
    }
}

#[tokio::test]
async fn rules_that_cannot_be_are_refused_with_their_place() {
    let world = World::start().await;
    for (body, code, field) in [
        (json!({"name": "a", "rules": {"colour": 1}}), "invalid_rule", "rules.colour"),
        (
            json!({"name": "a", "rules": {"and": [{"label": "x"}, {"field": "age", "is": 1}]}}),
            "invalid_rule",
            "rules.and[1].field",
        ),
        (json!({"name": "", "rules": {"label": "x"}}), "invalid_name", "name"),
        (json!({"name": "a"}), "missing_field", "rules"),
        (json!({"name": "a", "rules": []}), "invalid_value", "rules"),
    ] {
        let refused = world.post("/v1/segments", &body).await.problem();
        assert_eq!(refused, (422, code.to_owned(), Some(field.to_owned())), "{body}");
    }
    let path = segment(&world, json!({"label": "x"})).await;
    let refused = world.patch(&path, &json!({"rules": {"not": 1}})).await;
    assert_eq!(refused.refusal(), (422, "invalid_rule".to_owned()));
    let renamed = world.patch(&path, &json!({"name": "Others"})).await.ok(200);
    shows(&renamed, &json!({"name": "Others", "rules": {"label": "x"}}));
}
