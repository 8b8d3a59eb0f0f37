//! A release is replaced in the middle of its work. What the one before left
//! behind is in `fixtures/previous-release.json`: its rows and queue bodies, as
//! its own code wrote them. This release finishes them.
//!
//! Before a release, its own are written for the next one:
//! `cargo test -p carillon-tests --test stories -- --ignored write_what_this_release_leaves_behind`.
//! The real processes, both ways, are in `tests/tests/rolling`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use carillon_local::engines::{Operation, Verdict};
use carillon_local::poller::Mapping;
use carillon_tests::left_behind::LeftBehind;
use carillon_tests::people::mobile;
use carillon_tests::{Setup, World, shows};
use jiff::SignedDuration;
use serde_json::{Value, json};

const PREVIOUS: &str = include_str!("fixtures/previous-release.json");
/// Long enough for a step to come to where it is cut off.
const CUT_OFF: Duration = Duration::from_millis(700);

/// Numbers by what became of them when the release was replaced.
const WAITS: u32 = 100;
const RETRIES: u32 = 101;
const NEVER_SENT: u32 = 102;
const SENT_UNHEARD: u32 = 103;
const DONE: u32 = 104;
const STOPPED: u32 = 105;
const TOLD: u32 = 106;
const CUT_OFF_CALL: u32 = 107;
const ON_THE_QUEUE: u32 = 108;
const STOPS_MEANWHILE: u32 = 109;
/// A file whose packs are on the queue, and one that is half planned.
const QUEUED_FILE: std::ops::Range<u32> = 0..12;
const HALF_PLANNED_FILE: std::ops::Range<u32> = 20..33;

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("rolling-stories").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

fn file(people: std::ops::Range<u32>) -> String {
    people.fold("phone\n".to_owned(), |file, n| format!("{file}{}\n", mobile(n)))
}

/// Everything that can be under way.
async fn work(world: &World) {
    let one = async |number: u32, text: &str| world.send(&mobile(number), text, json!({})).await;
    one(DONE, "Was delivered").await;
    world.settle().await;
    world.person_writes(&mobile(STOPPED), "STOP").await;
    let trouble = |faults: Value| world.providers(json!({"fail_next": faults}));
    world.providers(json!({"callbacks": {"lose": ["sent", "delivered"]}})).await;
    trouble(json!([{"kind": "close_after_accept"}])).await;
    one(SENT_UNHEARD, "Was sent, and nobody heard").await;
    world.settle().await;
    world.providers(json!({"callbacks": {"lose": []}})).await;
    trouble(json!([{"kind": "close_before"}])).await;
    one(NEVER_SENT, "Never got there").await;
    world.settle().await;
    trouble(json!([{"kind": "http_503_json"}])).await;
    one(RETRIES, "Is to be tried again").await;
    world.settle().await;
    let later = |minutes| json!({"scheduled_for": world.in_minutes(minutes)});
    world.send(&mobile(WAITS), "Waits for its time", later(30)).await;
    world.send(&mobile(STOPPED), "Has opted out", later(20)).await;

    // Its packs are leased and on the queue.
    world.import(file(QUEUED_FILE).as_bytes(), "The queued file", &[]).await;
    assert_eq!(world.stack.tick().await.errors, 0);
    // Its receipt is on its way to being applied.
    one(TOLD, "Has a receipt").await;
    let _ = poll(world, Mapping::SmsTransactional).await;
    world.simulator.flush_callbacks().await.expect("the simulator runs");
    // Called, and cut off there.
    one(CUT_OFF_CALL, "Cut off in the call").await;
    world.providers(json!({"latency_ms": 60_000})).await;
    assert!(poll(world, Mapping::SmsTransactional).await.is_none(), "it is cut off");
    world.providers(json!({"latency_ms": 0})).await;
    one(ON_THE_QUEUE, "On the queue").await;
    world.stack.ctx.clock.advance(SignedDuration::from_secs(1));
    // Cut off between the messages of a page and its pack.
    world.import(file(HALF_PLANNED_FILE).as_bytes(), "The half planned file", &[]).await;
    let puts = AtomicU32::new(0);
    world.stack.engines.faults().set(move |operation: &Operation<'_>| {
        let cut = operation.name == "PutItem" && puts.fetch_add(1, Ordering::SeqCst) >= 9;
        if cut { Verdict::HangBefore } else { Verdict::Pass }
    });
    let stack = world.stack.clone();
    let tick = tokio::spawn(async move { stack.tick().await });
    tokio::time::timeout(CUT_OFF, tick).await.expect_err("it is cut off");
    world.stack.engines.faults().set(|_: &Operation<'_>| Verdict::Pass);
}

/// One invocation; `None` when it was cut off.
async fn poll(world: &World, mapping: Mapping) -> Option<usize> {
    let (ctx, sqs) = (world.stack.ctx.clone(), world.stack.sqs.clone());
    let poll = tokio::spawn(async move { mapping.poll(&ctx, &sqs, 0).await });
    let polled = tokio::time::timeout(CUT_OFF, poll).await.ok()?;
    Some(polled.expect("no panic").expect("the queue answers"))
}

/// Ends what was begun, and says how.
async fn finishes(left: &LeftBehind, name: &str) {
    let world = left.take_up(&folder(name)).await;
    // One who had a message from the other release opts out from this one.
    world.person_writes(&mobile(STOPS_MEANWHILE), "STOP").await;
    world.advance(45).await;

    let mut had: BTreeMap<String, usize> = BTreeMap::new();
    for received in world.received().await {
        if received.accepted && received.direction == "outbound" {
            *had.entry(received.to).or_default() += 1;
        }
    }
    let singles =
        [WAITS, RETRIES, NEVER_SENT, SENT_UNHEARD, DONE, TOLD, CUT_OFF_CALL, ON_THE_QUEUE];
    let expected: BTreeMap<String, usize> = QUEUED_FILE
        .chain(HALF_PLANNED_FILE)
        .chain(singles)
        .map(|number| (mobile(number), 1))
        .collect();
    assert_eq!(had, expected, "each once, and nobody else");

    let messages = world.list("limit=200&direction=outbound").await;
    assert_eq!(messages.len(), expected.len() + 1);
    let mut statuses: BTreeMap<String, i64> = BTreeMap::new();
    for message in &messages {
        let status = message["status"].as_str().expect("a status");
        *statuses.entry(status.to_owned()).or_default() += 1;
        let stopped = message["to"] == mobile(STOPPED);
        let wanted: &[&str] = if stopped { &["suppressed"] } else { &["sent", "delivered"] };
        assert!(wanted.contains(&status), "{message:#}");
    }
    let count = |names: &[&str]| names.iter().filter_map(|n| statuses.get(*n)).sum::<i64>();
    shows(
        &world.get("/v1/stats").await.ok(200),
        &json!({
            "total_sent": count(&["sent", "delivered"]), "total_delivered": count(&["delivered"]),
            "total_suppressed": 1, "total_pending": 0, "total_unknown": 0, "total_failed": 0,
        }),
    );
    for number in [TOLD, RETRIES, NEVER_SENT, DONE] {
        let found = messages.iter().find(|m| m["to"] == mobile(number)).expect("a message");
        shows(found, &json!({"status": "delivered"}));
    }
    let _ = std::fs::remove_dir_all(folder(name));
}

#[tokio::test]
async fn what_the_previous_release_left_behind_is_finished() {
    finishes(&LeftBehind::read(PREVIOUS), "previous").await;
}

/// The fixture is made as this shows, so that it stays possible to make one.
#[tokio::test]
async fn what_this_release_leaves_behind_is_finished() {
    let left = leave_behind("this").await;
    finishes(&LeftBehind::read(&left.write()), "this-taken-up").await;
}

#[tokio::test]
#[ignore = "writes the fixture of the next release"]
async fn write_what_this_release_leaves_behind() {
    let to = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("left-behind.json");
    std::fs::write(&to, leave_behind("written").await.write()).expect("it is written");
    println!("Copy {} to fixtures/previous-release.json.", to.display());
}

async fn leave_behind(name: &str) -> LeftBehind {
    let folder = folder(name);
    let setup = Setup { folder: Some(folder.clone()), ..Setup::default() };
    let world = World::with(setup).await;
    work(&world).await;
    LeftBehind::of(&world, &folder).await
}
