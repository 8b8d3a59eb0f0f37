//! A person wants to know what is stored about them, or to be forgotten.

use std::sync::atomic::{AtomicU32, Ordering};

use carillon_local::engines::fault::NoFaults;
use carillon_local::engines::{Operation, Verdict};
use carillon_tests::people::mobile;
use carillon_tests::{Answer, World, shows};
use serde_json::{Value, json};

const NAME: &str = "Grace Hopper";

fn person() -> Value {
    json!({"to": mobile(1)})
}

/// Every row of the table, as text.
async fn rows(world: &World) -> Vec<String> {
    let client = world.stack.engines.dynamodb();
    let mut rows = Vec::new();
    let mut start = None;
    loop {
        let scan = client.scan().table_name("carillon").set_exclusive_start_key(start);
        let page = scan.send().await.expect("the table answers");
        rows.extend(page.items().iter().map(|item| format!("{item:?}")));
        start = page.last_evaluated_key;
        if start.is_none() {
            return rows;
        }
    }
}

async fn rows_with(world: &World, text: &str) -> Vec<String> {
    let mut rows = rows(world).await;
    rows.retain(|row| row.contains(text));
    rows
}

/// Something of everything: sent and answered, waiting, failed, long, with a key,
/// from a file, suppressed, with consents.
async fn history(world: &World) -> Vec<String> {
    let to = mobile(1);
    let text = format!("Hello {NAME}");
    let mut ids = vec![world.send(&to, &text, json!({})).await];
    ids.push(world.send(&to, &format!("{text} {}", "long ".repeat(100)), json!({})).await);
    let kept = json!({"channel": "sms", "to": to, "body": text});
    let once = world.post_once("/v1/messages", "once", &kept).await.ok(202);
    ids.push(once["id"].as_str().expect("an id").to_owned());
    world.settle().await;
    world.providers(json!({"fail_next": [{"kind": "code", "code": 21211}]})).await;
    ids.push(world.send(&to, &text, json!({})).await);
    world.settle().await;
    let later = json!({
        "scheduled_for": world.in_minutes(60), "related": {"type": "booking", "id": "bkg_7"},
    });
    ids.push(world.send(&to, &text, later).await);
    let file = format!("phone,name\n{to},{NAME}\n{},Ada\n{to},{NAME} again\n", mobile(2));
    world.import(file.as_bytes(), "Dear {{ name }}", &[]).await;
    world.advance(1).await;
    world.person_writes(&to, &format!("I am {NAME}")).await;
    let consent = json!({
        "to": to, "channel": "sms", "purpose": "promotional", "status": "granted",
        "source": "form", "text": format!("Yes, says {NAME}"),
    });
    let _ = world.post("/v1/consents", &consent).await.ok(201);
    world.person_writes(&to, "STOP").await;
    ids
}

async fn erasure(world: &World) -> Answer {
    world.get(&format!("/v1/people/erasure?to=%2B{}", &mobile(1)[1..])).await
}

async fn is_begun(world: &World) -> bool {
    erasure(world).await.status == 200
}

async fn is_done(world: &World) -> Value {
    for _ in 0..10 {
        let erasure = erasure(world).await.ok(200);
        if erasure["status"] == "completed" {
            return erasure;
        }
        world.advance(1).await;
    }
    panic!("it never ends");
}

/// The statistics, without when they were counted.
async fn figures(world: &World) -> Value {
    world.settle().await;
    let mut stats = world.get("/v1/stats").await.ok(200);
    stats.as_object_mut().expect("an object").retain(|name, _| !name.contains("as_of"));
    stats
}

#[tokio::test]
async fn a_person_gets_all_that_is_stored_about_them() {
    let world = World::start().await;
    let ids = history(&world).await;
    let mut found = Vec::new();
    let mut first = None;
    let mut path = "/v1/people/export?limit=2".to_owned();
    loop {
        let page = world.post(&path, &person()).await.ok(200);
        found.extend(page["messages"].as_array().expect("a list").clone());
        let next = page["next_cursor"].as_str().map(str::to_owned);
        first.get_or_insert(page);
        match next {
            Some(next) => path = format!("/v1/people/export?limit=2&cursor={next}"),
            None => break,
        }
    }
    // Of the file one, and two that they wrote.
    assert_eq!(found.len(), ids.len() + 3);
    for id in &ids {
        let message = found.iter().find(|m| m["id"] == id.as_str()).expect("it is there");
        assert!(message["body"].as_str().is_some_and(|body| body.contains(NAME)));
        assert!(message["attempts"].is_array() && message["decisions"].is_array());
    }
    shows(
        &first.expect("a page"),
        &json!({
            "to": mobile(1), "erasure": null,
            "suppressions": [{"channel": "sms", "reason": "stop_keyword", "words": "STOP"}],
            "consents": [{"purpose": "promotional", "status": "granted"}],
        }),
    );
    // Another's cursor is none.
    let other = world.post(&path, &json!({"to": mobile(2)})).await.refusal();
    assert_eq!(other, (400, "invalid_cursor".to_owned()));
}

#[tokio::test]
async fn who_is_forgotten_leaves_counts_and_nothing_else() {
    let world = World::start().await;
    let ids = history(&world).await;
    let before = figures(&world).await;
    let sent = world.received().await.len();
    assert!(rows_with(&world, &mobile(1)).await.len() > 8);

    let answer = world.post("/v1/people/erase", &person()).await.ok(202);
    shows(&answer, &json!({"status": "running", "messages": 8, "cancelled": 1, "under_way": 0}));
    shows(&is_done(&world).await, &json!({"status": "completed", "messages": 8, "cancelled": 1}));

    for text in [&mobile(1)[1..], NAME, "bkg_7"] {
        assert_eq!(rows_with(&world, text).await, Vec::<String>::new(), "{text}");
    }
    for (id, status) in
        ids.iter().zip(["delivered", "delivered", "delivered", "failed", "cancelled"])
    {
        let message = world.message(id).await;
        shows(
            &message,
            &json!({
                "status": status, "to": null, "body": "", "variables": {}, "related": null,
                "provider_message_id": null,
            }),
        );
        assert!(message["erased_at"].is_string());
    }
    shows(&world.message(&ids[3]).await, &json!({"error": {"code": "21211"}}));
    // Neighbours in the same file keep theirs.
    assert!(!rows_with(&world, &mobile(2)).await.is_empty());

    // Counts, but for the one that was cancelled, are what they were.
    let mut expected = before.clone();
    for bucket in [("total_pending", -1), ("total_cancelled", 1)] {
        if let Some(count) = expected.get(bucket.0).and_then(Value::as_i64) {
            expected[bucket.0] = json!(count + bucket.1);
        }
    }
    let after = figures(&world).await;
    for name in ["total_sent", "total_delivered", "total_failed", "total_opted_out", "cost"] {
        assert_eq!(after[name], expected[name], "{name}");
    }
    assert_eq!(world.received().await.len(), sent, "nothing was sent again");

    // The opt-out still holds, under the keyed hash alone.
    let again = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    shows(&world.message(&again).await, &json!({"status": "suppressed"}));
    assert_eq!(world.received().await.len(), sent);
}

#[tokio::test]
async fn a_repeat_of_an_old_request_brings_nothing_back() {
    let world = World::start().await;
    let text = format!("Hello {NAME} {}", "long ".repeat(100));
    let request = json!({"channel": "sms", "to": mobile(1), "body": text});
    let first = world.post_once("/v1/messages", "k", &request).await.ok(202);
    world.settle().await;
    let _ = world.post("/v1/people/erase", &person()).await.ok(202);
    is_done(&world).await;
    let again = world.post_once("/v1/messages", "k", &request).await.ok(202);
    shows(&again, &json!({"id": first["id"], "to": null, "body": ""}));
    let id = first["id"].as_str().expect("an id");
    // Nor does a receipt, or a person who asks for one more attempt.
    let retry = world.post(&format!("/v1/messages/{id}/retry"), &json!({})).await.refusal();
    assert_eq!(retry.0, 409);
    let url = format!("{}/webhooks/twilio/status?o={}&m={id}&a=1", world.url, world.stack.org);
    let fields = carillon_tests::callback::status("SM00000000000000000000000000000009", "read");
    assert_eq!(world.call_back_signed(&url, &fields).await.status, 200);
    shows(&world.message(id).await, &json!({"status": "read", "provider_message_id": null}));
    assert!(rows_with(&world, NAME).await.is_empty());
    assert_eq!(world.received().await.len(), 1);
}

#[tokio::test]
async fn what_is_under_way_is_waited_for() {
    let world = World::start().await;
    world
        .providers(json!({
            "fail_next": [{"kind": "close_after_accept"}],
            "callbacks": {"lose": ["sent", "delivered"]},
        }))
        .await;
    let id = world.send(&mobile(1), &format!("Hi {NAME}"), json!({})).await;
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "unknown"}));
    let answer = world.post("/v1/people/erase", &person()).await.ok(202);
    shows(&answer, &json!({"status": "running", "stage": "messages", "under_way": 1}));
    shows(&is_done(&world).await, &json!({"messages": 1, "under_way": 0}));
    shows(&world.message(&id).await, &json!({"status": "delivered", "body": ""}));
    assert_eq!(world.accepted_for(&mobile(1)).await.len(), 1);
}

/// Whatever write is the last before the process ends, the minute schedule goes
/// on with it, and nothing is counted twice.
#[tokio::test]
async fn an_erasure_that_is_cut_off_at_any_write_is_finished() {
    for allowed in 0..40 {
        let world = World::start().await;
        let (to, text) = (mobile(1), format!("Hello {NAME} {}", "long ".repeat(100)));
        let _ = world.send(&to, &text, json!({})).await;
        let _ = world.send(&to, &text, json!({"scheduled_for": world.in_minutes(60)})).await;
        world.import(format!("phone,name\n{to},{NAME}\n").as_bytes(), "Hi", &[]).await;
        world.advance(1).await;
        world.person_writes(&to, "STOP").await;
        let before = figures(&world).await;
        let writes = AtomicU32::new(0);
        world.stack.engines.faults().set(move |operation: &Operation<'_>| {
            let passes = !operation.is_write() || writes.fetch_add(1, Ordering::SeqCst) < allowed;
            if passes { Verdict::Pass } else { Verdict::FailBefore }
        });
        let cut_off = world.post("/v1/people/erase", &person()).await;
        world.stack.engines.faults().set(NoFaults);
        // Cut off before it was begun, in the log of who did it, it is asked for again.
        if cut_off.status == 503 && !is_begun(&world).await {
            let _ = world.post("/v1/people/erase", &person()).await.ok(202);
        }
        let done = is_done(&world).await;
        shows(&done, &json!({"messages": 4, "cancelled": 1, "under_way": 0}));
        assert!(rows_with(&world, NAME).await.is_empty(), "{allowed}");
        assert!(rows_with(&world, &mobile(1)[1..]).await.is_empty(), "{allowed}");
        let after = figures(&world).await;
        for name in ["total_sent", "total_delivered", "total_failed", "total_opted_out", "cost"] {
            assert_eq!(after[name], before[name], "{name} after {allowed}");
        }
        if cut_off.status == 202 {
            return;
        }
    }
    panic!("it has more writes than that");
}
