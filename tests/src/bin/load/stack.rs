//! The whole local stack: messages a second in real time, and the CPU time of a message by function.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Result, ensure};
use carillon_local::poller::Mapping;
use carillon_local::rollup_feed;
use carillon_tests::patience::Stopwatch;
use reqwest::Method;
use serde_json::json;

use crate::bench::Bench;
use crate::machine;
use crate::server::{Server, TEXT, file};

const MESSAGES: usize = 10_000;
/// The highest that the API takes: nothing waits for slots.
const RATE: u32 = 10_000;
const ROUNDS: usize = 3;

/// From the upload to the last receipt, on the server as `cargo run` starts it.
pub async fn throughput() -> Result<String> {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let server = Server::start("stack", RATE).await?;
        let file = file("+61412", MESSAGES)?;
        let (before, watch) = (machine::cpu(server.id()?)?, Stopwatch::start());
        server.client().upload(&file, TEXT).await?;
        server.delivered(MESSAGES, || ()).await?;
        let took = watch.elapsed().as_secs_f64();
        let cpu = (machine::cpu(server.id()?)? - before).as_secs_f64();
        let received = server.client().received().await?;
        ensure!(
            received.total() == MESSAGES as u64 && received.twice().is_empty(),
            "not once each"
        );
        rounds.push((count(MESSAGES) / took, cpu / took, cpu * 1_000.0 / count(MESSAGES)));
    }
    rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let rates: Vec<String> = rounds.iter().map(|round| format!("{:.0}", round.0)).collect();
    let (rate, cores, cpu) = rounds[ROUNDS / 2];
    Ok(format!(
        "10,000 messages from the upload to the last `delivered` on the server that `cargo run` starts, with its \
         files, two pollers a queue and the provider in another process: **{rate:.0} messages/s** (median of \
         {ROUNDS}: {}). The server's process kept {cores:.1} cores busy meanwhile, {cpu:.1} ms of CPU a message.",
        rates.join(", ")
    ))
}

/// CPU time of one kind of invocation, for all messages.
struct Spent {
    function: &'static str,
    invocations: usize,
    own: Duration,
    engines: Duration,
}

struct Ledger {
    bench: Bench,
    spent: Vec<Spent>,
    last: (Duration, Duration),
}

impl Ledger {
    fn read() -> Result<(Duration, Duration)> {
        Ok((machine::cpu_of_thread()?, machine::cpu(std::process::id())?))
    }

    /// What was spent since the last time is this function's.
    fn book(&mut self, function: &'static str, invocations: usize) -> Result<()> {
        let (own, all) = Self::read()?;
        let own_time = own - self.last.0;
        let engines = (all - self.last.1).saturating_sub(own_time);
        self.spent.push(Spent { function, invocations, own: own_time, engines });
        self.last = Self::read()?;
        Ok(())
    }

    async fn poll(&self, mapping: Mapping) -> Result<usize> {
        let mut invocations = 0;
        while mapping.poll(&self.bench.stack.ctx, &self.bench.stack.sqs, 0).await? > 0 {
            invocations += 1;
        }
        Ok(invocations)
    }

    async fn roll_up(&self) -> Result<usize> {
        let mut invocations = 0;
        while rollup_feed::feed(&self.bench.stack.ctx, &self.bench.stack.engines).await? > 0 {
            invocations += 1;
        }
        Ok(invocations)
    }
}

/// Step by step on one thread: what the thread spends is the function's, what others spend is the engines'.
pub async fn by_function() -> Result<String> {
    let hold = json!({"callbacks": {"hold": true, "delay_ms": 0}});
    let bench = Bench::start("by-function", RATE, &hold).await?;
    let file = file("+61412", MESSAGES)?;
    let mut ledger = Ledger { bench, spent: Vec::new(), last: Ledger::read()? };
    ledger.bench.client.upload(&file, TEXT).await?;
    ledger.book("admin-api (upload)", 1)?;
    let mut ticks = 0;
    loop {
        let report = ledger.bench.stack.tick().await;
        ensure!(report.errors == 0, "{report:?}");
        ticks += 1;
        if report.pages_planned == 0 && report.queued == 0 {
            break;
        }
    }
    ledger.book("queue-processor", ticks)?;
    let fed = ledger.roll_up().await?;
    ledger.book("rollup", fed)?;
    let sent = ledger.poll(Mapping::SmsBulk).await?;
    ledger.book("sender", sent)?;
    let fed = ledger.roll_up().await?;
    ledger.book("rollup", fed)?;
    let flushed = ledger.bench.client.simulated(Method::POST, "/sim/callbacks/flush").await?;
    let called = flushed["tried"].as_u64().unwrap_or_default();
    ledger.book("webhook", usize::try_from(called)?)?;
    let received = ledger.poll(Mapping::Receive).await?;
    ledger.book("receiver", received)?;
    let fed = ledger.roll_up().await?;
    ledger.book("rollup", fed)?;
    let stats = ledger.bench.client.get("/v1/stats").await?;
    ensure!(stats["total_delivered"] == MESSAGES, "{stats}");
    let report = table(&ledger.spent);
    ledger.bench.stop().await;
    Ok(report)
}

fn table(spent: &[Spent]) -> String {
    let mut functions: Vec<(&str, usize, Duration, Duration)> = Vec::new();
    for step in spent.iter().filter(|step| step.invocations > 0) {
        match functions.iter_mut().find(|row| row.0 == step.function) {
            Some(row) => {
                row.1 += step.invocations;
                row.2 += step.own;
                row.3 += step.engines;
            }
            None => functions.push((step.function, step.invocations, step.own, step.engines)),
        }
    }
    let mut out = "| function | invocations | its CPU time, µs a message | embedded table and queues, µs a message |\n\
                   |---|--:|--:|--:|\n"
        .to_owned();
    let a_message = |time: Duration| time.as_secs_f64() * 1e6 / count(MESSAGES);
    let mut sums = [0.0; 2];
    for (function, invocations, own, engines) in functions {
        let row = [a_message(own), a_message(engines)];
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        let _ = writeln!(out, "| {function} | {invocations} | {:.0} | {:.0} |", row[0], row[1]);
    }
    let _ = write!(out, "| **all** | | **{:.0}** | **{:.0}** |", sums[0], sums[1]);
    out
}

#[expect(clippy::cast_precision_loss, reason = "ten thousand")]
fn count(number: usize) -> f64 {
    number as f64
}
