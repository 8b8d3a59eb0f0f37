//! The sender alone, one invocation with a pack of a hundred, against a provider that takes 100 ms to answer.

use anyhow::{Result, ensure};
use carillon_local::poller::Mapping;
use carillon_tests::patience::Stopwatch;
use reqwest::Method;
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::server::{TEXT, file};

const MESSAGES: usize = 100;
const LATENCY_MS: i64 = 100;
const ROUNDS: usize = 11;
/// The promises.
const MOST_SECONDS: f64 = 0.7;
const CALLS_IN_FLIGHT: usize = 20;

pub async fn measure() -> Result<String> {
    let slow = json!({"latency_ms": LATENCY_MS, "callbacks": {"hold": true}});
    let bench = Bench::start("sender", 10_000, &slow).await?;
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let file = file(&format!("+614{:02}", 12 + round), MESSAGES)?;
        bench.client.upload(&file, TEXT).await?;
        let report = bench.stack.tick().await;
        ensure!(report.errors == 0 && report.queued > 0, "{report:?}");
        let watch = Stopwatch::start();
        let bodies = Mapping::SmsBulk.poll(&bench.stack.ctx, &bench.stack.sqs, 0).await?;
        let took = watch.elapsed().as_secs_f64();
        ensure!(bodies == 1, "{bodies} bodies in one invocation");
        let path = format!("/sim/messages?latest={MESSAGES}");
        let found = bench.client.simulated(Method::GET, &path).await?;
        ensure!(found["total"] == (round + 1) * MESSAGES, "{}", found["total"]);
        rounds.push((took, in_flight(&found)?));
    }
    bench.stop().await;
    // The first opens the connections.
    let cold = rounds.remove(0).0;
    rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let median = rounds[rounds.len() / 2].0;
    let flight = rounds.iter().map(|round| round.1).min().unwrap_or_default();
    let fastest = rounds[0].0;
    ensure!(median <= MOST_SECONDS, "100 messages took {median:.2} s, {fastest:.2} s at best");
    ensure!(flight >= CALLS_IN_FLIGHT, "{flight} calls in flight");
    Ok(format!(
        "100 messages in one invocation, a provider that answers after 100 ms: **{median:.2} s** (median of {}, \
         {:.2} to {:.2}; promise: ≤ {MOST_SECONDS} s), the first with cold connections {cold:.2} s. Never fewer \
         than **{flight} calls in flight** at the fullest moment, as the provider saw it (promise: \
         ≥ {CALLS_IN_FLIGHT}). Five rounds of twenty calls take 0.5 s; the rest is claims and results.",
        rounds.len(),
        rounds[0].0,
        rounds[rounds.len() - 1].0,
    ))
}

/// The most that had arrived and were not yet answered: all that arrive within the time of an answer.
fn in_flight(found: &Value) -> Result<usize> {
    let messages = found["messages"].as_array().into_iter().flatten();
    let mut times = messages
        .filter_map(|message| message["at"].as_str()?.parse::<jiff::Timestamp>().ok())
        .map(|at| at.as_millisecond())
        .collect::<Vec<_>>();
    ensure!(times.len() == MESSAGES, "{} times", times.len());
    times.sort_unstable();
    let until = |from: i64| times.partition_point(|at| *at < from + LATENCY_MS);
    Ok(times.iter().enumerate().map(|(place, at)| until(*at) - place).max().unwrap_or(0))
}
