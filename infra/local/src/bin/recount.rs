//! Counts the message rows and holds them against the statistics.
//!
//! ```text
//! cargo run -p carillon-local --bin recount -- --data .carillon [--fix]
//! cargo run -p carillon-local --bin recount -- --table <name> [--fix]
//! ```
//!
//! `--data`: the folder of a local stack that is not running. `--table`: a table
//! on AWS, with the credentials and region of the environment; whoever runs it
//! needs Scan and Query, and with `--fix` GetItem, PutItem and UpdateItem. Exit
//! status 1 when something differs (and was not fixed).

#![expect(clippy::print_stdout, reason = "a report for people")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use carillon_local::engines::Engines;
use carillon_local::stack::TABLE;
use carillon_rollup::recount::{Recount, fix, recount};
use carillon_runtime::Clock;
use carillon_store::Store;

enum Of {
    Folder(PathBuf),
    Table(String),
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let (of, repair) = arguments(std::env::args().skip(1))?;
    let now = Clock::System.now();
    let store = match of {
        Of::Folder(folder) => {
            if !folder.join("tables.db").exists() {
                bail!("{} holds no tables", folder.display());
            }
            let engines = Engines::open(Some(&folder), Arc::new(|| Clock::System.now()))?;
            Store::new(engines.dynamodb(), TABLE)
        }
        Of::Table(name) => carillon_runtime::context::store_of(&name).await,
    };
    let found = if repair { fix(&store, now).await? } else { recount(&store, now).await? };
    print(&found, repair);
    Ok(if repair || found.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn arguments(mut given: impl Iterator<Item = String>) -> anyhow::Result<(Of, bool)> {
    let (mut of, mut repair) = (None, false);
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--fix" => repair = true,
            "--data" => of = Some(Of::Folder(given.next().context("--data <folder>")?.into())),
            "--table" => of = Some(Of::Table(given.next().context("--table <name>")?)),
            other => bail!("there is no “{other}”; there are --data, --table and --fix"),
        }
    }
    Ok((of.context("say which: --data <folder> or --table <name>")?, repair))
}

fn print(found: &Recount, repaired: bool) {
    for d in &found.differences {
        println!(
            "{} {} {} {}: counted {}, the rows say {}{}",
            d.org,
            d.date,
            d.channel,
            d.name,
            d.counted,
            d.rows,
            if repaired { " (fixed)" } else { "" }
        );
    }
    let differences = found.differences.len();
    println!("{} messages, {differences} counters differ", found.messages);
    if found.is_behind {
        println!("Rollup has not seen all changes yet: some may be its backlog.");
    }
}
