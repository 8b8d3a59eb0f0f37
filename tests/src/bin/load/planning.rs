//! Planning a large file: which partition keys of the table and of its indexes it writes to, and how often.
//!
//! A partition takes a thousand write units a second. The table's writes are counted in the layer below the SDK,
//! in order; a second is what happens while so many rows are written as planning writes at most.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Result, ensure};
use carillon_local::engines::Write;
use carillon_runtime::config::Tuning;
use carillon_tests::patience::Stopwatch;
use carillon_tests::{Setup, World};
use serde_json::json;

use crate::server::{TEXT, file};

const MESSAGES: usize = 100_000;
/// Rows that planning writes in a second, at most.
const ROWS_A_SECOND: usize = 2_000;
const MOST_A_SECOND: f64 = 1_000.0;

/// Of one kind of key: how many keys, the units of the largest, and its largest second.
#[derive(Default)]
struct Kind {
    keys: usize,
    units: f64,
    largest: f64,
    second: f64,
}

pub async fn measure() -> Result<String> {
    let speed = rows_a_second().await?;
    let Planned { upload, writes, .. } = plan(true).await?;
    let file: f64 = upload.iter().map(|write| write.units).sum();
    let pieces = by_kind(&upload).into_values().map(|kind| kind.largest).fold(0.0, f64::max);
    let kinds = by_kind(&writes);
    let rows = writes.iter().filter(|write| write.index.is_none()).count();
    let mut out =
        "| key | keys | write units | largest key | its fullest second |\n|---|--:|--:|--:|--:|\n"
            .to_owned();
    for (name, kind) in &kinds {
        let Kind { keys, units, largest, second } = kind;
        let _ = writeln!(out, "| {name} | {keys} | {units:.0} | {largest:.0} | {second:.0} |");
    }
    let worst = kinds.values().map(|kind| kind.second).fold(0.0, f64::max);
    let _ = write!(
        out,
        "\n100,000 messages of one file, from the first page to the last pack on its queue: {rows} rows, counted in the \
         layer below the SDK, at {ROWS_A_SECOND} rows a second. The fullest second of any key has **{worst:.0} write \
         units** (a partition takes {MOST_A_SECOND:.0}). The embedded table took {speed:.0} rows/s meanwhile (without \
         the counting). Before that, the upload stores the file: {file:.0} write units, {pieces:.0} of them to one key."
    );
    ensure!(worst <= MOST_A_SECOND, "{worst} write units a second to one key:\n{out}");
    Ok(out)
}

/// How fast one planner is when the table answers at once.
async fn rows_a_second() -> Result<f64> {
    let planned = plan(false).await?;
    #[expect(clippy::cast_precision_loss, reason = "a hundred thousand")]
    Ok(MESSAGES as f64 / planned.seconds)
}

struct Planned {
    seconds: f64,
    /// Before planning: the file, in pieces.
    upload: Vec<Write>,
    writes: Vec<Write>,
}

async fn plan(watch_partitions: bool) -> Result<Planned> {
    let world = World::with(Setup { tuning: Tuning::default(), ..Setup::default() }).await;
    world.set_up_twilio(json!({"rate_per_second": 10_000})).await;
    world.stack.ctx.address_secret().await?;
    let meter = world.stack.engines.meter();
    if watch_partitions {
        meter.watch_partitions();
    }
    world.import(file("+61412", MESSAGES)?.as_bytes(), TEXT, &[]).await;
    let upload = meter.partitions_written();
    if watch_partitions {
        meter.watch_partitions();
    }
    let watch = Stopwatch::start();
    loop {
        let report = world.stack.tick().await;
        ensure!(report.errors == 0, "{report:?}");
        if report.pages_planned == 0 && report.queued == 0 {
            break;
        }
        world.skip(1);
    }
    let seconds = watch.elapsed().as_secs_f64();
    Ok(Planned { seconds, upload, writes: meter.partitions_written() })
}

fn by_kind(writes: &[Write]) -> BTreeMap<String, Kind> {
    let mut keys: BTreeMap<(String, &str), Kind> = BTreeMap::new();
    let mut seconds: BTreeMap<(&Option<String>, &str), (usize, f64)> = BTreeMap::new();
    let mut rows = 0;
    for write in writes {
        let now = rows / ROWS_A_SECOND;
        rows += usize::from(write.index.is_none());
        let second = seconds.entry((&write.index, &write.partition)).or_default();
        *second = if second.0 == now { (now, second.1 + write.units) } else { (now, write.units) };
        let key = keys.entry((kind_of(write), &write.partition)).or_default();
        key.units += write.units;
        key.second = key.second.max(second.1);
    }
    let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
    for ((name, _), key) in keys {
        let kind = kinds.entry(name).or_default();
        kind.keys += 1;
        kind.units += key.units;
        kind.largest = kind.largest.max(key.units);
        kind.second = kind.second.max(key.second);
    }
    kinds
}

/// The key with its ids left out.
fn kind_of(write: &Write) -> String {
    let Some(index) = &write.index else {
        let place = write.partition.split('/').nth(2).unwrap_or("the organization");
        let name = match place {
            "a" => "an address: messages",
            "k" => "a pack",
            "src" => "the import: itself, its file and pages",
            "t" => "the time line, by month and shard",
            other => other,
        };
        return format!("table: {name}");
    };
    let shard = write.partition.split('/').take(2).collect::<Vec<_>>().join("/");
    format!("index `{index}`: `{shard}`, by shard")
}
