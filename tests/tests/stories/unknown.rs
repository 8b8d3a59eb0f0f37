//! Nobody answered, or said something that proves nothing: was it sent?

use std::collections::BTreeSet;

use carillon_local::stack::TABLE;
use carillon_tests::gateway::Busy;
use carillon_tests::people::mobile;
use carillon_tests::{Setup, World, shows};
use serde_json::{Value, json};

/// The next sends meet these faults, and their receipts never come: only the
/// look-up can tell.
async fn trouble(world: &World, faults: Value) {
    world
        .providers(json!({"fail_next": faults, "callbacks": {"lose": ["sent", "delivered"]}}))
        .await;
}

#[tokio::test]
async fn a_message_that_arrived_unheard_is_found_by_look_up() {
    let world = World::start().await;
    trouble(&world, json!([{"kind": "close_after_accept"}])).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    shows(
        &world.message(&id).await,
        &json!({
            "status": "unknown", "sent_at": null, "error": null,
            "attempts": [{"number": 1, "outcome": "unknown", "response": {"http_status": null}}],
            "events": [{"type": "unknown", "source": "system"}],
        }),
    );
    assert_eq!(world.list("status=unknown").await.len(), 1);
    world.advance(5).await;
    let received = world.accepted_for(&mobile(1)).await;
    assert_eq!(received.len(), 1);
    shows(
        &world.message(&id).await,
        &json!({
            "status": "delivered", "provider_message_id": received[0].provider_message_id,
            "attempts": [{"number": 1, "outcome": "accepted"}],
            "events": [{"type": "unknown"}, {"type": "sent", "source": "look_up"}, {
                "type": "delivered", "source": "look_up",
            }],
        }),
    );
}

#[tokio::test]
async fn a_receipt_settles_an_unknown_message_before_the_look_up() {
    let world = World::start().await;
    world.providers(json!({"fail_next": [{"kind": "close_after_accept"}]})).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    shows(
        &world.message(&id).await,
        &json!({
            "status": "delivered",
            "attempts": [{"number": 1, "outcome": "accepted"}],
            "events": [{"type": "unknown"}, {"type": "sent", "source": "callback"}, {
                "type": "delivered", "source": "callback",
            }],
        }),
    );
    world.advance(5).await;
    assert_eq!(world.received().await.len(), 1);
}

#[tokio::test]
async fn a_message_that_never_arrived_is_sent_after_two_look_ups() {
    let world = World::start().await;
    trouble(&world, json!([{"kind": "close_before"}])).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    world.advance(1).await;
    shows(&world.message(&id).await, &json!({"status": "unknown", "decisions": []}));
    world.advance(1).await;
    shows(
        &world.message(&id).await,
        &json!({
            "attempts": [{"number": 1, "outcome": "not_sent"}],
            "events": [{"type": "unknown"}, {"type": "not_sent", "source": "look_up"}],
            "decisions": [{"decision": "retry", "reason": "not_sent"}],
        }),
    );
    assert!(world.accepted_for(&mobile(1)).await.is_empty());
    world.advance(5).await;
    shows(
        &world.message(&id).await,
        &json!({
            "status": "sent",
            "attempts": [{"outcome": "not_sent"}, {"number": 2, "outcome": "accepted"}],
        }),
    );
    assert_eq!(world.accepted_for(&mobile(1)).await.len(), 1);
}

/// An error page says nothing of whether the message behind it was taken.
#[tokio::test]
async fn an_answer_that_is_not_the_providers_proves_nothing() {
    for (kind, taken) in
        [("http_500", false), ("http_500", true), ("garbage_200", false), ("garbage_200", true)]
    {
        let world = World::start().await;
        trouble(&world, json!([{"kind": kind, "accepted": taken}])).await;
        let id = world.send(&mobile(1), "Hi", json!({})).await;
        world.settle().await;
        shows(&world.message(&id).await, &json!({"status": "unknown"}));
        world.advance(6).await;
        assert_eq!(world.accepted_for(&mobile(1)).await.len(), 1, "{kind} {taken}");
        let status = world.message(&id).await["status"].clone();
        assert!(status == "sent" || status == "delivered", "{kind} {taken}: {status}");
    }
}

#[tokio::test]
async fn a_provider_that_never_answers_is_not_waited_for() {
    let tuning = carillon_runtime::config::Tuning { call_seconds: 1, ..Setup::default().tuning };
    let world = World::with(Setup { tuning, ..Setup::default() }).await;
    trouble(&world, json!([{"kind": "timeout_after_accept", "stall_ms": 20_000}])).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    let unknown = json!({"status": "unknown", "attempts": [{"response": {"text": "timed out"}}]});
    shows(&world.message(&id).await, &unknown);
    world.advance(2).await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
    assert_eq!(world.accepted_for(&mobile(1)).await.len(), 1);
}

#[tokio::test]
async fn without_look_up_an_unknown_message_is_held_and_shown() {
    let world = World::start().await;
    world.set_up_twilio(json!({"look_up": false})).await;
    trouble(&world, json!([{"kind": "close_after_accept"}, {"kind": "close_before"}])).await;
    let arrived = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    let lost = world.send(&mobile(2), "Hi", json!({})).await;
    world.settle().await;
    world.advance(90).await;
    for id in [&arrived, &lost] {
        shows(
            &world.message(id).await,
            &json!({
                "status": "unknown", "attempts": [{"number": 1, "outcome": "unknown"}],
                "decisions": [{
                    "decision": "hold", "reason": "unknown_policy",
                    "detail": "look-up is switched off for this integration",
                }],
            }),
        );
    }
    assert_eq!(world.list("status=unknown").await.len(), 2);
    assert_eq!(world.counted("unknown_held"), 2);
    assert_eq!(world.accepted_for(&mobile(1)).await.len(), 1);
    assert_eq!(world.received().await.len(), 2, "never again");

    // A late receipt still settles it.
    let received = &world.accepted_for(&mobile(1)).await[0];
    let (url, sid) = (received.reference.as_deref(), received.provider_message_id.as_deref());
    let fields = carillon_tests::callback::status(sid.expect("a sid"), "delivered");
    let answer = world.call_back_signed(url.expect("an address"), &fields).await;
    assert_eq!(answer.status, 200);
    world.settle().await;
    shows(&world.message(&arrived).await, &json!({"status": "delivered"}));
}

#[tokio::test]
async fn who_prefers_twice_to_never_has_it_sent_again_after_a_quarter_of_an_hour() {
    let world = World::start().await;
    world.set_up_twilio(json!({"look_up": false})).await;
    let policy = json!({"unknown_policy": "resend"});
    let _ = world.patch("/v1/settings", &policy).await.ok(200);
    trouble(&world, json!([{"kind": "close_before"}])).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    world.advance(14).await;
    shows(&world.message(&id).await, &json!({"status": "unknown", "decisions": []}));
    assert!(world.accepted_for(&mobile(1)).await.is_empty());
    world.advance(3).await;
    shows(
        &world.message(&id).await,
        &json!({
            "status": "sent",
            "attempts": [{"outcome": "unknown"}, {"number": 2, "outcome": "accepted"}],
            "decisions": [{"decision": "resend", "reason": "unknown_policy"}],
        }),
    );
    assert_eq!(world.accepted_for(&mobile(1)).await.len(), 1);
    assert_eq!(world.counted("resent_by_policy"), 1);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_for_an_hour_leads_to_the_policy() {
    let world = World::start().await;
    trouble(&world, json!([{"kind": "close_after_accept"}])).await;
    world.providers(json!({"look_up": false})).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    world.advance(30).await;
    shows(&world.message(&id).await, &json!({"status": "unknown", "decisions": []}));
    world.advance(40).await;
    shows(
        &world.message(&id).await,
        &json!({"status": "unknown", "decisions": [{"decision": "hold"}]}),
    );
    assert_eq!(world.received().await.len(), 1);
}

#[tokio::test]
async fn two_unknown_messages_alike_take_each_one_of_the_providers_ids() {
    let world = World::start().await;
    trouble(&world, json!([{"kind": "close_after_accept"}, {"kind": "close_before"}])).await;
    let first = world.send(&mobile(1), "Same words", json!({})).await;
    let second = world.send(&mobile(1), "Same words", json!({})).await;
    world.settle().await;
    for id in [&first, &second] {
        shows(&world.message(id).await, &json!({"status": "unknown"}));
    }
    world.advance(8).await;
    let accepted = world.accepted_for(&mobile(1)).await;
    assert_eq!(accepted.len(), 2, "both were received, each once");
    let theirs: BTreeSet<_> = accepted.into_iter().filter_map(|r| r.provider_message_id).collect();
    let mut ours = BTreeSet::new();
    for id in [&first, &second] {
        let message = world.message(id).await;
        let status = message["status"].as_str().unwrap_or_default();
        assert!(["sent", "delivered"].contains(&status), "{message:#}");
        ours.insert(message["provider_message_id"].as_str().expect("an id").to_owned());
    }
    assert_eq!(ours, theirs);
    assert_eq!(theirs.len(), 2);
}

#[tokio::test]
async fn two_unknown_messages_that_both_arrived_are_not_sent_again() {
    let world = World::start().await;
    trouble(&world, json!([{"kind": "close_after_accept", "times": 2}])).await;
    let first = world.send(&mobile(1), "Same words", json!({})).await;
    let second = world.send(&mobile(1), "Same words", json!({})).await;
    world.settle().await;
    world.advance(8).await;
    assert_eq!(world.accepted_for(&mobile(1)).await.len(), 2);
    let mut ours = BTreeSet::new();
    for id in [&first, &second] {
        let message = world.message(id).await;
        shows(&message, &json!({"status": "delivered", "attempts": [{"outcome": "accepted"}]}));
        ours.insert(message["provider_message_id"].to_string());
    }
    assert_eq!(ours.len(), 2);
}

#[tokio::test]
async fn a_message_sent_before_is_not_taken_for_the_unknown_one() {
    let world = World::start().await;
    let before = world.send(&mobile(1), "Same words", json!({})).await;
    world.advance(1).await;
    trouble(&world, json!([{"kind": "close_before"}])).await;
    let id = world.send(&mobile(1), "Same words", json!({})).await;
    world.settle().await;
    world.advance(8).await;
    assert_eq!(world.accepted_for(&mobile(1)).await.len(), 2);
    let message = world.message(&id).await;
    shows(&message, &json!({"status": "sent", "attempts": [{"outcome": "not_sent"}, {}]}));
    let first = world.message(&before).await;
    assert_ne!(message["provider_message_id"], first["provider_message_id"]);
}

// ---- what the provider itself says it did not take ----

#[tokio::test]
async fn a_busy_provider_is_left_alone_for_as_long_as_it_asks() {
    let busy = Some(Busy { times: 2, retry_after: 600 });
    let world = World::with(Setup { busy, ..Setup::default() }).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    let until = world.in_minutes(10);
    shows(
        &world.message(&id).await,
        &json!({
            "status": "pending",
            "attempts": [{"outcome": "refused", "error": {"reason": "rate_limited"}}],
            "decisions": [{"decision": "retry", "reason": "rate_limited", "until": until}],
        }),
    );
    world.advance(9).await;
    assert_eq!(world.message(&id).await["attempts"].as_array().map(Vec::len), Some(1));
    world.advance(10).await;
    assert_eq!(world.message(&id).await["attempts"].as_array().map(Vec::len), Some(2));
    assert!(world.received().await.is_empty());
    world.advance(1).await;
    shows(
        &world.message(&id).await,
        &json!({"status": "delivered", "attempts": [{}, {}, {"outcome": "accepted"}]}),
    );
    assert_eq!(world.received().await.len(), 1);
}

#[tokio::test]
async fn a_provider_that_is_down_is_tried_max_attempts_times() {
    for (settings, attempts) in [(json!({}), 4), (json!({"max_attempts": 2}), 2)] {
        let world = World::start().await;
        let _ = world.patch("/v1/settings", &settings).await.ok(200);
        world.providers(json!({"fail_next": [{"kind": "http_503_json", "times": 9}]})).await;
        let id = world.send(&mobile(1), "Hi", json!({})).await;
        world.advance(30).await;
        let message = world.message(&id).await;
        shows(
            &message,
            &json!({
                "status": "failed", "sent_at": null,
                "error": {"code": "20503", "reason": "provider_down", "permanent": false},
            }),
        );
        let made = message["attempts"].as_array().expect("attempts");
        assert_eq!(made.len(), attempts);
        assert!(made.iter().all(|a| a["outcome"] == "refused"), "{made:?}");
        let decisions = message["decisions"].as_array().expect("decisions");
        assert_eq!(decisions.len(), attempts - 1);
        for decision in decisions {
            shows(decision, &json!({"decision": "retry", "reason": "provider_down"}));
            assert!(decision["until"].is_string(), "{decision}");
        }
        assert_eq!(world.received().await.len(), attempts);
        assert!(world.accepted_for(&mobile(1)).await.is_empty());
    }
}

#[tokio::test]
async fn a_provider_that_comes_back_gets_the_message_once() {
    let world = World::start().await;
    world.providers(json!({"fail_next": [{"kind": "http_503_json"}, {"kind": "http_429"}]})).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.advance(6).await;
    shows(
        &world.message(&id).await,
        &json!({"status": "delivered", "attempts": [
            {"error": {"reason": "provider_down"}}, {"error": {"reason": "rate_limited"}},
            {"number": 3, "outcome": "accepted", "error": null},
        ]}),
    );
    assert_eq!(world.accepted_for(&mobile(1)).await.len(), 1);
}

#[tokio::test]
async fn a_retry_that_would_come_too_late_is_not_made() {
    let busy = Some(Busy { times: 1, retry_after: 600 });
    let world = World::with(Setup { busy, ..Setup::default() }).await;
    let expires = json!({"expires_at": world.in_minutes(5)});
    let id = world.send(&mobile(1), "Hi", expires).await;
    world.settle().await;
    shows(
        &world.message(&id).await,
        &json!({"status": "failed", "error": {"code": "20429", "reason": "expired"}}),
    );
}

#[tokio::test]
async fn a_message_that_waits_for_its_retry_can_be_cancelled() {
    let world = World::start().await;
    world.providers(json!({"fail_next": [{"kind": "http_503_json", "times": 9}]})).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "pending"}));
    let cancel = format!("/v1/messages/{id}/cancel");
    shows(&world.post(&cancel, &json!({})).await.ok(200), &json!({"status": "cancelled"}));
    world.advance(5).await;
    assert_eq!(world.received().await.len(), 1);
}

#[tokio::test]
async fn a_message_of_an_account_that_was_forgotten_is_held_and_not_sent_again() {
    let world = World::start().await;
    trouble(&world, json!([{"kind": "close_after_accept"}])).await;
    world.providers(json!({"callbacks": {"lose": ["sent", "delivered"]}})).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "unknown"}));
    world.skip(1);
    let account = json!({
        "credentials": {
            "account_sid": "AC00000000000000000000000000000002",
            "auth_token": "0123456789abcdef0123456789abcdef",
        },
        "settings": {"from": "+15005550006"},
        "forget_previous": true,
    });
    let _ = world.put("/v1/integrations/twilio", &account).await.ok(200);
    world.advance(10).await;
    shows(
        &world.message(&id).await,
        &json!({"status": "unknown", "decisions": [{"decision": "hold"}]}),
    );
    assert_eq!(world.accepted_for(&mobile(1)).await.len(), 1);
}

/// A provider that takes everything and never answers must not get a copy every
/// quarter of an hour for ever.
#[tokio::test]
async fn sending_again_by_policy_ends_with_the_attempts() {
    let world = World::start().await;
    world.set_up_twilio(json!({"look_up": false})).await;
    let policy = json!({"unknown_policy": "resend", "max_attempts": 2});
    let _ = world.patch("/v1/settings", &policy).await.ok(200);
    trouble(&world, json!([{"kind": "close_after_accept", "times": 20}])).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    world.advance(90).await;
    shows(
        &world.message(&id).await,
        &json!({
            "status": "unknown",
            "attempts": [{"number": 1}, {"number": 2, "outcome": "unknown"}],
            "decisions": [{"decision": "resend"}, {"decision": "hold"}],
        }),
    );
    assert_eq!(world.accepted_for(&mobile(1)).await.len(), 2);
}

/// A restart forgets its queues; what was on them to be looked up does not wait for a lease that
/// nobody holds.
#[tokio::test]
async fn a_look_up_that_was_queued_when_the_process_was_killed_goes_on_at_its_time() {
    let mut world = World::start().await;
    trouble(&world, json!([{"kind": "close_after_accept"}])).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "unknown"}));
    let mut queued = 0;
    while queued == 0 {
        world.skip(1);
        queued = world.stack.tick().await.queued;
    }
    let queue = world.stack.ctx.config.queues.sms_transactional.clone();
    let _ = world.stack.sqs.purge_queue().queue_url(queue).send().await.expect("it is purged");
    world.move_to(TABLE).await;
    world.advance(2).await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
    assert_eq!(world.accepted_for(&mobile(1)).await.len(), 1);
}
