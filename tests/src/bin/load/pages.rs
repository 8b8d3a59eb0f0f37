//! Each page of the console: server time and size, with a thousand messages stored.

use std::fmt::Write as _;

use anyhow::{Result, ensure};
use carillon_tests::browser::Browser;
use carillon_tests::patience::Stopwatch;
use carillon_tests::{ADMIN_KEY, World, people};
use serde_json::json;

const ROUNDS: usize = 31;
/// Milliseconds, in the middle of the rounds.
const PROMISED: f64 = 50.0;
const LARGEST: usize = 60 * 1024;
const MESSAGES: u32 = 1_000;

const PAGES: [&str; 18] = [
    "/console",
    "/console/messages",
    "/console/messages?status=failed",
    "/console/send",
    "/console/bulk",
    "/console/templates",
    "/console/contacts",
    "/console/lists",
    "/console/sequences",
    "/console/tags",
    "/console/workshops",
    "/console/bookings",
    "/console/opt-outs",
    "/console/dead-letters",
    "/console/statistics",
    "/console/audit-log",
    "/console/settings",
    "/console/members",
];

pub async fn measure() -> Result<String> {
    let world = World::start().await;
    let rows: String = (0..MESSAGES).map(|n| format!("{},Ada {n}\n", people::mobile(n))).collect();
    let import = world.import(format!("to,name\n{rows}").as_bytes(), "Hi {{ name }}", &[]).await;
    for _ in 0..3 {
        world.tick().await;
    }
    let id = world.send(people::INVALID, "Hello", json!({})).await;
    world.settle().await;
    let browser = Browser::new(&world);
    ensure!(browser.sign_in_with_key(ADMIN_KEY).await.status == 303, "nobody is signed in");
    let own = [format!("/console/messages/{id}"), format!("/console/imports/{import}")];
    let mut report = "| page | ms, median | slowest | KB |\n|---|--:|--:|--:|".to_owned();
    let mut slow = Vec::new();
    for path in PAGES.into_iter().chain(own.iter().map(String::as_str)) {
        let mut times = Vec::new();
        let mut bytes = 0;
        for _ in 0..ROUNDS {
            let watch = Stopwatch::start();
            let page = browser.open(path).await;
            times.push(watch.elapsed().as_secs_f64() * 1_000.0);
            ensure!(page.status == 200, "{path}: {} {}", page.status, page.text);
            bytes = page.text.len();
        }
        times.sort_by(f64::total_cmp);
        let (median, slowest) = (times[ROUNDS / 2], times[ROUNDS - 1]);
        let name = if path.contains("_0") { path.split("_0").next().unwrap_or(path) } else { path };
        let size = bytes as f64 / 1024.0;
        write!(report, "\n| `{name}` | {median:.1} | {slowest:.1} | {size:.1} |")?;
        if median > PROMISED || bytes > LARGEST {
            slow.push(format!("{path}: {median:.1} ms, {bytes} bytes"));
        }
    }
    ensure!(slow.is_empty(), "{report}\n\nnot as promised: {}", slow.join("; "));
    Ok(report)
}
