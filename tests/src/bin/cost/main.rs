//! What a message costs: `cargo run -p carillon-tests --bin cost`.
//!
//! Sends a file of a thousand recipients and a single message through the whole stack, with a clock that is moved
//! by hand, until the receipts are in and the packs are closed a day later. Prints what the engines counted and
//! what DynamoDB's own rules make of the rows that were written, side by side. `--write` also measures what takes
//! longer (caps, deferrals, slow rates) and puts all tables into `docs/data-model.md`, between the markers. Ends with an error when a bulk message costs more than it may.

mod formula;
mod more;
mod over_time;
mod prices;
mod purpose;
mod report;
mod rollup;
mod run;

use anyhow::{Result, ensure};
use carillon_tests::document;

use more::More;
use report::Runs;
use run::Setting;
use serde_json::json;

/// Write units of one message of a file: the promise.
const MOST_WRITES: f64 = 4.5;
/// Shards of the stream that a new on-demand table has.
const SHARDS: usize = 4;

#[tokio::main]
async fn main() -> Result<()> {
    let write = std::env::args().skip(1).any(|argument| argument == "--write");
    let plain = Setting::default();
    let price = json!({"+61": {"amount": "0.0515", "currency": "USD"}});
    let priced = Setting { integration: json!({"price_table": price}), ..Setting::default() };
    let runs = Runs {
        bulk: run::bulk(SHARDS, &plain).await?,
        one_shard: run::bulk(1, &plain).await?,
        priced: run::bulk(SHARDS, &priced).await?,
        single: run::single(&plain).await?,
    };
    let more = if write { Some(More::measure().await?) } else { None };
    let mut report = report::markdown(&runs);
    if let Some(more) = &more {
        report.push_str("\n\n");
        report.push_str(&more.markdown(&runs));
    }
    document::say(&report);
    let all = [&runs.bulk, &runs.one_shard, &runs.priced, &runs.single];
    for run in all.into_iter().chain(more.iter().flat_map(More::runs)) {
        run.agrees()?;
    }
    if write {
        document::write("data-model.md", "cost", &report)?;
    }
    let writes = runs.bulk.writes();
    ensure!(
        writes <= MOST_WRITES,
        "a bulk message costs {writes:.2} write units, over {MOST_WRITES}"
    );
    Ok(())
}
