//! A message that is late is of no use: it ends, by its sender's time or by one
//! that fits its kind.

use carillon_tests::people::mobile;
use carillon_tests::{World, shows};
use serde_json::{Value, json};

const HOUR: i64 = 60;

async fn expires(world: &World, id: &str) -> Value {
    world.message(id).await["expires_at"].clone()
}

#[tokio::test]
async fn a_single_message_ends_in_a_day_or_three_unless_its_sender_says_when() {
    let world = World::start().await;
    let booking = json!({"type": "booking", "id": "bkg_1"});
    for (more, hours) in [
        (json!({}), 72),
        (json!({"related": booking}), 24),
        (json!({"scheduled_for": world.in_minutes(5 * HOUR)}), 29),
        (json!({"scheduled_for": world.in_minutes(5 * HOUR), "related": booking}), 29),
        (json!({"expires_at": world.in_minutes(HOUR)}), 1),
    ] {
        let id = world.send(&mobile(1), "Hi", more.clone()).await;
        assert_eq!(expires(&world, &id).await, world.in_minutes(hours * HOUR), "{more}");
    }
}

#[tokio::test]
async fn an_expiry_that_nobody_chose_moves_with_the_time_and_a_chosen_one_stays() {
    let world = World::start().await;
    let at = world.in_minutes(5 * HOUR);
    let free = world.send(&mobile(1), "Hi", json!({"scheduled_for": at})).await;
    let chosen = json!({"scheduled_for": at, "expires_at": world.in_minutes(6 * HOUR)});
    let chosen = world.send(&mobile(2), "Hi", chosen).await;
    let later = json!({"scheduled_for": world.in_minutes(100 * HOUR)});
    let move_ = async |id: &str| world.post(&format!("/v1/messages/{id}/reschedule"), &later).await;
    let _ = move_(&free).await.ok(200);
    assert_eq!(expires(&world, &free).await, world.in_minutes(124 * HOUR));
    assert_eq!(move_(&chosen).await.refusal().1, "expires_before_due");
    assert_eq!(expires(&world, &chosen).await, world.in_minutes(6 * HOUR));
}

#[tokio::test]
async fn nothing_dispatched_for_days_fails_instead_of_arriving_late_and_a_retry_has_a_new_end() {
    let world = World::start().await;
    let at = json!({"scheduled_for": world.in_minutes(HOUR)});
    let id = world.send(&mobile(1), "See you tomorrow", at).await;
    world.skip(30 * HOUR);
    world.tick().await;
    shows(
        &world.message(&id).await,
        &json!({"status": "failed", "attempts": [], "error": {"reason": "expired"}}),
    );
    assert!(world.received().await.is_empty());
    let retried = world.post(&format!("/v1/messages/{id}/retry"), &json!({})).await.ok(202);
    shows(&retried, &json!({"expires_at": world.in_minutes(72 * HOUR)}));
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
}

#[tokio::test]
async fn a_file_ends_when_its_sender_says_so_and_not_by_itself() {
    let world = World::start().await;
    let (at, end) = (world.in_minutes(HOUR), world.in_minutes(2 * HOUR));
    let file = |n| format!("phone\n{}\n", mobile(n));
    let times = [("scheduled_for", at.as_str()), ("expires_at", end.as_str())];
    let ends = world.import(file(1).as_bytes(), "Hi", &times).await;
    let stays = world.import(file(2).as_bytes(), "Hi", &times[..1]).await;
    world.tick().await;
    shows(&world.import_of(&ends).await, &json!({"expires_at": end}));
    shows(&world.import_of(&stays).await, &json!({"expires_at": null}));
    world.skip(100 * HOUR);
    world.advance(1).await;
    shows(&world.list("status=failed").await[0], &json!({"to": mobile(1), "expires_at": end}));
    shows(&world.list("status=delivered").await[0], &json!({"to": mobile(2)}));

    let early = [("scheduled_for", world.in_minutes(HOUR)), ("expires_at", world.in_minutes(5))];
    let fields = [("channel", "sms"), ("body", "Hi")];
    let early = early.each_ref().map(|(name, at)| (*name, at.as_str()));
    let refused = world.upload(file(3).as_bytes(), &[fields, early].concat()).await.problem();
    assert_eq!(refused, (422, "expires_before_due".to_owned(), Some("expires_at".to_owned())));
}

#[tokio::test]
async fn who_overrides_quiet_hours_is_remembered_on_the_message() {
    let world = World::start().await;
    let id = world.send(&mobile(1), "Hi", json!({"override_quiet_hours": true})).await;
    shows(&world.message(&id).await, &json!({"override_quiet_hours": true}));
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "delivered", "override_quiet_hours": true}));
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    shows(&world.message(&id).await, &json!({"override_quiet_hours": false}));
}
