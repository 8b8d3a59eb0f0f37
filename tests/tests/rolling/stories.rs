//! Bulk, scheduled singles and retries, half done by one and finished by the other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use carillon_tests::patience::{Stopwatch, eventually, now};
use carillon_tests::real::{Client, Home, Provider};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::previous::{self, say};

const PEOPLE: usize = 400;
const SCHEDULED: usize = 20;
/// An attempt that was cut off is asked for after a minute, and twice a minute
/// apart before it is made again; a lease may add two minutes.
const SETTLED: Duration = Duration::from_secs(480);

fn this() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_carillon-under-test"))
}

/// Without limits, and with a provider of this release that outlives both.
async fn home(name: &str, number: u16) -> Result<(Home, Provider)> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rolling").join(name);
    let mut home = Home::new(this(), folder, number)?;
    home.take_limits_away().await?;
    let provider = home.provider().await?;
    Ok((home, provider))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "builds the release before; run with --full"]
async fn full_the_new_release_finishes_what_the_old_one_began() -> Result<()> {
    let Some(previous) = previous::program().await? else { return Ok(()) };
    roll("old-new", 5, &previous, this()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "builds the release before; run with --full"]
async fn full_the_old_release_finishes_what_the_new_one_began() -> Result<()> {
    let Some(previous) = previous::program().await? else { return Ok(()) };
    roll("new-old", 6, this(), &previous).await
}

/// There and back again: rows that both have written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "builds the release before; run with --full"]
async fn full_a_release_that_is_rolled_back_and_forward_sends_everything_once() -> Result<()> {
    let Some(previous) = previous::program().await? else { return Ok(()) };
    let (mut home, _provider) = home("back", 7).await?;
    home.hand_over_to(&previous);
    let first = home.start().await?;
    let work = begin(&first.client).await?;
    until_received(&first.client, 60).await?;
    first.kill_9().await?;
    home.take_limits_away().await?;
    home.hand_over_to(this());
    let second = home.start().await?;
    until_received(&second.client, 150).await?;
    second.kill_9().await?;
    home.hand_over_to(&previous);
    let third = home.start().await?;
    until_received(&third.client, 250).await?;
    third.kill_9().await?;
    home.take_limits_away().await?;
    home.hand_over_to(this());
    let last = home.start().await?;
    all_once(&last.client, &work, &home).await?;
    last.kill_9().await
}

async fn roll(name: &str, number: u16, first: &Path, second: &Path) -> Result<()> {
    let (mut home, _provider) = home(name, number).await?;
    let watch = Stopwatch::start();
    home.hand_over_to(first);
    let process = home.start().await?;
    let work = begin(&process.client).await?;
    let at = until_received(&process.client, 120).await?;
    process.kill_9().await?;
    ensure!(at < PEOPLE as u64, "all was sent before the first release ended");
    // The one before wrote settings that say nothing of limits.
    home.take_limits_away().await?;
    home.hand_over_to(second);
    let process = home.start().await?;
    let cut = all_once(&process.client, &work, &home).await?;
    let took = watch.elapsed().as_secs();
    say(&format!("{name}: replaced at {at} received; {cut} calls cut off; settled in {took} s"));
    process.kill_9().await
}

/// What was asked for.
struct Work {
    import: String,
    singles: Vec<String>,
    numbers: BTreeSet<String>,
}

async fn begin(client: &Client) -> Result<Work> {
    client.set_up_twilio(json!({})).await?;
    let settings = json!({
        "latency_ms": [200, 500], "callbacks": {"delay_ms": [1_000, 4_000]},
        "fail_next": [{"kind": "http_503_json", "times": 10}],
    });
    client.configure_simulator(&settings).await?;
    let mut numbers: BTreeSet<String> =
        (0..PEOPLE).map(|row| format!("+61412{:06}", 345_000 + row)).collect();
    let rows: String = numbers.iter().map(|number| format!("Ada,{number}\n")).collect();
    let import = client.upload(&format!("name,phone\n{rows}"), "Class begins, {{ name }}").await?;
    let mut singles = Vec::new();
    for single in 0..SCHEDULED {
        let to = format!("+61413{:06}", 345_000 + single);
        let seconds = i64::try_from(single).unwrap_or(0) * 2;
        let at = now() + SignedDuration::from_secs(seconds);
        let body = json!({"channel": "sms", "to": to, "body": "Later", "scheduled_for": at});
        let answer = client.post("/v1/messages", &body).await?;
        singles.push(answer["id"].as_str().context("an id")?.to_owned());
        numbers.insert(to);
    }
    Ok(Work { import, singles, numbers })
}

async fn until_received(client: &Client, least: u64) -> Result<u64> {
    let briefly = Duration::from_millis(20);
    eventually("sending", Duration::from_secs(120), briefly, async || {
        let seen = client.received().await?.total();
        Ok(if seen >= least { Ok(seen) } else { Err(seen.to_string()) })
    })
    .await
}

/// Everything ends, and the provider has each once. Answers how many calls were cut off.
async fn all_once(client: &Client, work: &Work, home: &Home) -> Result<usize> {
    let messages = eventually("settling", SETTLED, Duration::from_secs(2), async || {
        let mut messages = client.messages(&work.import).await?;
        for id in &work.singles {
            messages.push(client.get(&format!("/v1/messages/{id}")).await?);
        }
        let mut by_status: BTreeMap<String, usize> = BTreeMap::new();
        for message in &messages {
            let status = message["status"].as_str().context("a status")?;
            *by_status.entry(status.to_owned()).or_default() += 1;
        }
        let waiting = client.received().await?.callbacks("pending");
        let delivered = by_status.get("delivered").copied().unwrap_or(0);
        let all = delivered == work.numbers.len() && waiting == 0;
        Ok(if all { Ok(messages) } else { Err(format!("{by_status:?}, {waiting} callbacks")) })
    })
    .await?;
    let received = client.received().await?;
    assert_eq!(received.twice(), Vec::<&String>::new());
    assert_eq!(received.by_number.keys().cloned().collect::<BTreeSet<_>>(), work.numbers);
    let logs = home.logs()?;
    for bad in ["twice", "cannot be read"] {
        assert!(!logs.contains(bad), "“{bad}” in the logs");
    }
    statistics_agree(client, work.numbers.len()).await?;
    let unknown = |m: &&Value| {
        m["events"].as_array().is_some_and(|all| all.iter().any(|e| e["type"] == "unknown"))
    };
    Ok(messages.iter().filter(unknown).count())
}

async fn statistics_agree(client: &Client, sent: usize) -> Result<()> {
    eventually("statistics", Duration::from_secs(60), Duration::from_secs(1), async || {
        let stats = client.get("/v1/stats").await?;
        let names = ["total_sent", "total_delivered", "total_pending", "total_failed"];
        let counted = json!(names.map(|name| stats[name].clone()));
        let same = counted == json!([sent, sent, 0, 0]);
        Ok(if same { Ok(()) } else { Err(counted.to_string()) })
    })
    .await
}
