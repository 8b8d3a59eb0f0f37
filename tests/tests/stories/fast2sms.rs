//! Fast2SMS: Indian numbers, registered templates, reports that nobody signs.

use carillon_simulator::DEFAULT_FAST2SMS_KEY;
use carillon_tests::people::{indian, mobile};
use carillon_tests::{Answer, Setup, World, shows, with_json};
use serde_json::{Value, json};

const PATH: &str = "/v1/integrations/fast2sms";

/// A world whose only provider is Fast2SMS, and the address of its reports.
async fn world(settings: Value) -> (World, String) {
    let world = World::with(Setup { twilio: false, ..Setup::default() }).await;
    let integration =
        json!({"credentials": {"api_key": DEFAULT_FAST2SMS_KEY}, "settings": settings});
    let made = world.put(PATH, &integration).await.ok(200);
    let address = made["callback_urls"]["status"].as_str().expect("an address").to_owned();
    (world, address)
}

#[tokio::test]
async fn a_text_goes_by_the_quick_route() {
    let (world, address) = world(json!({})).await;
    world.providers(json!({"fast2sms_webhook_url": address})).await;
    let id = world.send(&indian(1), "Namaste", json!({})).await;
    let hindi = world.send(&indian(2), "नमस्ते", json!({"flash": true})).await;
    world.settle().await;
    let received = world.received().await;
    shows(
        &received[0].request,
        &json!({
            "route": "q", "message": "Namaste", "language": "english", "udf1": id, "udf2": "1",
        }),
    );
    assert_eq!(received[0].to, indian(1));
    shows(&received[1].request, &json!({"language": "unicode", "flash": "1"}));
    for (id, received) in [(&id, &received[0]), (&hindi, &received[1])] {
        shows(
            &world.message(id).await,
            &json!({
                "status": "delivered", "provider": "fast2sms",
                "provider_message_id": received.provider_message_id,
                "attempts": [{"outcome": "accepted", "response": {"http_status": 200}}],
                "events": [{"type": "sent", "source": "response"}, {
                    "type": "delivered", "source": "callback",
                }],
            }),
        );
    }
}

#[tokio::test]
async fn a_registered_template_goes_by_dlt_with_its_values() {
    let (world, address) = world(json!({"sender_id": "CARILN"})).await;
    world
        .providers(json!({
            "fast2sms_webhook_url": address,
            "fast2sms_templates": {"112233": "Dear {#var#}, class at {#var#}."},
        }))
        .await;
    let template = json!({
        "key": "class", "channel": "sms", "kind": "dlt", "body": "Dear {#var#}, class at {#var#}.",
        "dlt_template_id": "1107000000000000001", "provider_template_id": "112233",
        "variables": [{"key": "name"}, {"key": "time"}],
    });
    let _ = world.post("/v1/templates", &template).await.ok(201);
    let request = json!({
        "channel": "sms", "to": indian(1), "template": "class",
        "variables": {"name": "Asha", "time": "7 PM"},
    });
    let made = world.post("/v1/messages", &request).await.ok(202);
    shows(&made, &json!({"body": "Dear Asha, class at 7 PM.", "template": "class@1"}));
    world.settle().await;
    let received = world.received().await.pop().expect("it was sent");
    shows(
        &received.request,
        &json!({
            "route": "dlt", "sender_id": "CARILN", "message": "112233",
            "variables_values": "Asha|7 PM",
        }),
    );
    assert_eq!(received.body, "Dear Asha, class at 7 PM.");
    let id = made["id"].as_str().expect("an id");
    shows(&world.message(id).await, &json!({"status": "delivered"}));

    let missing = json!({
        "channel": "sms", "to": indian(1), "template": "class", "variables": {"name": "Asha"},
    });
    let refused = world.post("/v1/messages", &missing).await.problem();
    let field = Some("variables.time".to_owned());
    assert_eq!(refused, (422, "missing_variable".to_owned(), field));
    // By DLT only registered texts go.
    let free = world.send(&indian(1), "Free text", json!({})).await;
    world.settle().await;
    shows(
        &world.message(&free).await,
        &json!({
            "status": "failed", "attempts": [],
            "error": {"code": "template_needed", "reason": "template_mismatch"},
        }),
    );
    assert_eq!(world.received().await.len(), 1);
}

#[tokio::test]
async fn a_report_is_believed_by_the_token_in_its_address() {
    let (world, address) = world(json!({})).await;
    let id = world.send(&indian(1), "Namaste", json!({})).await;
    world.settle().await;
    let before = world.message(&id).await;
    shows(&before, &json!({"status": "sent"}));
    let request_id = &before["provider_message_id"];
    let report = json!({
        "request_id": request_id, "mobile": "9800000001", "status": "Delivered",
        "udf1": id, "udf2": "1",
    });
    let base = address.rsplit_once('/').expect("a path").0;
    let token = &address[base.len() + 1..];
    assert!(token.len() >= 20, "a token nobody guesses");
    for (forged, wrong) in (1..).zip([
        format!("{base}/{}", "0".repeat(token.len())),
        format!("{base}/{}", &token[1..]),
        format!("{base}/{token}x"),
        format!("{base}/status"),
        format!("{base}/"),
    ]) {
        let answer = Answer::to(with_json(world.http().post(&wrong), &report)).await;
        assert!([403, 404].contains(&answer.status), "{wrong}: {}", answer.status);
        world.settle().await;
        assert_eq!(world.message(&id).await, before, "{wrong}");
        if answer.status == 403 {
            assert_eq!(world.counted("forged_callbacks"), forged);
        }
    }
    let answer = Answer::to(with_json(world.http().post(&address), &report)).await;
    assert_eq!(answer.status, 200);
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
    // The token is a secret: nobody but an admin reads it, and it stays.
    let again = world.put(PATH, &json!({"settings": {}})).await.ok(200);
    assert_eq!(again["callback_urls"]["status"], address.as_str());
}

#[tokio::test]
async fn a_report_of_failure_is_shown_with_its_reason() {
    let (world, address) = world(json!({})).await;
    let number = indian(1);
    world
        .providers(json!({
            "fast2sms_webhook_url": address, "numbers": {number.as_str(): {"final": "undelivered"}},
        }))
        .await;
    let id = world.send(&number, "Namaste", json!({})).await;
    world.settle().await;
    let message = world.message(&id).await;
    shows(
        &message,
        &json!({"status": "failed", "events": [{}, {"type": "failed", "source": "callback"}]}),
    );
    assert!(message["error"]["detail"].as_str().is_some_and(|d| d.contains("Absent")), "{message}");
}

#[tokio::test]
async fn refusals_come_with_200_and_other_codes_too() {
    for (code, reason, permanent) in [
        (411, "invalid_address", true),
        (416, "insufficient_balance", false),
        (424, "template_mismatch", true),
        (407, "content_rejected", true),
        (412, "misconfigured", true),
    ] {
        let (world, _) = world(json!({})).await;
        world.providers(json!({"fail_next": [{"kind": "code", "code": code}]})).await;
        let id = world.send(&indian(1), "Namaste", json!({})).await;
        world.settle().await;
        let error = json!({"code": code.to_string(), "reason": reason, "permanent": permanent});
        let message = world.message(&id).await;
        shows(&message["attempts"], &json!([{"outcome": "refused", "error": error}]));
        assert_eq!(message["status"], if permanent { "failed" } else { "pending" });
    }
}

/// There is no list to look a message up in.
#[tokio::test]
async fn an_unknown_message_is_held_unless_its_report_comes() {
    let (world, address) = world(json!({})).await;
    world.providers(json!({"fail_next": [{"kind": "close_after_accept"}]})).await;
    let lost = world.send(&indian(1), "Namaste", json!({})).await;
    world.advance(5).await;
    shows(
        &world.message(&lost).await,
        &json!({
            "status": "unknown",
            "decisions": [{"decision": "hold", "detail": "this provider keeps no list that can be asked"}],
        }),
    );
    world
        .providers(json!({
            "fast2sms_webhook_url": address, "fail_next": [{"kind": "close_after_accept"}],
        }))
        .await;
    let told = world.send(&indian(2), "Namaste", json!({})).await;
    world.advance(5).await;
    shows(&world.message(&told).await, &json!({"status": "delivered"}));
    assert_eq!(world.received().await.len(), 2, "each once");
}

#[tokio::test]
async fn only_indian_mobiles_go_by_fast2sms() {
    let (world, _) = world(json!({})).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    shows(
        &world.message(&id).await,
        &json!({"status": "failed", "error": {"code": "no_integration"}}),
    );
    // With both, each number goes by who serves it; and one can be asked for.
    world.set_up_twilio(json!({"priority": 20})).await;
    for (number, more, provider) in [
        (mobile(1), json!({}), "twilio"),
        (indian(1), json!({}), "fast2sms"),
        (indian(2), json!({"integration": "twilio"}), "twilio"),
    ] {
        let id = world.send(&number, "Hi", more).await;
        world.settle().await;
        shows(&world.message(&id).await, &json!({"provider": provider}));
    }
}

#[tokio::test]
async fn the_wallet_is_the_balance() {
    let (world, _) = world(json!({})).await;
    let path = format!("{PATH}/test");
    shows(
        &world.post(&path, &json!({})).await.ok(200),
        &json!({"ok": true, "balance": {"amount": "500.50", "currency": "INR"}}),
    );
    world.providers(json!({"fast2sms_keys": ["another"]})).await;
    shows(
        &world.post(&path, &json!({})).await.ok(200),
        &json!({"ok": false, "error": {"code": "412", "reason": "misconfigured"}}),
    );
}
