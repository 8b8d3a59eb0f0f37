//! What somebody reads who answers the telephone: why a message was sent, was
//! not, or waits.

use carillon_tests::people::{INVALID, mobile};
use carillon_tests::{Setup, World};
use serde_json::json;

async fn told(world: &World, id: &str) -> String {
    world.message(id).await["explanation"].as_str().expect("sentences").to_owned()
}

/// Each is in the explanation.
async fn tells(world: &World, id: &str, expected: &[&str]) {
    let told = told(world, id).await;
    for words in expected {
        assert!(told.contains(words), "“{words}” is not in: {told}");
    }
    assert!(!told.contains("+61"), "no number in it: {told}");
}

#[tokio::test]
async fn a_message_tells_its_story_from_its_time_to_its_receipt() {
    let world = World::start().await;
    let settings = json!({"time_zone": "Asia/Kolkata"});
    let _ = world.patch("/v1/settings", &settings).await.ok(200);
    let at = json!({"scheduled_for": world.in_minutes(10)});
    let id = world.send(&mobile(1), "Hi", at).await;
    // Australian mobiles are used in several zones: the organization's is told.
    tells(&world, &id, &["It waits for its time, 21 Nov 2026, 14:40 Asia/Kolkata."]).await;
    tells(&world, &id, &["It fails if it cannot be sent before 22 Nov 2026, 14:40"]).await;
    world.advance(10).await;
    tells(&world, &id, &["It was delivered on 21 Nov 2026, 14:40 Asia/Kolkata."]).await;
    let landline = "+14155550123";
    let at = json!({"scheduled_for": world.in_minutes(10)});
    let id = world.send(landline, "Hi", at).await;
    tells(&world, &id, &["It waits for its time, 21 Nov 2026, 01:20 America/Los_Angeles."]).await;
}

#[tokio::test]
async fn a_retry_an_unknown_and_a_failure_are_explained() {
    let world = World::start().await;
    world.providers(json!({"fail_next": [{"kind": "http_503_json", "times": 1}]})).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    tells(&world, &id, &["twilio did not take it (attempt 1: ", "it is tried again at 21 Nov"])
        .await;

    world.providers(json!({"fail_next": [{"kind": "close_before", "times": 1}]})).await;
    let id = world.send(&mobile(2), "Hi", json!({})).await;
    world.settle().await;
    tells(
        &world,
        &id,
        &[
            "twilio did not answer attempt 1 on 21 Nov 2026, 09:00 UTC",
            "This is looked into again at 21 Nov 2026, 09:01",
            "it is held for a person",
        ],
    )
    .await;

    let id = world.send(INVALID, "Hi", json!({})).await;
    world.settle().await;
    let why = ["the number cannot be written to (twilio 21211: ", "Check the number"];
    tells(&world, &id, &why).await;
    let id = world.send(&mobile(3), "Hi", json!({"scheduled_for": world.in_minutes(5)})).await;
    let _ = world.post(&format!("/v1/messages/{id}/cancel"), &json!({})).await.ok(200);
    tells(&world, &id, &["It was cancelled by key_"]).await;
}

#[tokio::test]
async fn an_opt_out_and_a_missing_consent_are_explained() {
    let world = World::start().await;
    world.person_writes(&mobile(1), "STOP").await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    let settings = json!({
        "quiet_hours": null, "max_per_contact_per_day": null, "max_per_hour": null,
        "consent_required": ["promotional"],
    });
    world.settle().await;
    let why = ["It was not sent on", "the person wrote “STOP” on 2026-11-21", "by writing START"];
    tells(&world, &id, &why).await;

    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let id = world.send(&mobile(1), "Offer", json!({"purpose": "promotional"})).await;
    world.settle().await;
    let why = ["promotional messages need a consent, and none is recorded", "/v1/consents"];
    tells(&world, &id, &why).await;
}

#[tokio::test]
async fn limits_and_switches_are_explained() {
    let limits = |settings: serde_json::Value| {
        let mut all =
            json!({"quiet_hours": null, "max_per_contact_per_day": null, "max_per_hour": null});
        for (name, value) in settings.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        Setup { settings: all, ..Setup::default() }
    };
    for (settings, why) in [
        (json!({"max_per_contact_per_day": 1}), "as many messages as one may have in a day"),
        (json!({"max_per_hour": 1}), "as many messages as it may in an hour"),
        (json!({"max_per_day": 1}), "as many messages as it may in a day"),
        (json!({"sending_enabled": false}), "sending is switched off"),
    ] {
        let world = World::with(limits(settings)).await;
        world.send(&mobile(1), "First", json!({})).await;
        world.settle().await;
        let id = world.send(&mobile(1), "Second", json!({})).await;
        world.settle().await;
        tells(&world, &id, &["It waits until ", "because ", why]).await;
    }
}
