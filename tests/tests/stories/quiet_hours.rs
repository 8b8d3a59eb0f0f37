//! Never at midnight: what a person is sent waits for their own morning, on the
//! days when clocks change too.

use carillon_tests::people::mobile;
use carillon_tests::{Setup, World, shows};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A satellite telephone has no country: the organization's zone counts.
const ANYWHERE: &str = "+881612345678";

async fn world(start: &'static str, settings: Value) -> World {
    let mut all = json!({
        "max_per_contact_per_day": null, "max_per_hour": null, "time_zone": "Australia/Sydney",
    });
    for (name, value) in settings.as_object().into_iter().flatten() {
        all[name] = value.clone();
    }
    let start = Some(time(start));
    World::with(Setup { start, settings: all, ..Setup::default() }).await
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// Moves to a moment, and works there.
async fn go_to(world: &World, at: Timestamp) {
    world.stack.ctx.clock.advance(at.duration_since(world.now()));
    world.tick().await;
}

/// The default window, 21:00 to 08:00, on both days of the year when clocks
/// change, in zones that change differently or not at all.
#[tokio::test]
async fn a_message_of_the_evening_goes_the_next_morning_in_each_zone() {
    for (name, to, sent, opens) in [
        ("Sydney, back", ANYWHERE, "2026-04-04T13:00:00Z", "2026-04-04T22:00:00Z"),
        ("Sydney, forward", ANYWHERE, "2026-10-03T13:00:00Z", "2026-10-03T21:00:00Z"),
        ("New York, forward", "+12125550123", "2026-03-08T03:30:00Z", "2026-03-08T12:00:00Z"),
        ("New York, back", "+12125550123", "2026-11-01T03:30:00Z", "2026-11-01T13:00:00Z"),
        ("London, forward", "+447400123456", "2026-03-28T23:00:00Z", "2026-03-29T07:00:00Z"),
        ("London, back", "+447400123456", "2026-10-24T23:00:00Z", "2026-10-25T08:00:00Z"),
        ("Kolkata, never", "+919812345678", "2026-03-28T16:00:00Z", "2026-03-29T02:30:00Z"),
    ] {
        let world = world(sent, json!({})).await;
        let id = world.send(to, "Hi", json!({})).await;
        world.settle().await;
        let message = world.message(&id).await;
        let deferred = json!({"decision": "deferred", "reason": "quiet_hours"});
        shows(&message, &json!({"status": "pending", "decisions": [deferred]}));
        let until = time(message["decisions"][0]["until"].as_str().expect("a time"));
        let opens = time(opens);
        let spread = opens..opens + SignedDuration::from_mins(15);
        assert!(spread.contains(&until), "{name}: {until}, opens at {opens}");
        go_to(&world, opens - SignedDuration::from_secs(61)).await;
        assert!(world.received().await.is_empty(), "{name}: it is quiet still");
        go_to(&world, opens).await;
        world.advance(17).await;
        shows(&world.message(&id).await, &json!({"status": "delivered"}));
    }
}

/// Half an hour of change; nobody's number says that they live there, so the
/// organization does.
#[tokio::test]
async fn lord_howe_changes_by_half_an_hour() {
    for (sent, opens) in [
        ("2026-04-04T13:00:00Z", "2026-04-04T21:30:00Z"),
        ("2026-10-03T13:00:00Z", "2026-10-03T21:00:00Z"),
    ] {
        let world = world(sent, json!({"time_zone": "Australia/Lord_Howe"})).await;
        let id = world.send(ANYWHERE, "Hi", json!({})).await;
        world.settle().await;
        let message = world.message(&id).await;
        let until = time(message["decisions"][0]["until"].as_str().expect("a time"));
        let opens = time(opens);
        assert!((opens..opens + SignedDuration::from_mins(15)).contains(&until), "{message}");
    }
}

#[tokio::test]
async fn whose_zone_nobody_knows_is_not_sent_until_somebody_does() {
    let world = world("2026-11-21T09:00:00Z", json!({"time_zone": "UTC"})).await;
    let id = world.send(ANYWHERE, "Hi", json!({})).await;
    world.advance(5).await;
    shows(
        &world.message(&id).await,
        &json!({"status": "pending", "decisions": [{"reason": "unknown_time_zone"}]}),
    );
    let zone = json!({"time_zone": "Australia/Perth"});
    let _ = world.patch("/v1/settings", &zone).await.ok(200);
    world.advance(58).await; // It is looked at once an hour.
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
}

#[tokio::test]
async fn a_window_may_be_of_the_day_and_of_one_channel() {
    let siesta = json!({"start": "13:00", "end": "15:00", "channels": ["sms"]});
    let world = world("2026-11-21T02:30:00Z", json!({"quiet_hours": siesta})).await;
    // 13:30 in Sydney.
    let id = world.send(ANYWHERE, "Hi", json!({})).await;
    world.settle().await;
    let message = world.message(&id).await;
    shows(&message, &json!({"status": "pending"}));
    world.advance(106).await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));

    let voice = json!({"start": "13:00", "end": "15:00", "channels": ["voice"]});
    let _ = world.patch("/v1/settings", &json!({"quiet_hours": voice})).await.ok(200);
    world.skip(22 * 60);
    let id = world.send(ANYWHERE, "Hi", json!({})).await;
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
}

#[tokio::test]
async fn what_must_go_at_night_says_so_and_promotion_cannot() {
    // 23:00 in Sydney.
    let world = world("2026-11-21T12:00:00Z", json!({})).await;
    let urgent = json!({"override_quiet_hours": true});
    let id = world.send(ANYWHERE, "Your code is 1234", urgent).await;
    let promotional = json!({"override_quiet_hours": true, "purpose": "promotional"});
    let held = world.send(&mobile(7), "Half price!", promotional).await;
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
    shows(&world.message(&held).await, &json!({"status": "pending"}));
}

#[tokio::test]
async fn a_file_of_the_night_goes_in_the_morning_spread_and_once() {
    // 23:00 in Sydney; opens at 21:00Z.
    let world = world("2026-11-21T12:00:00Z", json!({})).await;
    let lines: String = (0..40).map(|n| format!("+8816123450{n:02}\n")).collect();
    world.import(format!("phone\n{lines}").as_bytes(), "Hi", &[]).await;
    world.tick().await;
    assert!(world.received().await.is_empty());
    let mut minutes = std::collections::BTreeSet::new();
    for message in world.list("status=pending").await {
        let until = message["decisions"][0]["until"].as_str().expect("a time").to_owned();
        minutes.insert(until.get(..16).map(str::to_owned));
    }
    assert!(minutes.len() > 5, "spread over minutes: {minutes:?}");
    go_to(&world, time("2026-11-21T20:59:00Z")).await;
    world.advance(18).await;
    assert_eq!(world.list("status=delivered").await.len(), 40);
    assert_eq!(world.received().await.len(), 40);
}

/// The provider's own queue must not deliver at night what we sent in the evening.
#[tokio::test]
async fn a_provider_is_told_to_stop_when_quiet_hours_begin() {
    // 20:50 in Sydney.
    let world = world("2026-11-21T09:50:00Z", json!({})).await;
    world.send(ANYWHERE, "Hi", json!({})).await;
    world.settle().await;
    let received = world.received().await;
    shows(&received[0].request, &json!({"ValidityPeriod": "600"}));
}
