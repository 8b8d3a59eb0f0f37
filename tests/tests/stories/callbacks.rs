//! What providers tell us, and who only says that he is one.

use carillon_domain::OrgId;
use carillon_local::engines::{Operation, Verdict};
use carillon_local::poller::Mapping;
use carillon_simulator::DEFAULT_AUTH_TOKEN;
use carillon_tests::people::mobile;
use carillon_tests::{World, callback, shows};
use serde_json::{Value, json};

/// A message that the provider has and has said nothing about yet; its
/// callback address and its id there.
async fn accepted(world: &World) -> (String, String, String) {
    let lose = json!({"callbacks": {"lose": ["sent", "delivered"]}});
    world.providers(lose).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "sent"}));
    let received = world.received().await.pop().expect("it was sent");
    let url = received.reference.expect("a callback address");
    (id, url, received.provider_message_id.expect("a sid"))
}

#[tokio::test]
async fn a_forged_callback_gets_403_and_changes_nothing() {
    let world = World::start().await;
    let (id, url, sid) = accepted(&world).await;
    let before = world.message(&id).await;
    let fields = callback::status(&sid, "delivered");
    let right = callback::signature(&url, &fields);
    let failed = callback::status(&sid, "failed");
    let nobody = OrgId::from_hash(&[b"nobody"]).to_string();
    let elsewhere = url.replace(&world.stack.org.to_string(), &nobody);
    assert_ne!(elsewhere, url);
    let other_message = format!("{url}0");
    let by_another = carillon_simulator::sign("not the auth token", &url, &fields);
    let cases: [(&str, &str, &callback::Fields, Option<&str>); 6] = [
        ("another's signature", &url, &fields, Some(&by_another)),
        ("no signature", &url, &fields, None),
        ("rubbish", &url, &fields, Some("rubbish")),
        ("the signature of another body", &url, &failed, Some(&right)),
        ("the signature of another address", &other_message, &fields, Some(&right)),
        ("an organization that is not there", &elsewhere, &fields, Some(&right)),
    ];
    for (count, (what, url, fields, signature)) in (1..).zip(cases) {
        let answer = world.call_back(url, fields, signature).await;
        assert_eq!((answer.status, answer.text.as_str()), (403, ""), "{what}");
        assert_eq!(world.counted("forged_callbacks"), count, "{what}");
    }
    let json = json!({"MessageSid": sid, "MessageStatus": "delivered"}).to_string();
    let forged = world.call_back_json(&url, &json, "not the auth token").await;
    assert_eq!(forged.status, 403);
    world.advance(2).await;
    assert_eq!(world.message(&id).await, before);
    assert_eq!(world.list("").await.len(), 1);

    assert_eq!(world.call_back(&url, &fields, Some(&right)).await.status, 200);
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
}

#[tokio::test]
async fn the_simulators_wrong_signatures_are_refused_too() {
    let world = World::start().await;
    world.providers(json!({"callbacks": {"wrong_signature": true}})).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.advance(2).await;
    shows(&world.message(&id).await, &json!({"status": "sent", "delivered_at": null}));
    assert_eq!(world.counted("forged_callbacks"), 2);
    let received = world.received().await.pop().expect("it was sent");
    assert!(received.callbacks.iter().all(|c| c.answer_status == Some(403)));
}

#[tokio::test]
async fn a_replayed_callback_changes_nothing() {
    let world = World::start().await;
    let (id, url, sid) = accepted(&world).await;
    let delivered = callback::status(&sid, "delivered");
    assert_eq!(world.call_back_signed(&url, &delivered).await.status, 200);
    world.settle().await;
    let before = world.message(&id).await;
    shows(&before, &json!({"status": "delivered", "events": [{}, {"type": "delivered"}]}));
    for status in ["delivered", "sent", "queued", "delivered", "failed", "undelivered"] {
        world.skip(1);
        let answer = world.call_back_signed(&url, &callback::status(&sid, status)).await;
        assert_eq!(answer.status, 200, "{status}");
        world.settle().await;
        assert_eq!(world.message(&id).await, before, "{status}");
    }
    assert_eq!(world.counted("proven_duplicates"), 0);
}

#[tokio::test]
async fn delivered_before_sent_ends_as_delivered() {
    let world = World::start().await;
    for order in ["reversed", "shuffled"] {
        world.providers(json!({"callbacks": {"order": order, "duplicate": true}})).await;
        let id = world.send(&mobile(1), "Hi", json!({})).await;
        world.advance(1).await;
        shows(
            &world.message(&id).await,
            &json!({"status": "delivered", "events": [{"type": "sent"}, {"type": "delivered"}]}),
        );
    }
    let sent = world.received().await.len();
    assert_eq!(sent, 2);
}

#[tokio::test]
async fn a_receipt_that_overtakes_the_answer_counts() {
    let world = World::start().await;
    // The provider calls back while the sender still waits for its answer.
    world.providers(json!({"latency_ms": 700, "callbacks": {"hold": false}})).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    let stack = world.stack.clone();
    let sender =
        tokio::spawn(
            async move { Mapping::SmsTransactional.poll(&stack.ctx, &stack.sqs, 0).await },
        );
    let overtaken = loop {
        let message = world.message(&id).await;
        if message["status"] == "delivered" || sender.is_finished() {
            break message;
        }
    };
    assert!(!sender.is_finished(), "the answer came first");
    shows(
        &overtaken,
        &json!({"status": "delivered", "events": [{"type": "sent"}, {"type": "delivered"}]}),
    );
    assert_eq!(sender.await.expect("no panic").expect("the queue answers"), 1);
    world.settle().await;
    let sid = world.received().await.pop().expect("it was sent").provider_message_id;
    shows(
        &world.message(&id).await,
        &json!({
            "status": "delivered", "provider_message_id": sid,
            "attempts": [{
                "number": 1, "outcome": "accepted",
                "response": {"http_status": 201, "id": sid},
            }],
            "events": [{"type": "sent", "source": "callback"}, {"type": "delivered"}],
        }),
    );
    world.advance(5).await;
    assert_eq!(world.received().await.len(), 1);
    assert_eq!(world.counted("proven_duplicates"), 0);
}

#[tokio::test]
async fn what_the_carrier_did_not_deliver_is_failed_with_its_reason() {
    let world = World::start().await;
    let (away, filtered) = (mobile(1), mobile(2));
    world
        .providers(json!({"numbers": {
            away.as_str(): {"final": "undelivered"},
            filtered.as_str(): {"final": "failed", "error_code": 30007},
        }}))
        .await;
    for (number, code, reason, permanent) in
        [(&away, "30003", "unreachable", false), (&filtered, "30007", "content_rejected", true)]
    {
        let id = world.send(number, "Hi", json!({})).await;
        world.advance(3).await;
        let message = world.message(&id).await;
        shows(
            &message,
            &json!({
                "status": "failed",
                "error": {"code": code, "reason": reason, "permanent": permanent},
                "attempts": [{"number": 1, "outcome": "accepted"}],
                "events": [{"type": "sent"}, {"type": "failed", "source": "callback"}],
            }),
        );
        assert!(message["sent_at"].is_string() && message["failed_at"].is_string());
    }
    assert_eq!(world.received().await.len(), 2);
    assert_eq!(world.list("error_code=30003").await.len(), 1);
}

#[tokio::test]
async fn a_signed_json_callback_counts_like_a_form() {
    let world = World::start().await;
    let (id, url, sid) = accepted(&world).await;
    let body = json!({"MessageSid": sid, "MessageStatus": "delivered"}).to_string();
    let answer = world.call_back_json(&url, &body, DEFAULT_AUTH_TOKEN).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
}

#[tokio::test]
async fn a_callback_that_is_signed_but_no_use_is_no_trouble() {
    let world = World::start().await;
    let (id, url, sid) = accepted(&world).await;
    let before = world.message(&id).await;
    let unknown = url.replace("m=msg_", "m=msg_0");
    let other_attempt = url.replace("a=1", "a=9");
    for (what, url, fields, status) in [
        ("no message of ours", &unknown, callback::status(&sid, "delivered"), 200),
        ("an attempt that never was", &other_attempt, callback::status(&sid, "delivered"), 200),
        ("a status that is new", &url, callback::status(&sid, "teleported"), 200),
        ("no status", &url, vec![("MessageSid".to_owned(), sid.clone())], 400),
        ("nothing", &url, Vec::new(), 400),
    ] {
        let answer = world.call_back_signed(url, &fields).await;
        assert_eq!(answer.status, status, "{what}");
        world.settle().await;
        assert_eq!(world.message(&id).await, before, "{what}");
    }
    assert_eq!(world.counted("malformed_callbacks"), 2);
    assert_eq!(world.counted("forged_callbacks"), 0);
    let nowhere = format!("{}/webhooks/pigeon/status", world.url);
    assert_eq!(world.call_back_signed(&nowhere, &Vec::new()).await.status, 404);
}

/// `sent` says nothing new about a message that the provider took; it costs no
/// queue and no write.
#[tokio::test]
async fn a_sent_callback_is_dropped_at_the_door() {
    let world = World::start().await;
    let (id, url, sid) = accepted(&world).await;
    let before: Value = world.message(&id).await;
    let answer = world.call_back_signed(&url, &callback::status(&sid, "sent")).await;
    assert_eq!(answer.status, 200);
    let stack = &world.stack;
    let polled = Mapping::Receive.poll(&stack.ctx, &stack.sqs, 0).await;
    assert_eq!(polled.expect("the queue answers"), 0);
    assert_eq!(world.message(&id).await, before);
}

/// What was answered with 2xx is kept, even while the table takes nothing.
#[tokio::test]
async fn a_receipt_that_the_table_does_not_take_waits_on_the_queue() {
    let world = World::start().await;
    let (id, url, sid) = accepted(&world).await;
    let faults = world.stack.engines.faults();
    faults.set(|operation: &Operation<'_>| match operation.name {
        "PutItem" => Verdict::Throttle,
        _ => Verdict::Pass,
    });
    let answer = world.call_back_signed(&url, &callback::status(&sid, "delivered")).await;
    assert_eq!(answer.status, 200);
    shows(&world.message(&id).await, &json!({"status": "sent"}));
    assert_eq!(world.counted("receipts_queued"), 1);
    faults.set(|_: &Operation<'_>| Verdict::Pass);
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
}
