//! Several accounts for a channel: one that is down or set up wrongly hands over
//! to the next, and is left alone while most of its calls fail.

use carillon_simulator::DEFAULT_FAST2SMS_KEY;
use carillon_tests::people::{indian, mobile};
use carillon_tests::{World, shows};
use serde_json::{Value, json};

/// Twilio first, Fast2SMS for Indian numbers second.
async fn world() -> World {
    let world = World::start().await;
    world.set_up_twilio(json!({"priority": 1})).await;
    let second = json!({
        "credentials": {"api_key": DEFAULT_FAST2SMS_KEY},
        "settings": {"priority": 2, "rate_per_second": 1000},
    });
    let made = world.put("/v1/integrations/fast2sms", &second).await.ok(200);
    let address = made["callback_urls"]["status"].clone();
    world.providers(json!({"fast2sms_webhook_url": address})).await;
    world
}

fn twilio_fails(kind: &str, times: u32) -> Value {
    json!({"fail_next": [{"match": {"provider": "twilio"}, "kind": kind, "times": times}]})
}

#[tokio::test]
async fn the_next_account_sends_under_the_same_claim() {
    let world = world().await;
    world.providers(twilio_fails("http_503_json", 1)).await;
    let id = world.send(&indian(1), "Namaste", json!({})).await;
    world.settle().await;
    shows(
        &world.message(&id).await,
        &json!({
            "status": "delivered", "provider": "fast2sms",
            "attempts": [
                {"number": 1, "provider": "twilio", "outcome": "refused"},
                {"number": 2, "provider": "fast2sms", "outcome": "accepted"},
            ],
            "decisions": [{"decision": "retry", "reason": "failover"}],
        }),
    );
    assert_eq!(world.accepted_for(&indian(1)).await.len(), 1);
    assert_eq!(world.counted("failovers"), 1);
}

#[tokio::test]
async fn no_answer_is_never_handed_over() {
    let world = world().await;
    world.providers(twilio_fails("close_after_accept", 1)).await;
    let id = world.send(&indian(1), "Namaste", json!({})).await;
    world.settle().await;
    shows(&world.message(&id).await, &json!({"attempts": [{"provider": "twilio"}]}));
    world.advance(5).await;
    shows(&world.message(&id).await, &json!({"status": "delivered", "provider": "twilio"}));
    assert_eq!(world.accepted_for(&indian(1)).await.len(), 1);
}

#[tokio::test]
async fn an_account_that_was_asked_for_is_not_replaced() {
    let world = world().await;
    world.providers(twilio_fails("http_503_json", 1)).await;
    let id = world.send(&indian(1), "Namaste", json!({"integration": "twilio"})).await;
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "pending", "attempts": [{}]}));
    world.advance(3).await;
    shows(&world.message(&id).await, &json!({"status": "delivered", "provider": "twilio"}));
}

#[tokio::test]
async fn when_both_are_down_it_is_tried_again_later_with_both() {
    let world = world().await;
    world
        .providers(json!({"fail_next": [{"match": {}, "kind": "http_503_json", "times": 3}]}))
        .await;
    let id = world.send(&indian(1), "Namaste", json!({})).await;
    world.advance(5).await;
    let message = world.message(&id).await;
    shows(&message, &json!({"status": "delivered"}));
    assert_eq!(message["attempts"].as_array().map(Vec::len), Some(4), "{message}");
}

#[tokio::test]
async fn an_account_that_fails_is_left_alone_then_probed_then_used_again() {
    let world = World::start().await;
    let mut file = String::from("phone\n");
    for n in 0..60 {
        file.push_str(&format!("{}\n", mobile(n)));
    }
    world.providers(twilio_fails("http_503_json", 8)).await;
    world.import(file.as_bytes(), "Hi", &[]).await;
    world.tick().await;
    let called = world.received().await.len();
    assert!((5..=8).contains(&called), "{called} calls before it was left alone");
    let waiting = world.list("status=pending").await;
    let held = waiting.iter().filter(|m| m["decisions"][0]["reason"] == "provider_down").count();
    assert!(held > 30, "{held} wait without a try");
    world.advance(20).await;
    assert_eq!(world.list("status=delivered").await.len(), 60);
    for n in 0..60 {
        assert_eq!(world.accepted_for(&mobile(n)).await.len(), 1, "{n}");
    }
}

#[tokio::test]
async fn while_the_first_account_is_down_the_second_is_used_without_trying() {
    let world = world().await;
    world.providers(twilio_fails("http_503_json", 200)).await;
    for n in 0..30 {
        world.send(&indian(n), "Namaste", json!({})).await;
        world.settle().await;
    }
    assert_eq!(world.list("status=delivered").await.len(), 30);
    let tried = world.received().await.iter().filter(|r| !r.accepted).count();
    assert!(tried < 10, "{tried} calls of an account that is down");
}
