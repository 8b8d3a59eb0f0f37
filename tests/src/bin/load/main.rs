//! How fast, how steady, how large: `cargo run --release -p carillon-tests --bin load -- <what>`.
//!
//! Each measurement prints Markdown; `--write` puts it into `docs/performance.md`, between its markers. What is
//! promised is asserted: the command ends with an error when a promise is not kept. Real time is measured here
//! and nowhere in the ordinary tests, since it is only worth something on a machine that is quiet.

mod bench;
mod core;
mod fairness;
mod machine;
mod memory;
mod pages;
mod planning;
mod rates;
mod sender;
mod server;
mod stack;

use anyhow::{Result, bail};
use carillon_local::options::Settings;
use carillon_local::{serve, simulator};
use carillon_tests::document;
use tokio::runtime::{Builder, Runtime};

/// All measurements, in the order of the document.
const ALL: [&str; 8] =
    ["stack", "sender", "core", "planning", "memory", "fairness", "rates", "pages"];

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_default();
    match what.as_str() {
        // This program is also the server that is measured, and the provider on its other side.
        server::COMMAND => threads()?.block_on(serve::run(Settings::from_env()?)),
        simulator::COMMAND => threads()?.block_on(simulator::main(arguments)),
        _ => measure(&what, arguments.any(|argument| argument == "--write")),
    }
}

fn measure(what: &str, write: bool) -> Result<()> {
    let chosen: Vec<&str> = ALL.into_iter().filter(|name| what == "all" || *name == what).collect();
    if chosen.is_empty() {
        bail!("load -- <what> [--write], where <what> is all or one of: {}", ALL.join(", "));
    }
    for name in chosen {
        let report = match name {
            "stack" => {
                // One thread for the functions: all others are the engines'.
                let by_function = one_thread()?.block_on(stack::by_function())?;
                format!("{}\n\n{by_function}", threads()?.block_on(stack::throughput())?)
            }
            "sender" => threads()?.block_on(sender::measure())?,
            "core" => core::measure()?,
            "planning" => threads()?.block_on(planning::measure())?,
            "memory" => threads()?.block_on(memory::measure())?,
            "fairness" => threads()?.block_on(fairness::measure())?,
            "pages" => threads()?.block_on(pages::measure())?,
            _ => threads()?.block_on(rates::measure())?,
        };
        document::say(&report);
        if write {
            document::write("performance.md", &format!("load:{name}"), &report)?;
        }
    }
    Ok(())
}

fn threads() -> Result<Runtime> {
    Ok(serve::runtime()?)
}

fn one_thread() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}
