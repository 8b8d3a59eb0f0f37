//! What is stored costs nothing: with a million scheduled messages in the table, the minute's look at what is due,
//! a single send and the list read as much as with a thousand, and take as long.

use carillon_local::poller::Mapping;
use carillon_runtime::config::Tuning;
use carillon_tests::patience::Stopwatch;
use carillon_tests::people::mobile;
use carillon_tests::{Setup, World, many};
use serde_json::json;

const FEW: usize = 1_000;
const MANY: usize = 1_000_000;
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
    let watch = Stopwatch::start();
    many::messages(&world.stack, 0, scheduled).await;
    eprintln!("{scheduled} messages written in {:.0} s", watch.elapsed().as_secs_f64());
    [
        ("a tick with twenty due", median(ticks(&world).await)),
        ("a single send", median(singles(&world).await)),
        ("the list", median(lists(&world).await)),
    ]
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
