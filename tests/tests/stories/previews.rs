//! What the preview says is what the sender then does: asked first, sent next, and compared.

use carillon_tests::people::mobile;
use carillon_tests::{Setup, World, shows};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

async fn world(start: &str, settings: Value) -> World {
    let mut all = json!({
        "quiet_hours": null, "max_per_contact_per_day": null, "max_per_hour": null,
        "time_zone": "Australia/Sydney",
    });
    for (name, value) in settings.as_object().into_iter().flatten() {
        all[name] = value.clone();
    }
    let start = Some(start.parse().expect("a time"));
    let world = World::with(Setup { start, settings: all, ..Setup::default() }).await;
    let prices = json!({"price_table": {"+61": {"amount": "0.0515", "currency": "USD"}}});
    world.set_up_twilio(prices).await;
    world
}

async fn preview(world: &World, to: &str, more: &Value) -> Value {
    let mut body = json!({"channel": "sms", "to": to, "body": "Hi"});
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    world.post("/v1/messages/preview", &body).await.ok(200)
}

fn time(value: &Value) -> Timestamp {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no time: {value}"))
}

/// Asks, sends, and holds the two against each other: deferred for `reason`, with the same words,
/// until the time that was told or, spread, a little later.
async fn agrees(world: &World, to: &str, more: Value, reason: &str) {
    let told = preview(world, to, &more).await;
    let deferred = json!({"decision": "deferred", "reason": reason});
    shows(&told, &json!({"decision": "deferred", "reason": reason, "decisions": [deferred]}));
    let id = world.send(to, "Hi", more).await;
    world.settle().await;
    let message = world.message(&id).await;
    shows(&message, &json!({"status": "pending", "decisions": [deferred]}));
    let (told, done) = (&told["decisions"][0], &message["decisions"][0]);
    assert_eq!(told["detail"], done["detail"], "{reason}");
    let (told, done) = (time(&told["until"]), time(&done["until"]));
    let spread = told..=told + SignedDuration::from_mins(15);
    assert!(spread.contains(&done), "{reason}: told {told}, waits until {done}");
}

#[tokio::test]
async fn the_preview_tells_quiet_and_promotional_hours_as_the_sender_keeps_them() {
    // 23:00 in Sydney.
    let night = "2026-11-21T12:00:00Z";
    let quiet = json!({"start": "21:00", "end": "08:00", "channels": ["sms"]});
    let world_ = world(night, json!({"quiet_hours": quiet})).await;
    agrees(&world_, &mobile(1), json!({}), "quiet_hours").await;
    let noon = json!({"scheduled_for": "2026-11-22T02:00:00Z"});
    shows(&preview(&world_, &mobile(1), &noon).await, &json!({"decision": "send", "until": null}));
    // Till eight in Perth: an Australian mobile may be anywhere.
    let midnight = json!({"scheduled_for": "2026-11-22T13:00:00Z"});
    let told = preview(&world_, &mobile(1), &midnight).await;
    shows(&told, &json!({"decision": "deferred", "until": "2026-11-23T00:00:00Z"}));

    // None of the organization's own: those of the country hold all the same.
    let none = json!({"start": "21:00", "end": "08:00", "channels": []});
    // 22:30 in New York.
    let night = "2026-11-21T03:30:00Z";
    let world_ = world(night, json!({"consent_required": [], "quiet_hours": none})).await;
    agrees(&world_, "+12125550123", json!({"purpose": "promotional"}), "promotional_hours").await;
}

#[tokio::test]
async fn the_preview_tells_caps_and_spend_as_the_sender_keeps_them() {
    let day = "2026-11-21T01:00:00Z";
    for (setting, reason) in [
        (json!({"max_per_hour": 1}), "max_per_hour"),
        (json!({"max_per_day": 1}), "max_per_day"),
        (
            json!({"spend_limit_per_day": {"amount": "0.06", "currency": "USD"}}),
            "spend_limit_per_day",
        ),
        (json!({"max_per_contact_per_day": 1}), "contact_cap"),
    ] {
        let world = world(day, setting).await;
        shows(&preview(&world, &mobile(1), &json!({})).await, &json!({"decision": "send"}));
        world.send(&mobile(1), "Hi", json!({})).await;
        world.settle().await;
        agrees(&world, &mobile(1), json!({}), reason).await;
        assert_eq!(world.received().await.len(), 1, "{reason}");
    }
}

#[tokio::test]
async fn the_preview_tells_all_that_stands_against_a_message_the_first_first() {
    let world = world("2026-11-21T12:00:00Z", json!({"sending_enabled": false, "max_per_hour": 0}));
    let world = world.await;
    world.person_writes(&mobile(1), "STOP").await;
    let told = preview(&world, &mobile(1), &json!({})).await;
    let reasons: Vec<_> =
        told["decisions"].as_array().into_iter().flatten().map(|d| d["reason"].clone()).collect();
    assert_eq!(json!(reasons), json!(["sending_disabled", "max_per_hour", "stop_keyword"]));
    assert!(world.received().await.is_empty());
}

#[tokio::test]
async fn the_preview_tells_that_a_message_would_expire_while_it_waits() {
    let limit = json!({"spend_limit_per_month": {"amount": "0.06", "currency": "USD"}});
    let world = world("2026-11-21T01:00:00Z", limit).await;
    world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    let told = preview(&world, &mobile(2), &json!({})).await;
    let id = world.send(&mobile(2), "Hi", json!({})).await;
    world.settle().await;
    let reason = "spend_limit_per_month";
    let both = json!([
        {"decision": "deferred", "reason": reason}, {"decision": "expired", "reason": reason},
    ]);
    shows(&told, &json!({"decision": "failed", "reason": reason, "decisions": both}));
    let message = world.message(&id).await;
    shows(&message, &json!({"status": "failed", "decisions": both}));
    assert_eq!(told["decisions"][1]["detail"], message["decisions"][1]["detail"]);
}
