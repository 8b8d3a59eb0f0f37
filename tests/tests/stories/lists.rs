//! `GET /v1/messages`: newest first, filtered, walked by cursor.

use std::collections::BTreeSet;

use carillon_domain::{OrgId, Role};
use carillon_tests::people::{INVALID, mobile};
use carillon_tests::{ADMIN_KEY, Answer, World, callers, shows, with_json};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

fn bodies(messages: &[Value]) -> Vec<&str> {
    messages.iter().filter_map(|m| m["body"].as_str()).collect()
}

/// A second key of the same organization.
async fn second_key(world: &World) -> String {
    let id = callers::add(&world.stack.ctx, world.stack.org, "crl_second", Role::Manager).await;
    id.to_string()
}

#[tokio::test]
async fn each_filter_shows_what_it_names_newest_first() {
    let world = World::start().await;
    let template = json!({"key": "notice", "channel": "sms", "body": "from template"});
    let _ = world.post("/v1/templates", &template).await.ok(201);
    let second = second_key(&world).await;

    let related = json!({"related": {"type": "booking", "id": "bkg_7"}});
    world.send(&mobile(1), "delivered", related).await;
    world.advance(1).await;
    world.send(INVALID, "failed", json!({})).await;
    world.advance(1).await;
    world.person_writes(&mobile(1), "thank you").await;
    world.advance(1).await;
    let request = json!({"channel": "sms", "to": mobile(2), "template": "notice"});
    let _ = world.post("/v1/messages", &request).await.ok(202);
    world.advance(1).await;
    let request = world.request_by("crl_second", Method::POST, "/v1/messages");
    let body = json!({"channel": "sms", "to": mobile(3), "body": "by the second key"});
    let _ = Answer::to(with_json(request, &body)).await.ok(202);
    world.advance(1).await;
    let workshop = json!({
        "scheduled_for": world.in_minutes(60), "related": {"type": "workshop", "id": "wsh_1"},
    });
    world.send(&mobile(1), "waiting", workshop).await;

    let all = ["waiting", "by the second key", "from template", "thank you", "failed", "delivered"];
    let one = mobile(1).replace('+', "%2B");
    let by_second = format!("created_by={second}");
    for (query, expected) in [
        ("", &all[..]),
        ("status=delivered", &["by the second key", "from template", "delivered"]),
        ("status=failed", &["failed"]),
        ("status=pending", &["waiting"]),
        ("status=received", &["thank you"]),
        ("status=suppressed", &[]),
        ("error_code=21211", &["failed"]),
        ("error_code=30003", &[]),
        ("direction=inbound", &["thank you"]),
        ("direction=outbound&status=failed", &["failed"]),
        (&format!("to={one}"), &["waiting", "thank you", "delivered"]),
        (&format!("to={one}&direction=outbound"), &["waiting", "delivered"]),
        (&format!("q={one}"), &["waiting", "thank you", "delivered"]),
        ("q=THANK", &["thank you"]),
        ("q=ed", &["failed", "delivered"]),
        ("template=notice", &["from template"]),
        ("related_type=booking", &["delivered"]),
        ("related_type=booking&related_id=bkg_7", &["delivered"]),
        ("related_id=bkg_8", &[]),
        ("booking_id=bkg_7", &["delivered"]),
        (&by_second, &["by the second key"]),
        ("created_by=person", &["thank you"]),
        ("channel=sms&provider=twilio&status=failed", &["failed"]),
        ("channel=voice", &[]),
        ("from=2026-11-21T09:02:30Z", &["waiting", "by the second key", "from template"]),
        ("from=2026-11-21T09:00:30Z&to=2026-11-21T09:02:30Z", &["thank you", "failed"]),
        ("from=2026-11-21&to=2026-11-21", &all),
        ("from=2026-11-22", &[]),
        ("to=2026-11-20", &[]),
    ] {
        assert_eq!(bodies(&world.list(query).await), expected, "{query}");
    }
}

#[tokio::test]
async fn the_workshop_of_a_message_can_be_asked_for() {
    let world = World::start().await;
    let workshop = json!({"related": {"type": "workshop", "id": "wsh_1"}});
    let id = world.send(&mobile(1), "At nine", workshop).await;
    world.send(&mobile(1), "Else", json!({})).await;
    shows(&world.message(&id).await, &json!({"workshop_id": "wsh_1"}));
    assert_eq!(bodies(&world.list("workshop_id=wsh_1").await), ["At nine"]);
    for query in ["workshop_id=wsh_2", "booking_id=wsh_1", "workshop_id=wsh_1&booking_id=b"] {
        assert!(world.list(query).await.is_empty(), "{query}");
    }
}

#[tokio::test]
async fn a_query_that_cannot_be_meant_is_refused() {
    let world = World::start().await;
    for (query, code) in [
        ("colour=red", "unknown_parameter"),
        ("status=flying", "invalid_parameter"),
        ("direction=up", "invalid_parameter"),
        ("channel=pigeon", "invalid_parameter"),
        ("limit=0", "invalid_parameter"),
        ("limit=201", "invalid_parameter"),
        ("limit=many", "invalid_parameter"),
        ("from=yesterday", "invalid_parameter"),
        ("status=sent&status=failed", "malformed_query"),
        ("cursor=abc", "invalid_cursor"),
        ("cursor=WyJhIl0", "invalid_cursor"),
        ("cursor=WyIyMDI2MTEiLCJ4IiwieSJd", "invalid_cursor"),
    ] {
        let refused = world.get(&format!("/v1/messages?{query}")).await.refusal();
        assert_eq!(refused, (400, code.to_owned()), "{query}");
    }
}

#[tokio::test]
async fn the_cursor_walks_everything_exactly_once() {
    let world = World::start().await;
    let mut expected = BTreeSet::new();
    for n in 0..4 {
        expected.insert(world.send(&mobile(n), "single", json!({})).await);
    }
    world.advance(1).await;
    // Twelve lines of ten numbers, over three pages and with one line refused.
    let mut file = String::from("phone,name\n");
    for n in [10, 11, 12, 10, 13, 14, 15, 16, 11, 17, 18, 19] {
        file.push_str(&format!("{},Ada\n", mobile(n)));
    }
    file.push_str("12,Bob\n");
    let import = world.import(file.as_bytes(), "Hi {{ name }}", &[]).await;
    world.advance(1).await;
    for n in 0..3 {
        expected.insert(world.send(&mobile(n), "single", json!({})).await);
    }
    // As late as the file, and before it in the list.
    world.advance(1).await;
    shows(
        &world.import_of(&import).await,
        &json!({"rows": 13, "accepted": 10, "duplicates": 2, "rejected": 1}),
    );

    let whole = world.list("limit=200").await;
    assert_eq!(whole.len(), 17);
    let times: Vec<Timestamp> = whole
        .iter()
        .map(|m| m["created_at"].as_str().and_then(|t| t.parse().ok()).expect("a time"))
        .collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "newest first: {times:?}");
    let ids = |list: &[Value]| -> Vec<String> {
        list.iter().filter_map(|m| m["id"].as_str().map(str::to_owned)).collect()
    };
    let singles = whole.iter().filter(|m| m["import"].is_null()).cloned().collect::<Vec<_>>();
    assert_eq!(ids(&singles).into_iter().collect::<BTreeSet<_>>(), expected);
    for limit in 1..=17 {
        let walked = world.list(&format!("limit={limit}")).await;
        assert_eq!(ids(&walked), ids(&whole), "limit {limit}");
    }
    for filter in ["status=delivered", "q=Ada", &format!("import_id={import}")] {
        let whole = world.list(&format!("limit=200&{filter}")).await;
        assert!(whole.len() >= 10, "{filter}");
        for limit in [1, 3, 10] {
            let walked = world.list(&format!("limit={limit}&{filter}")).await;
            assert_eq!(ids(&walked), ids(&whole), "limit {limit} {filter}");
        }
    }
}

#[tokio::test]
async fn a_walk_goes_on_where_it_was_though_messages_arrive_meanwhile() {
    let world = World::start().await;
    let mut file = String::from("phone,name\n");
    for n in 0..5 {
        file.push_str(&format!("{},Ada\n", mobile(n)));
    }
    let in_an_hour = (world.now() + jiff::SignedDuration::from_hours(1)).to_string();
    let fields = [("scheduled_for", &*in_an_hour)];
    let import = world.import(file.as_bytes(), "Hi {{ name }}", &fields).await;
    let other = world.send(&mobile(9), "another", json!({})).await;
    world.advance(1).await;
    shows(&world.import_of(&import).await, &json!({"messages": {"pending": 5, "cancelled": 0}}));
    let all = world.list(&format!("import_id={import}")).await;
    assert_eq!(all.len(), 5);
    assert!(all.iter().all(|m| m["id"] != other.as_str()), "only those of the file");
    for place in [2, 4] {
        let id = all[place]["id"].as_str().expect("an id");
        let _ = world.post(&format!("/v1/messages/{id}/cancel"), &json!({})).await.ok(200);
    }
    let path = "/v1/messages?status=cancelled&limit=1";
    let first = world.get(path).await.ok(200);
    assert_eq!(first["data"][0]["id"], all[2]["id"]);
    world.advance(61).await;
    let counts = json!({"delivered": 3, "cancelled": 2, "pending": 0});
    shows(&world.import_of(&import).await, &json!({"messages": counts}));
    let cursor = first["next_cursor"].as_str().expect("there are more");
    let second = world.get(&format!("{path}&cursor={cursor}")).await.ok(200);
    assert_eq!(second["data"][0]["id"], all[4]["id"], "those before it are read no more");
}

#[tokio::test]
async fn the_messages_of_one_number_are_walked_by_cursor_too() {
    let world = World::start().await;
    let mut expected = Vec::new();
    for n in 0..7 {
        expected.push(world.send(&mobile(1), &format!("{n}"), json!({})).await);
        world.send(&mobile(2), "another's", json!({})).await;
        world.advance(1).await;
    }
    expected.reverse();
    let one = mobile(1).replace('+', "%2B");
    for limit in 1..=8 {
        let walked = world.list(&format!("to={one}&limit={limit}")).await;
        let ids: Vec<_> = walked.iter().filter_map(|m| m["id"].as_str()).collect();
        assert_eq!(ids, expected, "limit {limit}");
    }
}

#[tokio::test]
async fn the_list_goes_back_over_the_months() {
    let world = World::start().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(world.send(&mobile(n), "monthly", json!({})).await);
        world.settle().await;
        world.skip(35 * 24 * 60);
    }
    ids.reverse();
    for limit in [1, 2, 5, 50] {
        let walked = world.list(&format!("limit={limit}")).await;
        let found: Vec<_> = walked.iter().filter_map(|m| m["id"].as_str()).collect();
        assert_eq!(found, ids, "limit {limit}");
    }
    // They are of 21 November, 26 December, 30 January, 6 March and 10 April.
    let winter = world.list("from=2026-12-01&to=2027-02-15").await;
    let found: Vec<_> = winter.iter().filter_map(|m| m["id"].as_str()).collect();
    assert_eq!(found, ids[2..4]);
    // After years in which nothing was: one request does not come to its end, and says
    // where to go on.
    world.skip(40 * 31 * 24 * 60);
    for path in ["/v1/messages", "/v1/audit-log", "/v1/dead-letters"] {
        let first = world.get(&format!("{path}?limit=50")).await.ok(200);
        assert_eq!(first["data"], json!([]), "{path}");
        let cursor = first["next_cursor"].as_str().expect("older months are there");
        let second = world.get(&format!("{path}?limit=50&cursor={cursor}")).await.ok(200);
        assert_eq!(second["next_cursor"], json!(null), "{path}");
        let found = second["data"].as_array().map_or(0, Vec::len);
        assert_eq!(found, if path == "/v1/messages" { 5 } else { found }, "{path}");
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_the_list_that_gave_it_and_no_other() {
    let world = World::start().await;
    for n in 0..3 {
        world.send(&mobile(n), "Hi", json!({})).await;
    }
    let page = world.get("/v1/messages?direction=outbound&limit=1").await.ok(200);
    let cursor = page["next_cursor"].as_str().expect("more of them").to_owned();
    let second = "crl_elsewhere";
    let elsewhere = OrgId::from_hash(&[b"elsewhere"]);
    callers::add(&world.stack.ctx, elsewhere, second, Role::Admin).await;
    let ask = async |key: &str, path: &str, cursor: &str| {
        let path = format!("{path}cursor={cursor}");
        Answer::to(world.request_by(key, Method::GET, &path)).await
    };
    let own = "/v1/messages?direction=outbound&";
    for path in [own, "/v1/messages?direction=outbound&limit=2&"] {
        assert_eq!(ask(ADMIN_KEY, path, &cursor).await.status, 200, "{path}");
    }
    let mut changed = cursor.clone().into_bytes();
    changed[30] = if changed[30] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).expect("a text");
    for (what, key, path, cursor) in [
        ("another filter", ADMIN_KEY, "/v1/messages?direction=inbound&", &cursor),
        ("no filter", ADMIN_KEY, "/v1/messages?", &cursor),
        ("another list", ADMIN_KEY, "/v1/templates?", &cursor),
        ("another organization", second, own, &cursor),
        ("a changed byte", ADMIN_KEY, own, &changed),
    ] {
        let refused = ask(key, path, cursor).await.refusal();
        assert_eq!(refused, (400, "invalid_cursor".to_owned()), "{what}");
    }
}
