//! Three kills at three kinds of work, with look-up and without it; and a clean end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use carillon_tests::file::{File, ROWS, TEXT, read_report, thousand_rows};
use carillon_tests::patience::{Stopwatch, eventually};
use carillon_tests::real::{Client, Home, Received, Running};

pub const SOON: Duration = Duration::from_secs(60);
/// A lost attempt is asked for after 60 s, again after 60 s, and then sent again; a lease that a killed
/// process had on its queue may add 120 s.
const SETTLED: Duration = Duration::from_secs(480);
const BRIEFLY: Duration = Duration::from_millis(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_three_times_each_is_received_exactly_once_after_look_up() -> Result<()> {
    let mut home = home("look-up", 0).await?;
    let file = thousand_rows();
    let watch = Stopwatch::start();
    let process = first_start(&mut home).await?;
    let (process, import) = killed_three_times(&mut home, process, &file).await?;

    // Delivered, each: a callback that was answered 2xx is applied, whatever is killed.
    let messages = settled(&process.client, &import, &["delivered"]).await?;
    let took = watch.elapsed().as_secs();
    let received = process.client.received().await?;
    assert_eq!(received.twice(), Vec::<&String>::new());
    assert_eq!(numbers(&received), file.numbers, "missing or foreign");
    assert_eq!(received.total(), 980);
    let lost = messages.iter().filter(|m| has_event(m, "unknown")).count();
    let never_sent = messages.iter().filter(|m| has_event(m, "not_sent")).count();
    report_says_why(&process.client, &import, &file).await?;
    statistics_agree(&process.client, &import).await?;
    ensure!(lost > 0, "no attempt was cut off: the kills came at the wrong moments");
    assert!(!home.logs()?.contains("twice"), "a proven duplicate was logged");
    say(&format!("settled after {took} s; {lost} attempts lost, {never_sent} of them never sent"));
    process.kill_9().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_three_times_without_look_up_nothing_is_sent_twice_and_doubt_is_shown() -> Result<()>
{
    let mut home = home("no-look-up", 1).await?;
    let file = thousand_rows();
    let watch = Stopwatch::start();
    let process = first_start(&mut home).await?;
    process.client.set_up_twilio(json!({"look_up": false})).await?;
    // No receipt tells what became of these.
    let silent: serde_json::Map<_, _> =
        file.numbers.iter().step_by(2).map(|n| (n.clone(), json!({"silent": true}))).collect();
    process.client.configure_simulator(&json!({"numbers": silent})).await?;
    let (process, import) = killed_three_times(&mut home, process, &file).await?;

    let messages = settled(&process.client, &import, &["sent", "delivered", "unknown"]).await?;
    let took = watch.elapsed().as_secs();
    let received = process.client.received().await?;
    assert_eq!(received.twice(), Vec::<&String>::new());
    let received = numbers(&received);
    assert!(received.is_subset(&file.numbers), "foreign numbers");
    let in_doubt: BTreeSet<_> =
        messages.iter().filter(|m| m["status"] == "unknown").map(number).collect();
    let missing: BTreeSet<_> = file.numbers.difference(&received).cloned().collect();
    assert!(missing.is_subset(&in_doubt), "not received, and not shown as in doubt");
    ensure!(!in_doubt.is_empty(), "no attempt was cut off: the kills came at the wrong moments");
    let (doubts, lost) = (in_doubt.len(), missing.len());
    assert!(doubts <= 3 * 40, "{doubts} in doubt, more than were in flight at three kills");
    report_says_why(&process.client, &import, &file).await?;
    statistics_agree(&process.client, &import).await?;
    say(&format!("settled after {took} s; {doubts} held as unknown, {lost} of them never sent"));
    process.kill_9().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_finishes_the_calls_in_flight_and_keeps_everything() -> Result<()> {
    let mut home = home("ctrl-c", 2).await?;
    let numbers: BTreeSet<_> = (0..300).map(|row| format!("+61412{:06}", 345_000 + row)).collect();
    let rows: String = numbers.iter().map(|number| format!("Ada,{number}\n")).collect();
    let process = first_start(&mut home).await?;
    let import = process.client.upload(&format!("name,phone\n{rows}"), TEXT).await?;
    until_received(&process.client, 30).await?;
    let (status, took) = process.ctrl_c().await?;
    assert!(status.success(), "it ended with {status}");
    assert!(took < Duration::from_secs(15), "it took {} s", took.as_secs());

    let process = home.start().await?;
    let found = process.client.messages(&import).await?;
    for message in &found {
        assert_eq!(message["attempts"].as_array().map_or(0, Vec::len).max(1), 1, "{message}");
        assert!(!has_event(message, "unknown"), "a call in flight was cut off: {message}");
    }
    settled_count(&process.client, &import, &["sent", "delivered"], numbers.len()).await?;
    let received = process.client.received().await?;
    assert_eq!(received.twice(), Vec::<&String>::new());
    assert_eq!(self::numbers(&received), numbers);
    say(&format!("Ctrl-C took {} ms", took.as_millis()));
    process.ctrl_c().await.map(drop)
}

/// `number` keeps stories that run side by side apart. The organization has no
/// limits and no quiet hours: these stories are about something else.
pub async fn home(story: &str, number: u16) -> Result<Home> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kill9").join(story);
    let program = Path::new(env!("CARGO_BIN_EXE_carillon-under-test"));
    let home = Home::new(program, folder, number)?;
    home.take_limits_away().await?;
    Ok(home)
}

/// With an account whose rate is not what is tested here.
pub async fn first_start(home: &mut Home) -> Result<Running> {
    let process = home.start().await?;
    process.client.set_up_twilio(json!({})).await?;
    slow_down(&process.client).await?;
    Ok(process)
}

/// Answers take as long as a real provider's, so that calls are in flight at any moment; receipts take longer.
async fn slow_down(client: &Client) -> Result<()> {
    let settings = json!({"latency_ms": [200, 500], "callbacks": {"delay_ms": [2_000, 8_000]}});
    client.configure_simulator(&settings).await
}

/// Uploads the file; kills and starts again during planning, during sending and during callbacks.
async fn killed_three_times(
    home: &mut Home,
    process: Running,
    file: &File,
) -> Result<(Running, String)> {
    let import = process.client.upload(&file.csv, TEXT).await?;
    let path = format!("/v1/imports/{import}");
    let planned = eventually("planning", SOON, Duration::from_millis(5), async || {
        let seen = process.client.get(&path).await?["processed"].as_u64().unwrap_or_default();
        Ok(if seen > 0 { Ok(seen) } else { Err(seen.to_string()) })
    })
    .await?;
    process.kill_9().await?;
    ensure!(planned < ROWS as u64, "planning was over before it was killed");

    let process = home.start().await?;
    let sent = until_received(&process.client, 250).await?;
    process.kill_9().await?;
    ensure!(sent < 700, "{sent} were received before the second kill");

    let process = home.start().await?;
    let told = eventually("callbacks", SOON, BRIEFLY, async || {
        let seen = process.client.received().await?;
        let (waiting, told) = (seen.callbacks("pending"), seen.callbacks("answered"));
        let middle = seen.total() >= 700 && waiting >= 50 && told >= 50;
        let shown = format!("{} received, {waiting} callbacks wait, {told} told", seen.total());
        Ok(if middle { Ok(shown) } else { Err(shown) })
    })
    .await?;
    process.kill_9().await?;
    say(&format!("killed at {planned} planned; at {sent} received; at {told}"));
    Ok((home.start().await?, import))
}

pub async fn until_received(client: &Client, least: u64) -> Result<u64> {
    eventually("sending", SOON, BRIEFLY, async || {
        let seen = client.received().await?.total();
        Ok(if seen >= least { Ok(seen) } else { Err(seen.to_string()) })
    })
    .await
}

async fn settled(client: &Client, import: &str, final_: &[&str]) -> Result<Vec<Value>> {
    settled_count(client, import, final_, 980).await
}

/// All messages of the import, once each is in one of the `final_` states and none in doubt is still being
/// asked for.
pub async fn settled_count(
    client: &Client,
    import: &str,
    final_: &[&str],
    count: usize,
) -> Result<Vec<Value>> {
    eventually("settling", SETTLED, Duration::from_secs(2), async || {
        let messages = client.messages(import).await?;
        let mut by_status: BTreeMap<String, usize> = BTreeMap::new();
        for message in &messages {
            let held = message["decisions"].as_array().and_then(|all| all.last());
            let held = held.is_some_and(|last| last["decision"] == "hold");
            let status = message["status"].as_str().context("a status")?;
            let shown = match (status, held) {
                ("unknown", false) => "asked for",
                _ => status,
            };
            *by_status.entry(shown.to_owned()).or_default() += 1;
        }
        let done = by_status.keys().all(|status| final_.contains(&status.as_str()));
        // Receipts that are still on their way would change what is counted below.
        let waiting = client.received().await?.callbacks("pending");
        let all = messages.len() == count && done && waiting == 0;
        Ok(if all { Ok(messages) } else { Err(format!("{by_status:?}, {waiting} callbacks")) })
    })
    .await
}

/// Twenty lines, the right ones, each with a reason.
async fn report_says_why(client: &Client, import: &str, file: &File) -> Result<()> {
    let seen = client.get(&format!("/v1/imports/{import}")).await?;
    assert_eq!(seen["status"], "completed");
    let counts = ["rows", "accepted", "rejected", "duplicates"].map(|name| seen[name].as_u64());
    assert_eq!(counts, [Some(1_000), Some(980), Some(20), Some(0)]);
    let report = read_report(&client.text(&format!("/v1/imports/{import}/rejected")).await?);
    assert_eq!(report.keys().copied().collect::<BTreeSet<_>>(), file.bad_lines);
    assert!(report.values().all(|reason| !reason.is_empty()), "{report:?}");
    Ok(())
}

/// The counters equal a recount of the messages, once the last receipts are in.
pub async fn statistics_agree(client: &Client, import: &str) -> Result<()> {
    eventually("statistics", SOON, Duration::from_secs(1), async || {
        let stats = client.get("/v1/stats").await?;
        let names =
            ["total_sent", "total_delivered", "total_unknown", "total_pending", "total_failed"];
        let counted = json!(names.map(|name| stats[name].clone()));
        let messages = client.messages(import).await?;
        let count = |names: &[&str]| {
            messages.iter().filter(|m| names.iter().any(|n| m["status"] == *n)).count()
        };
        let recount = json!([
            count(&["sent", "delivered"]),
            count(&["delivered"]),
            count(&["unknown"]),
            0,
            0
        ]);
        let same = counted == recount;
        Ok(if same { Ok(()) } else { Err(format!("{counted}, recounted {recount}")) })
    })
    .await
}

pub fn numbers(received: &Received) -> BTreeSet<String> {
    received.by_number.keys().cloned().collect()
}

fn number(message: &Value) -> String {
    message["to"].as_str().unwrap_or_default().to_owned()
}

pub fn has_event(message: &Value, kind: &str) -> bool {
    message["events"].as_array().is_some_and(|all| all.iter().any(|event| event["type"] == kind))
}

#[expect(clippy::print_stdout, reason = "shown with --nocapture: how the kills fell")]
pub fn say(text: &str) {
    println!("{text}");
}
