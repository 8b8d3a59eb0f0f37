//! What is stored costs nothing: with a million scheduled messages in the table, the minute's look at what is due,
//! a single send and the list read as much as with a thousand, and take as long.

use std::sync::Arc;

use carillon_local::engines::SequenceNumber;
use carillon_local::poller::Mapping;
use carillon_local::stack::TABLE;
use carillon_runtime::config::Tuning;
use carillon_store::TimelineEntry;
use carillon_tests::patience::Stopwatch;
use carillon_tests::people::mobile;
use carillon_tests::{Setup, World, seed};
use jiff::SignedDuration;
use serde_json::json;
use tokio::task::JoinSet;

const FEW: usize = 1_000;
const MANY: usize = 1_000_000;
/// Writers side by side.
const WRITERS: usize = 8;
/// Messages of one writer between two cuts of the stream, which nobody reads here.
const BETWEEN_CUTS: usize = 20_000;
const ROUNDS: u32 = 15;
/// Due at each firing that is measured.
const DUE: u32 = 20;
/// A thousand times as many rows may cost so much more time: deeper trees, less in caches.
const SLOWEST: f64 = 2.0;

/// Read units of all rounds, and the median of the seconds that one took.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Figure {
    reads: f64,
    seconds: f64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "writes a million messages"]
async fn full_a_million_scheduled_messages_slow_nothing_down() {
    let few = measured(FEW).await;
    let many = measured(MANY).await;
    for ((name, few), (_, many)) in few.into_iter().zip(many) {
        let ratio = many.seconds / few.seconds;
        eprintln!(
            "{name}: {:.1} ms with {FEW}, {:.1} ms with {MANY}: ratio {ratio:.2}; {} and {} read units in {ROUNDS} rounds",
            few.seconds * 1_000.0,
            many.seconds * 1_000.0,
            few.reads,
            many.reads
        );
        assert_eq!(few.reads, many.reads, "{name}");
        assert!(ratio <= SLOWEST, "{name}: ratio {ratio:.2}");
    }
}

#[expect(clippy::print_stderr, reason = "a million rows take a while: how long is said")]
async fn measured(scheduled: usize) -> [(&'static str, Figure); 3] {
    let world = World::with(Setup { tuning: Tuning::default(), ..Setup::default() }).await;
    let world = Arc::new(world);
    let watch = Stopwatch::start();
    write(&world, scheduled).await;
    eprintln!("{scheduled} messages written in {:.0} s", watch.elapsed().as_secs_f64());
    [
        ("a tick with twenty due", median(ticks(&world).await)),
        ("a single send", median(singles(&world).await)),
        ("the list", median(lists(&world).await)),
    ]
}

/// Scheduled over the month that begins in two days, each in the time line too.
async fn write(world: &Arc<World>, count: usize) {
    let secret = world.stack.ctx.address_secret().await.expect("a secret");
    for from in (0..count).step_by(WRITERS * BETWEEN_CUTS) {
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let (world, secret) = (Arc::clone(world), secret.clone());
            let end = (from + WRITERS * BETWEEN_CUTS).min(count);
            writers.spawn(async move {
                let (store, org, now) = (&world.stack.ctx.store, world.stack.org, world.now());
                for n in (from + writer..end).step_by(WRITERS) {
                    let after = i64::try_from(n % 2_592_000).expect("a number");
                    let at =
                        now + SignedDuration::from_hours(48) + SignedDuration::from_secs(after);
                    let message = seed::scheduled(&secret, org, n, now, at);
                    let entry = TimelineEntry::Message(message.id);
                    store.note_in_timeline(org, now, entry, at).await.expect("the table takes it");
                    store.insert_message(&message).await.expect("the table takes it");
                }
            });
        }
        writers.join_all().await;
        // All but the newest record.
        let end: SequenceNumber =
            serde_json::from_value(json!("100009999999999999999")).expect("a number");
        world.stack.engines.tables().trim_stream(TABLE, end).await.expect("it is cut");
    }
}

async fn ticks(world: &World) -> Vec<Figure> {
    let mut all = Vec::new();
    for round in 0..ROUNDS {
        for n in 0..DUE {
            let later = json!({"scheduled_for": world.in_minutes(1)});
            world.send(&mobile(round * DUE + n), "Your class begins.", later).await;
        }
        world.skip(1);
        let meter = world.stack.engines.meter();
        meter.reset();
        let watch = Stopwatch::start();
        let report = world.stack.tick().await;
        let seconds = watch.elapsed().as_secs_f64();
        assert_eq!((report.queued, report.errors), (DUE as usize, 0));
        all.push(Figure { reads: meter.reset().units().read, seconds });
        while poll(world).await > 0 {}
    }
    all
}

async fn singles(world: &World) -> Vec<Figure> {
    let mut all = Vec::new();
    for n in 0..ROUNDS {
        let meter = world.stack.engines.meter();
        meter.reset();
        let watch = Stopwatch::start();
        world.send(&mobile(5_000 + n), "Your code is 1234.", json!({})).await;
        assert_eq!(poll(world).await, 1);
        let seconds = watch.elapsed().as_secs_f64();
        all.push(Figure { reads: meter.reset().units().read, seconds });
    }
    all
}

async fn lists(world: &World) -> Vec<Figure> {
    let mut all = Vec::new();
    for _ in 0..ROUNDS {
        let meter = world.stack.engines.meter();
        meter.reset();
        let watch = Stopwatch::start();
        let page = world.get("/v1/messages?limit=50").await.ok(200);
        let seconds = watch.elapsed().as_secs_f64();
        assert_eq!(page["data"].as_array().map(Vec::len), Some(50));
        all.push(Figure { reads: meter.reset().units().read, seconds });
    }
    all
}

async fn poll(world: &World) -> usize {
    let polled = Mapping::SmsTransactional.poll(&world.stack.ctx, &world.stack.sqs, 0).await;
    polled.expect("the queue answers")
}

/// The median of the seconds. Of the reads the sum: a round now and then also reads what then counts for
/// some minutes, and it is the same round whatever is stored.
fn median(mut rounds: Vec<Figure>) -> Figure {
    rounds.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let reads = rounds.iter().map(|round| round.reads).sum();
    Figure { reads, seconds: rounds[rounds.len() / 2].seconds }
}
