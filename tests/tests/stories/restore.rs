//! A backup of the table is put back. The original has gone on since; the rows of
//! the copy know nothing of it.

use std::collections::BTreeSet;

use carillon_tests::people::mobile;
use carillon_tests::{World, shows};
use jiff::SignedDuration;
use serde_json::{Value, json};

const COPY: &str = "carillon-restored";
/// People of the campaign: three pages, five packs.
const PEOPLE: u32 = 12;

fn file() -> String {
    (0..PEOPLE).fold("phone\n".to_owned(), |file, n| format!("{file}{}\n", mobile(n)))
}

/// How many each person of the campaign, and no one else, was sent.
async fn copies(world: &World) -> Vec<usize> {
    let received = world.received().await;
    (0..PEOPLE)
        .map(|n| received.iter().filter(|r| r.accepted && r.to == mobile(n)).count())
        .collect()
}

async fn resume(world: &World) -> Value {
    world.post("/v1/installation/resume", &json!({"confirm": COPY})).await.ok(200)
}

async fn limit(world: &World, per_hour: Option<u32>) {
    let store = &world.stack.ctx.store;
    let mut settings = store.settings(world.stack.org).await.expect("settings");
    settings.max_per_hour = per_hour;
    store.put_settings(world.stack.org, &settings).await.expect("stored");
}

/// The original sends to seven of twelve after the backup, then it ends and the
/// copy takes its place. Answers the campaign.
async fn restored(world: &mut World, planned: bool) -> String {
    let later = [("scheduled_for", world.in_minutes(10))];
    let more: Vec<(&str, &str)> = later.iter().map(|(name, at)| (*name, at.as_str())).collect();
    let import = world.import(file().as_bytes(), "Class begins at 7", &more).await;
    if planned {
        world.advance(1).await;
    }
    world.copy_table(COPY).await;
    limit(world, Some(7)).await;
    world.advance(20).await;
    assert_eq!(copies(world).await.iter().sum::<usize>(), 7);
    world.move_to(COPY).await;
    limit(world, None).await;
    import
}

#[tokio::test]
async fn a_restored_table_sends_nothing_until_somebody_says_so_and_then_nothing_twice() {
    let mut world = World::start().await;
    assert_eq!(world.installation().await["restored"], false);
    let waits = json!({"scheduled_for": world.in_minutes(240)});
    let much_later = world.send(&mobile(50), "Much later", waits).await;
    let import = restored(&mut world, true).await;

    // Nothing goes, neither what was planned nor what is asked for now.
    let fresh = world.send(&mobile(60), "Asked for after the restore", json!({})).await;
    world.advance(5).await;
    assert_eq!(world.received().await.len(), 7);
    assert!(world.counted("restored_table_not_dispatched") >= 5);
    let installation = world.installation().await;
    shows(
        &installation,
        &json!({"table": COPY, "restored": true, "restored_from": "carillon", "last_release": null}),
    );
    assert!(installation["detail"].as_str().is_some_and(|why| why.contains("backup")));
    shows(&world.message(&fresh).await, &json!({"status": "queued", "attempts": []}));

    let shown = resume(&world).await;
    shows(&shown, &json!({"restored": false, "detail": null, "last_release": {}}));
    world.advance(2).await;
    // What came after the restore cannot have been sent by the original.
    shows(&world.message(&fresh).await, &json!({"status": "delivered", "decisions": []}));
    let listed = world.list(&format!("import_id={import}")).await;
    assert_eq!(listed.len(), 12);
    for message in &listed {
        shows(message, &json!({"decisions": [{"decision": "hold", "reason": "restored"}]}));
    }

    world.advance(15).await;
    assert_eq!(copies(&world).await, vec![1; 12], "each once");
    let mut never = 0;
    for message in world.list(&format!("import_id={import}")).await {
        let attempts = message["attempts"].as_array().map_or(0, Vec::len);
        if attempts == 2 {
            never += 1;
            shows(
                &message,
                &json!({"attempts": [{"outcome": "not_sent"}, {"outcome": "accepted"}]}),
            );
        } else {
            shows(&message, &json!({"attempts": [{"outcome": "accepted"}]}));
        }
        assert!(message["provider_message_id"].is_string(), "{message:#}");
    }
    assert_eq!(never, 5);

    world.advance(230).await;
    shows(&world.message(&much_later).await, &json!({"status": "delivered", "attempts": [{}]}));
    assert_eq!(world.received().await.len(), 14);
}

/// The copy has the file and none of its messages; the original planned and sent.
#[tokio::test]
async fn a_file_that_only_the_original_planned_is_not_sent_twice() {
    let mut world = World::start().await;
    let import = restored(&mut world, false).await;
    world.advance(2).await;
    shows(&world.import_of(&import).await, &json!({"status": "running", "accepted": 0}));
    resume(&world).await;
    world.advance(20).await;
    shows(&world.import_of(&import).await, &json!({"status": "completed", "accepted": 12}));
    assert_eq!(copies(&world).await, vec![1; 12], "each once");
}

#[tokio::test]
async fn without_look_up_what_may_have_been_sent_is_held_and_shown() {
    let mut world = World::start().await;
    world.set_up_twilio(json!({"look_up": false})).await;
    let import = restored(&mut world, true).await;
    world.advance(1).await;
    resume(&world).await;
    world.advance(90).await;
    assert_eq!(copies(&world).await.iter().sum::<usize>(), 7);
    for message in world.list(&format!("import_id={import}")).await {
        shows(
            &message,
            &json!({
                "status": "unknown",
                "decisions": [{"reason": "restored"}, {"decision": "hold", "reason": "unknown_policy"}],
            }),
        );
    }
}

/// The provider calls the address that the original gave it.
#[tokio::test]
async fn a_receipt_for_what_the_original_sent_is_believed_while_the_copy_waits() {
    let mut world = World::start().await;
    world.set_up_twilio(json!({"look_up": false})).await;
    let waits = json!({"scheduled_for": world.in_minutes(10)});
    let id = world.send(&mobile(1), "Class begins at 7", waits).await;
    world.copy_table(COPY).await;
    // The original sends it, and is gone when its receipt comes.
    world.stack.ctx.clock.advance(SignedDuration::from_mins(10));
    let _ = world.stack.tick().await;
    let _ = world.stack.settle().await.expect("it is quiet");
    assert_eq!(world.received().await.len(), 1);
    world.move_to(COPY).await;
    world.settle().await;
    shows(
        &world.message(&id).await,
        &json!({"status": "delivered", "attempts": [{"outcome": "accepted"}]}),
    );
    resume(&world).await;
    world.advance(30).await;
    assert_eq!(world.received().await.len(), 1);
}

#[tokio::test]
async fn only_who_runs_the_installation_resumes_it_and_only_with_its_name() {
    let mut world = World::start().await;
    let resume = "/v1/installation/resume";
    let body = json!({"confirm": "carillon"});
    let refused = world.post(resume, &body).await.refusal();
    assert_eq!(refused, (409, "not_restored".to_owned()));
    world.copy_table(COPY).await;
    world.move_to(COPY).await;
    let wrong = world.post(resume, &body).await.problem();
    assert_eq!(wrong, (422, "wrong_table".to_owned(), Some("confirm".to_owned())));
    let _ = world.post(resume, &json!({"confirm": COPY})).await.ok(200);
    // A later start is an ordinary one.
    world.move_to(COPY).await;
    shows(&world.installation().await, &json!({"restored": false}));
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
}

/// A copy of a copy is one again; and the same name does not help.
#[tokio::test]
async fn a_table_put_back_under_its_own_name_is_known_as_restored() {
    let mut world = World::start().await;
    let id = world.send(&mobile(1), "Hi", json!({"scheduled_for": world.in_minutes(5)})).await;
    world.copy_table(COPY).await;
    world.advance(6).await;
    let client = world.stack.engines.dynamodb();
    let name = world.stack.ctx.store.table_name().to_owned();
    world.move_to(COPY).await;
    client.delete_table().table_name(&name).send().await.expect("deleted");
    world.copy_table(&name).await;
    world.move_to(&name).await;
    shows(
        &world.installation().await,
        &json!({"table": name, "restored": true, "restored_from": name}),
    );
    assert!(world.stack.tick().await.restored);
    let _ = world.post("/v1/installation/resume", &json!({"confirm": name})).await.ok(200);
    world.skip(1);
    assert!(!world.stack.tick().await.restored);
    let _ = world.stack.settle().await;
    shows(&world.message(&id).await, &json!({"status": "unknown"}));
    let received: BTreeSet<_> = world.received().await.into_iter().map(|r| r.to).collect();
    assert_eq!(received, BTreeSet::from([mobile(1)]));
}

/// Moved to a later time, it would look as if it had not been due before the release.
#[tokio::test]
async fn what_may_have_been_sent_cannot_be_moved_past_the_release() {
    let mut world = World::start().await;
    let waits = json!({"scheduled_for": world.in_minutes(5)});
    let sent = world.send(&mobile(1), "Sent by the original", waits).await;
    let waits = json!({"scheduled_for": world.in_minutes(240)});
    let ahead = world.send(&mobile(2), "Much later", waits).await;
    world.copy_table(COPY).await;
    world.advance(10).await;
    assert_eq!(world.accepted_for(&mobile(1)).await.len(), 1);
    world.move_to(COPY).await;
    let later = json!({"scheduled_for": world.in_minutes(120)});
    let moved = async |world: &World, id: &str| {
        world.post(&format!("/v1/messages/{id}/reschedule"), &later).await
    };
    let refused = (409, "may_have_been_sent".to_owned());
    for id in [&sent, &ahead] {
        assert_eq!(moved(&world, id).await.refusal(), refused, "before anybody looked");
    }
    world.advance(1).await;
    let fresh = json!({"scheduled_for": world.in_minutes(60)});
    let fresh = world.send(&mobile(3), "Asked for after the restore", fresh).await;
    for id in [&sent, &ahead] {
        assert_eq!(moved(&world, id).await.refusal(), refused, "while it is held");
    }
    let _ = moved(&world, &fresh).await.ok(200);
    resume(&world).await;
    assert_eq!(moved(&world, &sent).await.refusal(), refused, "before it is presumed sent");
    let _ = moved(&world, &ahead).await.ok(200);
    world.advance(130).await;
    for n in 1..=3 {
        assert_eq!(world.accepted_for(&mobile(n)).await.len(), 1, "{n}");
    }
}
