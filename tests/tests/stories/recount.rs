//! Statistics held against the rows, and put right; and the stream in two shards.

use std::collections::BTreeMap;

use aws_lambda_events::dynamodb::Event;
use carillon_local::engines::{Operation, Verdict};
use carillon_local::options::People;
use carillon_local::stack::TABLE;
use carillon_local::{Options, Stack};
use carillon_rollup::recount::{fix, recount};
use carillon_runtime::Clock;
use carillon_runtime::config::Tuning;
use carillon_store::{DayCounters, keys};
use carillon_tests::{ADMIN_KEY, Setup, World, shows};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::statistics::a_mixed_run;

#[tokio::test]
async fn a_recount_finds_nothing_after_a_mixed_run_and_says_since_when() {
    let world = World::start().await;
    assert!(world.get("/v1/stats").await.ok(200)["counts_as_of"].is_null());
    a_mixed_run(&world).await;
    let found = recount(&world.stack.ctx.store, world.now()).await.expect("it stands still");
    assert_eq!((found.differences, found.is_behind), (vec![], false));
    assert!(found.messages > 20, "{}", found.messages);
    let stats = world.get("/v1/stats").await.ok(200);
    let as_of: jiff::Timestamp =
        stats["counts_as_of"].as_str().expect("a time").parse().expect("a time");
    assert!(as_of <= world.now() && as_of > world.now() - jiff::SignedDuration::from_mins(15));
}

#[tokio::test]
async fn counters_that_were_changed_and_changes_that_were_missed_are_put_right() {
    let world = World::start().await;
    a_mixed_run(&world).await;
    let store = &world.stack.ctx.store;
    let right = world.get("/v1/stats").await.ok(200);

    // Somebody's hand: three too many delivered, and one of nothing.
    let day = keys::day(world.now());
    let key = keys::counter(world.stack.org, &day, "sms", 1);
    let client = world.stack.engines.dynamodb();
    let value = |n: i64| aws_sdk_dynamodb::types::AttributeValue::N(n.to_string());
    let text = aws_sdk_dynamodb::types::AttributeValue::S;
    let spoil = client.update_item().table_name(TABLE);
    let spoil = spoil.key("pk", text(key.pk)).key("sk", text(key.sk));
    let spoil = spoil.update_expression("ADD delivered :three, cancelled :less");
    let spoil = spoil.expression_attribute_values(":three", value(3));
    spoil.expression_attribute_values(":less", value(-1)).send().await.expect("spoilt");
    let found = recount(store, world.now()).await.expect("it stands still");
    let shown: Vec<_> =
        found.differences.iter().map(|d| (d.name.as_str(), d.counted - d.rows)).collect();
    assert_eq!(shown, [("cancelled", -1), ("delivered", 3)]);
    assert!(!found.is_behind);
    let fixed = fix(store, world.now()).await.expect("fixed");
    assert_eq!(fixed.differences, found.differences);
    assert_eq!(recount(store, world.now()).await.expect("it stands still").differences, []);
    shows(&world.get("/v1/stats").await.ok(200), &without_time(right));

    // Rollup gave these up: they are thrown away unread.
    world.send(&carillon_tests::people::mobile(70), "Missed", json!({})).await;
    for mapping in carillon_local::poller::Mapping::ALL {
        while mapping.poll(&world.stack.ctx, &world.stack.sqs, 0).await.expect("polled") > 0 {}
    }
    let tables = world.stack.engines.tables();
    let cursor = tables.stream_cursor(TABLE).await.expect("a cursor");
    let missed = tables.read_stream(TABLE, cursor, 1_000).await.expect("the stream");
    let last = missed.last().expect("a change").sequence.clone();
    tables.set_stream_cursor(TABLE, last).await.expect("moved");
    let found = recount(store, world.now()).await.expect("it stands still");
    assert!(found.is_behind && !found.differences.is_empty(), "{found:?}");
    fix(store, world.now()).await.expect("fixed");
    world.settle().await;
    let found = recount(store, world.now()).await.expect("it stands still");
    assert_eq!((found.differences, found.is_behind), (vec![], false));
}

fn without_time(mut stats: Value) -> Value {
    stats.as_object_mut().expect("an object").remove("counts_as_of");
    stats
}

/// The stream splits: two invocations at once, each with its keys in order; what
/// failed comes again with what follows. Seeds make batches, repeats and conflicts.
#[tokio::test]
async fn two_shards_side_by_side_count_exactly_however_they_interleave() {
    let world = World::with(Setup { repeat_stream: true, ..Setup::default() }).await;
    a_mixed_run(&world).await;
    let expected = counters(&world.stack).await;
    let records: Vec<Value> = world
        .fed()
        .iter()
        .flat_map(|event| event["Records"].as_array().cloned().unwrap_or_default())
        .collect();
    assert!(records.len() > 100, "{}", records.len());
    for seed in 1..=24_u64 {
        let stack = counting_stack().await;
        let mut dice = Dice(seed);
        let mut shards: [Vec<Value>; 2] = [Vec::new(), Vec::new()];
        for record in &records {
            let key = record["dynamodb"]["Keys"].to_string();
            let place = usize::from(Sha256::digest(format!("{seed}{key}"))[0] % 2);
            shards[place].push(record.clone());
        }
        let every = 3 + dice.below(9);
        let conflicts = std::sync::atomic::AtomicU64::new(0);
        stack.engines.faults().set(move |operation: &Operation<'_>| {
            let is_count = operation.name == "TransactWriteItems";
            let n = conflicts.fetch_add(u64::from(is_count), std::sync::atomic::Ordering::SeqCst);
            match n % every {
                1 if is_count => Verdict::TransactionConflict,
                2 if is_count => Verdict::LoseAnswer,
                _ => Verdict::Pass,
            }
        });
        let [first, second] = shards;
        let (one, two) = (Dice(seed * 7), Dice(seed * 13));
        tokio::join!(consume(&stack, first, one), consume(&stack, second, two));
        assert_eq!(counters(&stack).await, expected, "seed {seed}");
    }
}

/// Batches of a shard, in order; now and then one is given again, with some that
/// came before it.
async fn consume(stack: &Stack, records: Vec<Value>, mut dice: Dice) {
    let mut at = 0;
    while at < records.len() {
        let end = (at + 1 + dice.below(40) as usize).min(records.len());
        let from = if dice.below(4) == 0 { at.saturating_sub(30) } else { at };
        let event = json!({"Records": records[from..end]});
        let event: Event = serde_json::from_value(event).expect("an event");
        match carillon_rollup::handle(&stack.ctx, event).await {
            // It may have taken effect in part: the stream gives the batch again.
            Err(_) => {}
            Ok(()) => at = end,
        }
        tokio::task::yield_now().await;
    }
}

/// What is counted, without zeros and times.
async fn counters(stack: &Stack) -> BTreeMap<(String, String, String), i64> {
    let org = carillon_admin_api::first_organization::id();
    let days = stack.ctx.store.counters(org, "2000-01-01", "2100-01-01").await.expect("counters");
    let flat = |day: DayCounters| {
        let DayCounters { date, channel, values, .. } = day;
        values.into_iter().map(move |(name, n)| ((date.clone(), channel.clone(), name), n))
    };
    days.into_iter().flat_map(flat).filter(|(_, n)| *n != 0).collect()
}

/// A table that only counts.
async fn counting_stack() -> Stack {
    let options = Options {
        folder: None,
        clock: Clock::manual("2026-11-21T09:00:00Z".parse().expect("a time")),
        admin_key: ADMIN_KEY.to_owned(),
        public_url: "http://127.0.0.1:1".to_owned(),
        console_url: "http://127.0.0.1:1".to_owned(),
        people: People::Keys,
        provider_urls: BTreeMap::new(),
        mail_url: None,
        cors_origins: Vec::new(),
        installation_account: None,
        tuning: Tuning::default(),
    };
    Stack::open(options).await.expect("the stack opens")
}

/// splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}
