//! What nothing waits for any more goes after the time that the organization has
//! set; what it counted stays counted.

use carillon_rollup::recount::recount;
use carillon_tests::people::mobile;
use carillon_tests::{World, shows};
use serde_json::{Value, json};

const DAY: i64 = 24 * 60;

/// As DynamoDB does it, within days: all that is over by now.
async fn expire(world: &World) -> usize {
    let mut gone = 0;
    loop {
        let (some, is_end) = world.stack.expire(1_000).await.expect("the table answers");
        gone += some;
        if is_end {
            world.settle().await;
            return gone;
        }
    }
}

async fn keep_for(world: &World, days: Value) {
    let retention = json!({"retention": {"message_days": days}});
    let _ = world.patch("/v1/settings", &retention).await.ok(200);
    world.skip(6);
}

async fn figures(world: &World) -> Value {
    let mut stats = world.get("/v1/stats").await.ok(200);
    stats.as_object_mut().expect("an object").retain(|name, _| !name.contains("as_of"));
    stats
}

async fn texts(world: &World) -> usize {
    let client = world.stack.engines.dynamodb();
    let page = client.scan().table_name("carillon").send().await.expect("the table answers");
    let is_text = |sk: &str| sk.starts_with("b/") || sk.starts_with("an/") || sk.starts_with("f/");
    page.items().iter().filter(|item| item["sk"].as_s().is_ok_and(|sk| is_text(sk))).count()
}

#[tokio::test]
async fn messages_go_when_their_time_is_over_and_stay_counted() {
    let world = World::start().await;
    keep_for(&world, json!(30)).await;
    let long = "long ".repeat(100);
    let done = world.send(&mobile(1), &long, json!({})).await;
    let key = json!({"channel": "sms", "to": mobile(1), "body": "Hi"});
    let _ = world.post_once("/v1/messages", "k", &key).await.ok(202);
    let file = format!("phone\n{}\n{}\n", mobile(2), mobile(3));
    world.import(file.as_bytes(), "From a file", &[]).await;
    world.advance(1).await;
    world.person_writes(&mobile(1), "Hello").await;
    let waits = json!({"scheduled_for": world.in_minutes(60 * DAY)});
    let waiting = world.send(&mobile(4), &long, waits).await;
    world.settle().await;
    let before = figures(&world).await;
    assert_eq!(texts(&world).await, 4, "two long texts, an answer, a file");

    world.skip(29 * DAY);
    expire(&world).await;
    shows(&world.message(&done).await, &json!({"status": "delivered", "body": long}));

    world.skip(9 * DAY);
    assert!(expire(&world).await > 5);
    assert_eq!(world.get(&format!("/v1/messages/{done}")).await.status, 404);
    assert_eq!(world.list("direction=outbound").await.len(), 1, "what waits is there");
    shows(&world.message(&waiting).await, &json!({"status": "pending"}));
    assert_eq!(texts(&world).await, 1, "and so is its text");
    // The statistics are of other days now; those of then are what they were.
    let then = format!("/v1/stats?from={0}&to={0}", "2026-11-21");
    let after = world.get(&then).await.ok(200);
    for name in ["total_sent", "total_delivered", "total_replied"] {
        assert_eq!(after[name], before[name], "{name}");
    }
    let found = recount(&world.stack.ctx.store, world.now()).await.expect("it stands still");
    assert_eq!((found.differences, found.is_behind), (vec![], false));

    // It goes at its time, and stays for its own thirty days.
    world.skip(22 * DAY);
    world.advance(1).await;
    world.skip(29 * DAY);
    expire(&world).await;
    shows(&world.message(&waiting).await, &json!({"status": "delivered"}));
    world.skip(9 * DAY);
    expire(&world).await;
    assert_eq!(world.get(&format!("/v1/messages/{waiting}")).await.status, 404);
    assert_eq!(texts(&world).await, 0);
}

#[tokio::test]
async fn what_is_tried_again_loses_its_end() {
    let world = World::start().await;
    keep_for(&world, json!(30)).await;
    world.providers(json!({"fail_next": [{"kind": "code", "code": 21610}]})).await;
    world.providers(json!({"fail_next": [{"kind": "code", "code": 21211}]})).await;
    let id = world.send(&mobile(1), &"long ".repeat(100), json!({})).await;
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "failed"}));
    // Nothing is sent for now: it waits, past the end that it had.
    world.skip(20 * DAY);
    let _ = world.patch("/v1/settings", &json!({"sending_enabled": false})).await.ok(200);
    world.skip(1);
    let _ = world.post(&format!("/v1/messages/{id}/retry"), &json!({})).await.ok(202);
    let at = json!({"scheduled_for": world.in_minutes(30 * DAY)});
    let _ = world.post(&format!("/v1/messages/{id}/reschedule"), &at).await.ok(200);
    world.skip(25 * DAY);
    expire(&world).await;
    let message = world.message(&id).await;
    shows(&message, &json!({"status": "pending"}));
    assert!(message["body"].as_str().is_some_and(|body| body.len() > 400));
    assert_eq!(world.list("status=pending").await.len(), 1);
}

#[tokio::test]
async fn who_keeps_for_ever_keeps_for_ever() {
    let world = World::start().await;
    keep_for(&world, Value::Null).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    world.skip(900 * DAY);
    expire(&world).await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
    assert_eq!(world.list("status=delivered").await.len(), 1);
}

#[tokio::test]
async fn a_file_goes_and_its_report_says_so() {
    let world = World::start().await;
    let file = format!("phone\n{}\nnobody\n", mobile(1));
    let import = world.import(file.as_bytes(), "Hi", &[]).await;
    world.advance(1).await;
    let report = format!("/v1/imports/{import}/rejected");
    assert_eq!(world.get(&report).await.status, 200);
    world.skip(31 * DAY);
    expire(&world).await;
    assert_eq!(world.get(&report).await.refusal(), (404, "file_not_kept".to_owned()));
    assert_eq!(world.list("status=delivered").await.len(), 1);
}

#[tokio::test]
async fn days_are_checked() {
    let world = World::start().await;
    shows(
        &world.get("/v1/settings").await.ok(200),
        &json!({"retention": {"message_days": 730, "file_days": 30, "audit_days": 730}}),
    );
    for (retention, field) in [
        (json!({"message_days": 0}), "retention.message_days"),
        (json!({"file_days": 1}), "retention.file_days"),
        (json!({"audit_days": 40_000}), "retention.audit_days"),
    ] {
        let refused = world.patch("/v1/settings", &json!({"retention": retention})).await.problem();
        assert_eq!(refused, (422, "out_of_range".to_owned(), Some(field.to_owned())));
    }
    let partly = json!({"retention": {"message_days": 90}});
    shows(
        &world.patch("/v1/settings", &partly).await.ok(200),
        &json!({"retention": {"message_days": 90, "file_days": 30}}),
    );
}
