//! What is not the plain case: caps, deferrals, slow identities, and a month without a message.

use std::fmt::Write as _;

use anyhow::{Result, ensure};
use carillon_runtime::config::Tuning;
use carillon_tests::{Setup, World};
use serde_json::{Value, json};

use crate::report::{Runs, invocations, number, shown, usd};
use crate::run::{self, MESSAGES, Run, Setting};
use crate::{SHARDS, over_time, prices};

/// Minutes of a month of thirty days.
const MINUTES: f64 = 43_200.0;
/// Lambda's pollers of a queue that nothing is on, and receives of each in a minute: five, 20 s long. Source:
/// Lambda Developer Guide, "Using Lambda with Amazon SQS", polling and scaling behaviour.
const POLLERS: f64 = 5.0;
const RECEIVES_A_MINUTE: f64 = 3.0;
const QUEUES: f64 = 3.0;

pub struct More {
    /// Name, run, what it buys.
    rows: Vec<(String, Run, &'static str)>,
    idle_reads: f64,
}

impl More {
    pub async fn measure() -> Result<Self> {
        let settings = |settings: Value| Setting { settings, ..Setting::default() };
        let cap = settings(json!({"max_per_contact_per_day": 5}));
        let hourly = settings(json!({"max_per_hour": MESSAGES / 2}));
        // It is evening where the numbers are.
        let quiet = settings(json!({
            "quiet_hours": {"start": "19:00", "end": "21:00", "channels": ["sms"]},
        }));
        let mut rows = vec![
            (
                "campaign, cap a contact".to_owned(),
                run::bulk(SHARDS, &cap).await?,
                "no person gets more than so many a day, whoever sends side by side",
            ),
            (
                "campaign, cap an hour: half of it waits an hour".to_owned(),
                over_time::bulk(&hourly).await?,
                "each message that waits says why and until when",
            ),
            (
                "campaign, all of it in quiet hours".to_owned(),
                over_time::bulk(&quiet).await?,
                "each waits by itself, with its reason, and they do not go in one burst",
            ),
            ("single, cap a contact".to_owned(), run::single(&cap).await?, "as above"),
            ("single, in quiet hours".to_owned(), over_time::single(&quiet).await?, "as above"),
        ];
        for rate in [1, 10, 100, 1_000] {
            let slow =
                Setting { integration: json!({"rate_per_second": rate}), ..Setting::default() };
            let run = over_time::bulk(&slow).await?;
            let name = format!("campaign, {rate} parts/s");
            rows.push((
                name,
                run,
                "slots: reservations of seconds, and a function that waits for them",
            ));
        }
        Ok(Self { rows, idle_reads: idle().await? })
    }

    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.rows.iter().map(|(_, run, _)| run)
    }

    pub fn markdown(&self, runs: &Runs) -> String {
        let mut out = "### What else costs, and what it buys\n\n\
                       | a message | write units | read units | SQS requests | invocations | seconds held | USD a \
                       million | buys |\n|---|--:|--:|--:|--:|--:|--:|---|\n"
            .to_owned();
        row(&mut out, "campaign", &runs.bulk, "");
        row(&mut out, "single", &runs.single, "");
        for (name, run, buys) in &self.rows {
            row(&mut out, name, run, buys);
        }
        out.push_str(
            "\nSeconds held: a sender waits inside its function, at most 55 s at a time, for the slots of its account \
             (measured: what the clock moved on within invocations); they are in the price as Lambda time. Firings of \
             the schedule that found nothing are left out here: they are the month's, below; the one that finds a single is \
             counted whole (32 read units), though it serves all that are due. Rollup's windows are the same as above, though a slow send has more of them: see the table before.\n\n\
             ### A month without a message\n\n",
        );
        out.push_str(&self.month());
        out.trim_end().to_owned()
    }

    fn month(&self) -> String {
        let reads = MINUTES * self.idle_reads;
        let receives = MINUTES * QUEUES * POLLERS * RECEIVES_A_MINUTE;
        let seconds = MINUTES * prices::milliseconds("queue-processor, idle", 0) / 1_000.0;
        let lines = [
            ("read units: each minute's look at what is due", reads, reads * prices::READS / 1e6),
            ("invocations of the queue processor", MINUTES, MINUTES * prices::INVOCATIONS / 1e6),
            ("seconds of it (assumed: 150 ms)", seconds, seconds * prices::GB * prices::GB_SECOND),
            (
                "SQS receives: Lambda's five pollers a queue, 20 s each",
                receives,
                receives * prices::QUEUE_REQUESTS / 1e6,
            ),
            ("the KMS key", 1.0, prices::KMS_KEY),
        ];
        let mut out = "| | count | USD |\n|---|--:|--:|\n".to_owned();
        for (name, count, usd) in lines {
            let _ = writeln!(out, "| {name} | {count:.0} | {usd:.2} |");
        }
        let all: f64 = lines.iter().map(|(.., usd)| usd).sum();
        let _ = writeln!(
            out,
            "| **all** | | **{all:.2}** |\n\nThe stream's pollers are free of charge. Logs, alarms and storage are left \
             out. A look is {} read units.",
            shown(self.idle_reads)
        );
        out
    }
}

fn row(out: &mut String, name: &str, run: &Run, buys: &str) {
    let requests: u64 = run.steps.iter().map(run::Step::queue_requests).sum();
    let invoked: usize = invocations(run).values().sum();
    let _ = writeln!(
        out,
        "| {name} | {} | {} | {} | {} | {} | {:.2} | {buys} |",
        shown(run.writes()),
        shown(run.reads()),
        shown(run.a_message(number(requests))),
        shown(run.a_message(number(invoked as u64))),
        shown(run.a_message(run.held)),
        usd(run).iter().sum::<f64>(),
    );
}

/// Read units of one firing of the schedule when nothing waits.
async fn idle() -> Result<f64> {
    let world = World::with(Setup { tuning: Tuning::default(), ..Setup::default() }).await;
    world.stack.engines.meter().reset();
    let report = world.stack.tick().await;
    ensure!(report == Default::default(), "{report:?}");
    Ok(world.stack.engines.meter().reset().units().read)
}
