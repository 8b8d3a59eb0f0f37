//! Each page of the console: server time, size, and what it reads; with the demo's data, and with so many messages and
//! contacts stored besides. `CARILLON_PAGES_STORED` says how many.

mod demo;

use std::fmt::Write as _;

use anyhow::{Result, ensure};
use carillon_runtime::config::variable;
use carillon_tests::browser::Browser;
use carillon_tests::patience::Stopwatch;
use carillon_tests::{ADMIN_KEY, document, many};

use self::demo::Demo;

const ROUNDS: usize = 15;
/// Beside the demo's: so few that what a page reads is the same in kind.
const FEW: usize = 1_000;
const MANY: usize = 1_000_000;
/// Milliseconds, in the middle of the rounds: with the demo's data, and among many.
const PROMISED: f64 = 50.0;
const PROMISED_AMONG_MANY: f64 = 150.0;
const LARGEST: usize = 60 * 1024;

/// One page, opened a few times.
#[derive(Debug, Clone, Copy)]
struct Figure {
    /// Milliseconds.
    median: f64,
    slowest: f64,
    bytes: usize,
    /// Read units: those of the round that read least, since now and then one also reads what then counts for minutes.
    reads: f64,
}

pub async fn measure() -> Result<String> {
    let stored = variable("CARILLON_PAGES_STORED").and_then(|n| n.parse().ok()).unwrap_or(MANY);
    let demo = Demo::furnished().await?;
    let browser = Browser::new(&demo.world);
    ensure!(browser.sign_in_with_key(ADMIN_KEY).await.status == 303, "nobody is signed in");
    let addresses = demo.addresses(&browser).await?;
    let before = all(&demo, &browser, &addresses).await?;
    write(&demo, 0, FEW.min(stored)).await;
    let few = all(&demo, &browser, &addresses).await?;
    write(&demo, FEW.min(stored), stored).await;
    let many = all(&demo, &browser, &addresses).await?;

    let mut report = format!(
        "Of {} messages and contacts stored beside the demo's data; medians of {ROUNDS}.\n\n\
         | page | KB | ms, demo | slowest | ms, {stored} | slowest | read units, demo | with {} | with {stored} |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|",
        stored,
        FEW.min(stored),
    );
    let mut broken = Vec::new();
    for (n, path) in addresses.iter().enumerate() {
        let (before, few, many) = (before[n], few[n], many[n]);
        let bytes = before.bytes.max(few.bytes).max(many.bytes);
        let size = bytes as f64 / 1024.0;
        write!(
            report,
            "\n| `{}` | {size:.1} | {:.1} | {:.1} | {:.1} | {:.1} | {} | {} | {} |",
            without_ids(path),
            before.median,
            before.slowest,
            many.median,
            many.slowest,
            before.reads,
            few.reads,
            many.reads
        )?;
        let is_slow = before.median > PROMISED || many.median > PROMISED_AMONG_MANY;
        // Times of a debug build say nothing.
        if bytes > LARGEST || (is_slow && !cfg!(debug_assertions)) {
            broken.push(format!("{path}: {before:?}, {many:?}"));
        }
        if few.reads != many.reads {
            broken.push(format!("{path}: reads {} and {} units", few.reads, many.reads));
        }
    }
    ensure!(broken.is_empty(), "{report}\n\nnot as promised:\n{}", broken.join("\n"));
    Ok(report)
}

async fn write(demo: &Demo, from: usize, until: usize) {
    let watch = Stopwatch::start();
    many::messages(&demo.world.stack, from, until).await;
    many::contacts(&demo.world.stack, from, until).await;
    let (count, took) = (until - from, watch.elapsed().as_secs());
    document::say(&format!("{count} messages and contacts written in {took} s"));
}

async fn all(demo: &Demo, browser: &Browser, addresses: &[String]) -> Result<Vec<Figure>> {
    let mut figures = Vec::with_capacity(addresses.len());
    for path in addresses {
        figures.push(one(demo, browser, path).await?);
    }
    Ok(figures)
}

async fn one(demo: &Demo, browser: &Browser, path: &str) -> Result<Figure> {
    let meter = demo.world.stack.engines.meter();
    let (mut times, mut reads, mut bytes) = (Vec::with_capacity(ROUNDS), f64::MAX, 0);
    for _ in 0..ROUNDS {
        meter.reset();
        let watch = Stopwatch::start();
        let page = browser.open(path).await;
        times.push(watch.elapsed().as_secs_f64() * 1_000.0);
        reads = reads.min(meter.reset().units().read);
        ensure!(page.status == 200, "{path}: {} {}", page.status, page.text);
        // What the server sends is the page: nothing of it comes by a script.
        ensure!(page.text.contains("<h1"), "{path}: no content in {}", page.text);
        bytes = page.text.len();
    }
    times.sort_by(f64::total_cmp);
    let (median, slowest) = (times[ROUNDS / 2], times[ROUNDS - 1]);
    Ok(Figure { median, slowest, bytes, reads })
}

/// `/console/messages/msg_…` instead of one of them.
fn without_ids(path: &str) -> String {
    let short = path.split('/').map(|part| match part.split_once('_') {
        Some((kind, rest)) if rest.len() > 20 => format!("{kind}_…"),
        _ => part.to_owned(),
    });
    short.collect::<Vec<_>>().join("/")
}
