//! One message, and what its sender can do with it.

use carillon_tests::people::{INVALID, mobile};
use carillon_tests::{World, shows};
use serde_json::{Value, json};

#[tokio::test]
async fn a_message_sent_now_is_delivered() {
    let world = World::start().await;
    let body = json!({
        "channel": "sms", "to": "+61 491 570 006", "body": "Hi {{ name }}, see you at {{ time }}",
        "variables": {"name": "Ada", "time": "7 PM"},
        "related": {"type": "booking", "id": "bkg_1"},
    });
    let answer = world.post("/v1/messages", &body).await.ok(202);
    let promised = json!({
        "direction": "outbound", "channel": "sms", "to": "+61491570006", "status": "pending",
        "body": "Hi Ada, see you at 7 PM", "segments": 1, "encoding": "gsm7", "template": null,
        "purpose": "transactional", "provider": null, "provider_message_id": null, "error": null,
        "booking_id": "bkg_1", "variables": {"name": "Ada", "time": "7 PM"},
        "related": {"type": "booking", "id": "bkg_1"}, "scheduled_for": world.now().to_string(),
        "sent_at": null, "delivered_at": null, "failed_at": null,
        "attempts": [], "events": [], "decisions": [],
    });
    shows(&answer, &promised);
    let id = answer["id"].as_str().expect("an id");
    let mut resource = world.message(id).await;
    resource.as_object_mut().and_then(|r| r.remove("explanation")).expect("an explanation");
    assert_eq!(resource, answer, "the answer is the resource");

    world.settle().await;
    let [received] = &world.received().await[..] else { panic!("not one message") };
    assert!(received.accepted);
    assert_eq!(received.body, "Hi Ada, see you at 7 PM");
    assert_eq!(received.to, "+61491570006");
    let callback = received.reference.as_deref().expect("a callback address");
    assert!(callback.starts_with(&world.url) && callback.contains(id), "{callback}");

    let now = world.now().to_string();
    let sid = &received.provider_message_id;
    shows(
        &world.message(id).await,
        &json!({
            "status": "delivered", "provider": "twilio", "provider_message_id": sid,
            "error": null, "sent_at": now, "delivered_at": now, "failed_at": null,
            "attempts": [{
                "number": 1, "provider": "twilio", "outcome": "accepted", "error": null,
                "started_at": now, "ended_at": now,
                "response": {"http_status": 201, "code": null, "id": sid},
            }],
            "events": [
                {"type": "sent", "at": now, "source": "response"},
                {"type": "delivered", "at": now, "source": "callback"},
            ],
            "decisions": [],
        }),
    );
    world.advance(5).await;
    assert_eq!(world.received().await.len(), 1, "and never again");
}

#[tokio::test]
async fn segments_are_counted_as_the_provider_counts_them() {
    let world = World::start().await;
    for (text, segments, encoding) in [
        ("a".repeat(160), 1, "gsm7"),
        ("a".repeat(161), 2, "gsm7"),
        (format!("{}€", "a".repeat(159)), 2, "gsm7"),
        ("ä".repeat(70), 1, "gsm7"),
        ("नमस्ते".to_owned(), 1, "ucs2"),
        ("ш".repeat(71), 2, "ucs2"),
        ("😀".repeat(36), 2, "ucs2"),
    ] {
        let id = world.send(&mobile(1), &text, json!({})).await;
        world.settle().await;
        let message = world.message(&id).await;
        shows(&message, &json!({"segments": segments, "encoding": encoding, "body": text}));
        let received = world.received().await.pop().expect("it arrived");
        assert_eq!((received.body, received.segments), (text, segments));
    }
}

#[tokio::test]
async fn a_scheduled_message_waits_for_its_minute() {
    let world = World::start().await;
    let at = world.in_minutes(10);
    let id = world.send(&mobile(1), "Later", json!({"scheduled_for": at})).await;
    world.advance(9).await;
    assert!(world.received().await.is_empty());
    shows(&world.message(&id).await, &json!({"status": "pending", "scheduled_for": at}));
    world.advance(1).await;
    shows(&world.message(&id).await, &json!({"status": "delivered", "sent_at": at}));
    world.advance(3).await;
    assert_eq!(world.received().await.len(), 1);
}

#[tokio::test]
async fn a_cancelled_message_is_never_received() {
    let world = World::start().await;
    let later = json!({"scheduled_for": world.in_minutes(3)});
    let id = world.send(&mobile(1), "Not this", later).await;
    let cancel = format!("/v1/messages/{id}/cancel");
    let cancelled = world.post(&cancel, &json!({})).await.ok(200);
    shows(&cancelled, &json!({"status": "cancelled", "events": [{"type": "cancelled"}]}));
    world.advance(10).await;
    assert!(world.received().await.is_empty());
    shows(&world.message(&id).await, &json!({"status": "cancelled", "attempts": []}));
    assert_eq!(world.post(&cancel, &json!({})).await.refusal(), (409, "too_late".to_owned()));

    let sent = world.send(&mobile(1), "This", json!({})).await;
    world.settle().await;
    let too_late = world.post(&format!("/v1/messages/{sent}/cancel"), &json!({})).await;
    assert_eq!(too_late.refusal(), (409, "too_late".to_owned()));
    assert_eq!(world.received().await.len(), 1);
}

#[tokio::test]
async fn a_message_cancelled_while_it_is_queued_is_not_sent() {
    let world = World::start().await;
    let id = world.send(&mobile(1), "On the queue already", json!({})).await;
    let cancel = format!("/v1/messages/{id}/cancel");
    shows(&world.post(&cancel, &json!({})).await.ok(200), &json!({"status": "cancelled"}));
    world.advance(5).await;
    assert!(world.received().await.is_empty());
    shows(&world.message(&id).await, &json!({"status": "cancelled"}));
}

#[tokio::test]
async fn a_rescheduled_message_goes_at_its_new_time_only() {
    let world = World::start().await;
    let start = world.now();
    let mut ids = Vec::new();
    for (first, then) in [(3, 6), (6, 3)] {
        let later = json!({"scheduled_for": world.in_minutes(first)});
        let id = world.send(&mobile(first.unsigned_abs() as u32), "Moved", later).await;
        let at = world.in_minutes(then);
        let path = format!("/v1/messages/{id}/reschedule");
        let moved = world.post(&path, &json!({"scheduled_for": at})).await.ok(200);
        shows(&moved, &json!({"status": "pending", "scheduled_for": at}));
        ids.push((id, then));
    }
    for minute in 1..=8 {
        world.advance(1).await;
        for (id, then) in &ids {
            let expected = if minute < *then { "pending" } else { "delivered" };
            assert_eq!(world.message(id).await["status"], expected, "minute {minute}");
        }
    }
    let received = world.received().await;
    let at: Vec<_> = received.iter().map(|r| r.at.clone()).collect();
    let minutes = |n| (start + jiff::SignedDuration::from_mins(n)).to_string();
    assert_eq!(at, [minutes(3), minutes(6)]);
    let path = format!("/v1/messages/{}/reschedule", ids[0].0);
    let too_late = world.post(&path, &json!({"scheduled_for": world.in_minutes(1)})).await;
    assert_eq!(too_late.refusal(), (409, "too_late".to_owned()));
}

#[tokio::test]
async fn an_invalid_number_fails_and_retry_makes_a_new_attempt() {
    let world = World::start().await;
    let id = world.send(INVALID, "Hello?", json!({})).await;
    world.settle().await;
    let failed = world.message(&id).await;
    shows(
        &failed,
        &json!({
            "status": "failed", "failed_at": world.now().to_string(), "sent_at": null,
            "error": {"code": "21211", "reason": "invalid_address", "permanent": true},
            "attempts": [{
                "number": 1, "outcome": "refused",
                "error": {"code": "21211", "reason": "invalid_address"},
                "response": {"http_status": 400, "code": "21211", "id": null},
            }],
            "events": [{"type": "failed", "source": "response"}],
        }),
    );
    let detail = failed["error"]["detail"].as_str().expect("a detail");
    assert!(!detail.contains("5550001"), "the number is masked: {detail}");
    world.advance(5).await;
    assert_eq!(world.received().await.len(), 1, "not by itself");

    // The provider takes it now.
    world.providers(json!({"magic_numbers": false})).await;
    let retry = format!("/v1/messages/{id}/retry");
    let retried = world.post(&retry, &json!({})).await.ok(202);
    shows(&retried, &json!({"status": "pending", "error": null}));
    world.settle().await;
    shows(
        &world.message(&id).await,
        &json!({
            "status": "delivered", "error": null,
            "attempts": [
                {"number": 1, "outcome": "refused"}, {"number": 2, "outcome": "accepted"},
            ],
            "events": [
                {"type": "failed"}, {"type": "retried", "source": "api"}, {"type": "sent"},
                {"type": "delivered"},
            ],
        }),
    );
    assert_eq!(world.accepted_for(INVALID).await.len(), 1);
    assert_eq!(world.post(&retry, &json!({})).await.refusal(), (409, "too_late".to_owned()));
}

#[tokio::test]
async fn a_stored_template_is_sent_by_key_and_by_version() {
    let world = World::start().await;
    let body = |text: &str| json!({"key": "class_reminder", "channel": "sms", "body": text});
    let made = world.post("/v1/templates", &body("Hi {{ name }}, tomorrow.")).await.ok(201);
    shows(&made, &json!({"key": "class_reminder", "version": 1, "is_active": true}));
    let id = made["id"].as_str().expect("an id");
    let path = format!("/v1/templates/{id}");
    let second = world.patch(&path, &json!({"body": "Dear {{ name }}, today."})).await.ok(200);
    shows(&second, &json!({"id": id, "version": 2}));

    for (template, text, version) in [
        ("class_reminder", "Dear Ada, today.", 2),
        ("class_reminder@1", "Hi Ada, tomorrow.", 1),
        ("class_reminder@2", "Dear Ada, today.", 2),
        (id, "Dear Ada, today.", 2),
    ] {
        let request = json!({
            "channel": "sms", "to": mobile(1), "template": template, "variables": {"name": "Ada"},
        });
        let answer = world.post("/v1/messages", &request).await.ok(202);
        let pinned = format!("class_reminder@{version}");
        shows(&answer, &json!({"body": text, "template": pinned}));
        world.settle().await;
        assert_eq!(world.received().await.pop().expect("one more").body, text);
    }

    let of = |template: &str| json!({"channel": "sms", "to": mobile(1), "template": template});
    for (template, code) in [
        ("class_reminder@3", "unknown_template"),
        ("class_reminder@x", "unknown_template"),
        ("feedback", "unknown_template"),
    ] {
        let refused = world.post("/v1/messages", &of(template)).await.problem();
        assert_eq!(refused, (422, code.to_owned(), Some("template".to_owned())), "{template}");
    }
    let _ = world.patch(&path, &json!({"is_active": false})).await.ok(200);
    let refused = world.post("/v1/messages", &of("class_reminder")).await.refusal();
    assert_eq!(refused, (422, "template_inactive".to_owned()));
    let taken = world.post("/v1/templates", &body("Again")).await.refusal();
    assert_eq!(taken, (409, "template_key_taken".to_owned()));
}

#[tokio::test]
async fn what_a_scheduled_message_says_is_fixed_when_it_is_promised() {
    let world = World::start().await;
    let template = json!({"key": "notice", "channel": "sms", "body": "First"});
    let made = world.post("/v1/templates", &template).await.ok(201);
    let request = json!({
        "channel": "sms", "to": mobile(1), "template": "notice",
        "scheduled_for": world.in_minutes(2),
    });
    let _ = world.post("/v1/messages", &request).await.ok(202);
    let path = format!("/v1/templates/{}", made["id"].as_str().expect("an id"));
    let _ = world.patch(&path, &json!({"body": "Second"})).await.ok(200);
    world.advance(2).await;
    let bodies: Vec<_> = world.received().await.into_iter().map(|r| r.body).collect();
    assert_eq!(bodies, ["First"]);
}

#[tokio::test]
async fn a_missing_variable_is_refused_and_nothing_is_stored() {
    let world = World::start().await;
    for variables in [json!({}), json!({"name": null}), json!({"Name": "Ada"}), Value::Null] {
        let request = json!({
            "channel": "sms", "to": mobile(1), "body": "Hi {{ name }}", "variables": variables,
        });
        let refused = world.post("/v1/messages", &request).await.problem();
        let field = Some("variables.name".to_owned());
        assert_eq!(refused, (422, "missing_variable".to_owned(), field), "{variables}");
    }
    world.advance(1).await;
    assert!(world.list("").await.is_empty());
    assert!(world.received().await.is_empty());
}

#[tokio::test]
async fn a_message_whose_time_is_over_expires() {
    let world = World::start().await;
    let times = json!({"scheduled_for": world.in_minutes(5), "expires_at": world.in_minutes(10)});
    let id = world.send(&mobile(1), "Doors open at nine", times).await;
    // Nobody worked for a quarter of an hour.
    world.skip(15);
    world.tick().await;
    shows(
        &world.message(&id).await,
        &json!({
            "status": "failed", "error": {"code": "expired", "reason": "expired"},
            "attempts": [], "decisions": [{"decision": "expired", "reason": "expires_at"}],
        }),
    );
    assert!(world.received().await.is_empty());
}

#[tokio::test]
async fn the_provider_is_told_how_long_a_message_is_of_use() {
    let world = World::start().await;
    world.send(&mobile(1), "Soon", json!({"expires_at": world.in_minutes(10)})).await;
    world.settle().await;
    let received = world.received().await.pop().expect("it was sent");
    assert_eq!(received.request["ValidityPeriod"], "600");
}

#[tokio::test]
async fn a_message_with_no_way_out_fails_and_says_so() {
    let setup = carillon_tests::Setup { twilio: false, ..Default::default() };
    let world = World::with(setup).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    shows(
        &world.message(&id).await,
        &json!({
            "status": "failed", "error": {"code": "no_integration", "reason": "misconfigured"},
            "decisions": [{"decision": "gave_up", "reason": "misconfigured"}],
        }),
    );
    world.set_up_twilio(json!({})).await;
    let _ = world.post(&format!("/v1/messages/{id}/retry"), &json!({})).await.ok(202);
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
}

#[tokio::test]
async fn a_preview_tells_everything_and_sends_nothing() {
    let world = World::start().await;
    let prices = json!({"price_table": {"+61": {"amount": "0.0515", "currency": "USD"}}});
    world.set_up_twilio(prices).await;
    let request = json!({
        "channel": "sms", "to": mobile(1), "body": "“{{ name }}” {{ rest }}",
        "variables": {"name": "Ada", "rest": "a".repeat(80)},
    });
    let preview = world.post("/v1/messages/preview", &request).await.ok(200);
    shows(
        &preview,
        &json!({
            "to": mobile(1), "segments": 2, "encoding": "ucs2", "provider": "twilio",
            "price": {"amount": "0.103", "currency": "USD"}, "decision": "send", "reason": null,
        }),
    );
    world.person_writes(&mobile(1), "STOP").await;
    let preview = world.post("/v1/messages/preview", &request).await.ok(200);
    shows(
        &preview,
        &json!({
            "decision": "suppressed", "reason": "stop_keyword",
            "decisions": [{"decision": "suppressed", "reason": "stop_keyword"}],
        }),
    );
    let account = json!({"enabled": false, "settings": {"from": carillon_simulator::DEFAULT_FROM}});
    let _ = world.put("/v1/integrations/twilio", &account).await.ok(200);
    let preview = world.post("/v1/messages/preview", &request).await.ok(200);
    shows(
        &preview,
        &json!({
            "decision": "deferred", "reason": "integration_disabled", "provider": null,
            "decisions": [{"decision": "deferred"}, {"decision": "suppressed"}],
        }),
    );
    world.advance(2).await;
    assert!(world.received().await.is_empty());
    assert!(world.list("direction=outbound").await.is_empty());
}

#[tokio::test]
async fn a_long_text_comes_back_as_it_was_sent() {
    let world = World::start().await;
    let text = "Zwölf Boxkämpfer jagen Viktor über den Sylter Deich. ".repeat(28);
    let later = json!({"scheduled_for": world.in_minutes(1)});
    let id = world.send(&mobile(1), &text, later).await;
    world.advance(1).await;
    shows(&world.message(&id).await, &json!({"status": "delivered", "body": text}));
    assert_eq!(world.received().await.pop().expect("it was sent").body, text);
    assert_eq!(world.list("status=delivered").await[0]["body"], text);
}
