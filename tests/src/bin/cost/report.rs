//! The tables, as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use carillon_local::engines::meter::Count;

use crate::run::{Run, Step, kms};
use crate::{MOST_WRITES, SHARDS, prices, purpose};

/// The four runs.
pub struct Runs {
    pub bulk: Run,
    pub one_shard: Run,
    pub priced: Run,
    pub single: Run,
}

pub fn markdown(runs: &Runs) -> String {
    let mut out = String::new();
    let Runs { bulk, single, .. } = runs;
    let shards = SHARDS;
    let _ = write!(
        out,
        "Written by `cargo run -p carillon-tests --bin cost -- --write`; do not edit. A file of 1,000 \
         recipients and one single message go through the whole stack (pages and packs of 100, Twilio with callbacks \
         `sent` and `delivered`, one segment, no price table), to the last receipt and to the closing of the packs a \
         day later. Everything is counted: rollup, cursors, leases, indexes, time line, the stored file, failed \
         conditions. Rollup is fed as the template does it: messages only, {shards} shards (a new on-demand table has \
         as many), up to 1,000 records an invocation, one batching window after planning, one after sending, one \
         after the receipts.\n\n\
         **Write units a message: {:.2} in bulk (promise: ≤ {MOST_WRITES}), {:.0} single.** Two figures are held \
         against each other at each step, and the command fails when they differ: what the engine counted, and what \
         DynamoDB's rules make of each row before and after its change, as the stream shows them.\n\n",
        bulk.writes(),
        single.writes(),
    );
    for (title, run) in [("Bulk", bulk), ("Single", single)] {
        let _ = write!(out, "### {title}: by step\n\n{}\n", steps(run));
        let _ = write!(out, "### {title}: write units by purpose\n\n{}\n", purposes(run));
        let _ = write!(out, "### {title}: by operation\n\n{}\n", operations(run));
    }
    let _ = write!(out, "### USD a million messages\n\n{}\n", money(runs));
    let _ = write!(out, "### What rollup depends on\n\n{}", sensitivity(runs));
    out.trim_end().to_owned()
}

fn steps(run: &Run) -> String {
    let mut out = "| step, a message | write units, engine | write units, formula | read units | SQS requests | \
                   invocations | failed conditions |\n|---|--:|--:|--:|--:|---|--:|\n"
        .to_owned();
    let a = |total: f64| run.a_message(total);
    let mut sums = [0.0; 4];
    for step in &run.steps {
        let units = step.counted.units();
        let row = [units.write, step.formula(), units.read, number(step.queue_requests())];
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        let [write, formula, read, requests] = row.map(|value| shown(a(value)));
        let failed: u64 = step.counted.operations.values().map(|c| c.failed_conditions).sum();
        let invocations: Vec<String> = step
            .invocations
            .iter()
            .map(|(name, count)| format!("{name} {}", shown(a(number(*count as u64)))))
            .collect();
        let (name, invocations) = (step.name, invocations.join(", "));
        let _ = writeln!(
            out,
            "| {name} | {write} | {formula} | {read} | {requests} | {invocations} | {failed} |"
        );
    }
    let [write, formula, read, requests] = sums.map(|sum| format!("**{}**", shown(a(sum))));
    let invocations = shown(a(number(invocations(run).values().map(|n| *n as u64).sum())));
    let _ = writeln!(
        out,
        "| **all** | {write} | {formula} | {read} | {requests} | **{invocations}** | |"
    );
    out
}

fn purposes(run: &Run) -> String {
    let mut out =
        "| purpose | writes a message | write units a message |\n|---|--:|--:|\n".to_owned();
    for (name, writes, units) in purpose::by_formula(run) {
        let writes = shown(run.a_message(f64::from(writes)));
        let _ = writeln!(out, "| {name} | {writes} | {} |", shown(run.a_message(units)));
    }
    out
}

/// Over all steps, as the engine counted them.
fn operations(run: &Run) -> String {
    let mut all: BTreeMap<String, (u64, f64, f64, u64)> = BTreeMap::new();
    for (name, count) in run.steps.iter().flat_map(counts) {
        let sum = all.entry(name).or_default();
        sum.0 += count.calls;
        sum.1 += count.units.write;
        sum.2 += count.units.read;
        sum.3 += count.billed_requests;
    }
    let mut out = "| operation and kind of row | calls a message | write units | read units | billed requests |\n\
                   |---|--:|--:|--:|--:|\n"
        .to_owned();
    for (name, (calls, write, read, billed)) in all {
        let [calls, write, read, billed] =
            [number(calls), write, read, number(billed)].map(|total| shown(run.a_message(total)));
        let _ = writeln!(out, "| {name} | {calls} | {write} | {read} | {billed} |");
    }
    out.push_str(
        "\nKinds of rows: `m` message, `p` page, `k` pack, `i` import, `f` piece of the file, `q` side row of rollup, \
         `s` suppression, `int` integration, `#` time line. Receives that found nothing are left out here: a \
         poller's pace decides how many there are.\n",
    );
    out
}

/// Rows where the engine knows them, else operations.
fn counts(step: &Step) -> Vec<(String, Count)> {
    let mut all: Vec<(String, Count)> =
        step.counted.rows.iter().map(|(name, count)| (name.clone(), count.clone())).collect();
    for (name, count) in &step.counted.operations {
        let mut rest = count.clone();
        let plain = name.split(':').next_back().unwrap_or(name);
        for (row, known) in &step.counted.rows {
            if row.split(' ').next() == Some(plain) {
                rest.calls -= known.calls;
                rest.units.write -= known.units.write;
                rest.units.read -= known.units.read;
            }
        }
        if plain == "ReceiveMessage" {
            rest.calls -= step.empty_receives;
            rest.billed_requests -= step.empty_receives;
        }
        if rest.calls > 0 {
            all.push((plain.to_owned(), rest));
        }
    }
    all
}

pub fn invocations(run: &Run) -> BTreeMap<&'static str, usize> {
    let mut all = BTreeMap::new();
    for (name, count) in run.steps.iter().flat_map(|step| &step.invocations) {
        *all.entry(*name).or_default() += *count;
    }
    all
}

/// USD a million messages: writes, reads, queue requests, invocations, time, API requests, keys.
pub fn usd(run: &Run) -> [f64; 7] {
    let requests: u64 = run.steps.iter().map(Step::queue_requests).sum();
    let keys: u64 = run.steps.iter().map(|step| kms(&step.counted)).sum();
    let invoked = invocations(run);
    let count: usize = invoked.values().sum();
    let seconds: f64 = invoked
        .iter()
        .map(|(name, n)| number(*n as u64) * prices::milliseconds(name, run.messages) / 1_000.0)
        .sum();
    let api = invoked.get("admin-api").copied().unwrap_or(0);
    [
        run.writes() * prices::WRITES,
        run.reads() * prices::READS,
        run.a_message(number(requests)) * prices::QUEUE_REQUESTS,
        run.a_message(number(count as u64)) * prices::INVOCATIONS,
        run.a_message(seconds + run.held) * prices::GB * prices::GB_SECOND * 1e6,
        run.a_message(number(api as u64)) * prices::API_REQUESTS,
        run.a_message(number(keys)) * prices::KMS_REQUESTS,
    ]
}

fn money(runs: &Runs) -> String {
    let lines = [usd(&runs.bulk), usd(&runs.single)];
    let names = [
        "DynamoDB writes",
        "DynamoDB reads",
        "SQS requests",
        "Lambda invocations",
        "Lambda time (assumed durations, 256 MB)",
        "HTTP API requests",
        "KMS (once a cold start; none here)",
    ];
    let mut out = "| | bulk | single |\n|---|--:|--:|\n".to_owned();
    for (place, name) in names.iter().enumerate() {
        let _ = writeln!(out, "| {name} | {:.2} | {:.2} |", lines[0][place], lines[1][place]);
    }
    let [bulk, single] = lines.map(|line| line.iter().sum::<f64>());
    let _ = writeln!(out, "| **all** | **{bulk:.2}** | **{single:.2}** |");
    let _ = write!(
        out,
        "\nPrices of us-east-1, {}, in USD a million: write units {}, read units {} (Amazon DynamoDB pricing, \
         on-demand), SQS requests {} (Amazon SQS pricing, standard queue), invocations {} and {} a GB-second (AWS \
         Lambda pricing, arm64), HTTP API requests {} (Amazon API Gateway pricing), KMS requests {} (AWS KMS \
         pricing). Free tiers, storage, logs, traffic and the provider's own price are left out; so are pollers and \
         the minute's look at what is due while nothing is sent.\n",
        prices::DATE,
        prices::WRITES,
        prices::READS,
        prices::QUEUE_REQUESTS,
        prices::INVOCATIONS,
        prices::GB_SECOND,
        prices::API_REQUESTS,
        prices::KMS_REQUESTS,
    );
    out
}

/// Measured, and for other paces by the same rule: a batch costs two units a side row that it touches and two for
/// the day's counters.
fn sensitivity(runs: &Runs) -> String {
    let mut out =
        "| bulk, measured | rollup invocations | write units a message |\n|---|--:|--:|\n"
            .to_owned();
    let measured = [
        (format!("{SHARDS} shards, one window a step"), &runs.bulk),
        (format!("{SHARDS} shards, with a price table"), &runs.priced),
        ("1 shard".to_owned(), &runs.one_shard),
    ];
    for (name, run) in measured {
        let invoked = invocations(run).get("rollup").copied().unwrap_or(0);
        let _ = writeln!(out, "| {name} | {invoked} | {:.2} |", run.writes());
    }
    let rollup = |step: &&Step| step.name.starts_with("rollup");
    let steady: f64 = runs.bulk.steps.iter().filter(rollup).skip(1).map(Step::formula).sum();
    let base = runs.bulk.writes() - runs.bulk.a_message(steady);
    out.push_str(
        "\nA large send at a steady pace, by the rule that a batch costs two units for each side row of 200 messages \
         that it touches and two for the day's counters; sent in the file's order, results and receipts in one window:\n\n\
         | messages a second | window 10 s | window 60 s | window 300 s |\n|--:|--:|--:|--:|\n",
    );
    for pace in [1.0_f64, 10.0, 50.0, 100.0] {
        let cells = [10.0_f64, 60.0, 300.0].map(|window| {
            // A claim, a result and a receipt are three records; each shard has at least one batch.
            let sent = pace * window;
            let batches = (3.0 * sent / 1_000.0).max(number(SHARDS as u64));
            let sent_in_a_batch = sent.min(number(SHARDS as u64) * 1_000.0 / 3.0);
            let rows = (sent_in_a_batch / 200.0).ceil() + 1.0;
            format!("{:.2}", base + batches * 2.0 * (rows + 1.0) / sent)
        });
        let _ = writeln!(out, "| {pace:.0} | {} |", cells.join(" | "));
    }
    out.push_str(
        "\n`RollupWindowSeconds` of the template is the window: a slow sender is cheaper with a longer one.\n",
    );
    out
}

#[expect(clippy::cast_precision_loss, reason = "counts of a thousand messages")]
pub fn number(count: u64) -> f64 {
    count as f64
}

pub fn shown(value: f64) -> String {
    let text = format!("{value:.3}");
    let trimmed = text.trim_end_matches('0').trim_end_matches('.');
    if trimmed.is_empty() { "0".to_owned() } else { trimmed.to_owned() }
}
