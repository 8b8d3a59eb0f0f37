//! What must hold when all is quiet, whatever went wrong: held against what the
//! simulated providers really received, and recounted from the rows.

mod people;

use std::collections::{BTreeMap, BTreeSet};

use carillon_domain::CampaignId;
use carillon_domain::message::{DecisionKind, Direction, EventKind, Message, Source, State};
use carillon_domain::statistics::{Bucket, Fact, date};
use carillon_simulator::Received;
use carillon_store::Item;

use crate::person::Promise;
use crate::plot::{Note, Noted};
use crate::quiet;
use crate::stage::Stage;
use crate::story::Allowed;

/// What a person would have to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// Promised, and it never came to an end.
    Lost(String),
    /// A provider has it twice.
    Twice(String),
    /// A row that nothing will ever look at again.
    WaitsNowhere(String),
    /// It never gets quiet.
    Restless,
    /// We say something that is not so.
    Untrue(String),
    /// Counts that differ from a recount.
    Miscounted(String),
    /// Handed over after the opt-out was stored.
    OptedOut(String),
    /// What the SDK's own retry takes care of left a trace.
    Trace(String),
    /// A body ended among the dead letters.
    DeadLetter(String),
}

/// What was found at the end of a run.
#[derive(Debug, Default)]
pub struct Found {
    pub violations: Vec<Violation>,
    pub messages: Vec<Message>,
    /// Messages that are held as Unknown, visibly.
    pub held: usize,
    /// Messages that reached a final state.
    pub ended: usize,
}

/// Everything, once all is quiet.
pub async fn check(stage: &Stage, allowed: &Allowed, is_quiet: bool) -> Found {
    let rows = quiet::rows(stage).await;
    let messages: Vec<Message> = rows
        .iter()
        .filter(|row| text(row, "sk").starts_with("m/"))
        .map(|row| carillon_store::read_message(row).expect("a row that can be read"))
        .collect();
    let received = stage.received().await;
    let mut found = Found::default();
    if !is_quiet {
        found.violations.push(Violation::Restless);
    }
    promises(stage, &rows, &messages, &mut found).await;
    campaigns(stage, &rows, &messages, &mut found).await;
    people::contacts(stage, &rows, &mut found).await;
    people::registrations(&rows, &mut found);
    people::campaigns(&rows, &mut found);
    states(&messages, &received, allowed, &mut found);
    doubles(&received, allowed, &mut found);
    statistics(stage, &messages, &mut found).await;
    opt_outs(&stage.plot.notes(), &mut found);
    dead_letters(stage, &mut found);
    if stage.plot.point().is_some_and(|point| point.is_absorbed()) {
        traces(&messages, allowed, &mut found);
    }
    found.messages = messages;
    found
}

/// What was answered 2xx exists, whole and counted.
async fn promises(stage: &Stage, rows: &[Item], messages: &[Message], found: &mut Found) {
    for promise in stage.promised() {
        match promise {
            Promise::Message { id } => {
                if !messages.iter().any(|m| m.id.to_string() == id) {
                    found.violations.push(Violation::Lost(format!("{id} has no row")));
                }
            }
            Promise::Gets { to, texts } => {
                for text in texts {
                    if !messages.iter().any(|m| is_said(m, &to, &text)) {
                        found.violations.push(Violation::Lost(format!("“{text}” for {to}")));
                    }
                }
            }
            Promise::NeverGets { to, texts } => {
                let said = |m: &&Message| texts.iter().any(|text| is_said(m, &to, text));
                if let Some(m) = messages.iter().find(said) {
                    let detail = format!("{} was sent all the same: {:?}", m.id, m.state);
                    found.violations.push(Violation::Untrue(detail));
                }
            }
            Promise::People { id, contacts, counts } => {
                people::file(stage, rows, (&id, &contacts, counts), found).await;
            }
            Promise::Import { id, numbers, duplicates, rejected } => {
                let import = id.parse().expect("an id");
                let of_it =
                    |m: &&Message| matches!(m.source, Source::Import { id, .. } if id == import);
                let planned: BTreeSet<String> =
                    messages.iter().filter(of_it).map(|m| m.address.clone()).collect();
                let count = messages.iter().filter(of_it).count();
                for missing in numbers.difference(&planned) {
                    found.violations.push(Violation::Lost(format!("{missing} of the file")));
                }
                let stored = stage.stack.ctx.store.import(stage.stack.org, import).await;
                let Some(stored) = stored.expect("the table answers") else {
                    found.violations.push(Violation::Lost(format!("{id} has no row")));
                    continue;
                };
                let progress = stored.progress;
                let said = (progress.accepted, progress.duplicates, progress.rejected);
                let said = (u64::from(said.0), u64::from(said.1), u64::from(said.2));
                let counted = (u64::try_from(count).expect("few"), duplicates, rejected);
                if said != counted || !stored.is_planned() || stored.failed.is_some() {
                    let detail = format!("import says {said:?}, rows {counted:?}");
                    found.violations.push(Violation::Miscounted(detail));
                }
            }
        }
    }
    // A pack that is left behind would be found by nobody.
    for pack in rows.iter().filter(|row| text(row, "sk") == "k") {
        if text(pack, "sg") != "d" && !pack.contains_key("due") {
            found.violations.push(Violation::WaitsNowhere(format!("pack {}", text(pack, "pk"))));
        }
    }
}

/// Whether that was sent to this number, or may have been.
fn is_said(m: &Message, to: &str, text: &str) -> bool {
    let is_sent = match &m.state {
        State::Accepted { .. }
        | State::Delivered { .. }
        | State::Read { .. }
        | State::Unknown { .. }
        | State::Failed { accepted: true, .. } => true,
        State::Scheduled
        | State::Sending { .. }
        | State::Failed { accepted: false, .. }
        | State::Cancelled { .. }
        | State::Suppressed { .. }
        | State::Received => false,
    };
    is_sent && m.address == to && m.content.body == text
}

/// A campaign's batches hold each of its messages once, and nobody waits to be
/// planned.
async fn campaigns(stage: &Stage, rows: &[Item], messages: &[Message], found: &mut Found) {
    let mut of: BTreeMap<CampaignId, u64> = BTreeMap::new();
    for id in messages.iter().filter_map(|m| m.campaign) {
        *of.entry(id).or_default() += 1;
    }
    let (store, org) = (&stage.stack.ctx.store, stage.stack.org);
    for (id, messages) in of {
        let batches = store.batches(org, id).await.expect("the table answers");
        let sources: Vec<_> = batches.iter().map(|b| b.source).collect();
        let counted = store.counted_of(org, &sources).await.expect("the table answers");
        let counted: usize = counted.iter().map(BTreeMap::len).sum();
        if u64::try_from(counted).ok() != Some(messages) {
            let detail = format!("{id}: {counted} in its batches, {messages} rows");
            found.violations.push(Violation::Miscounted(detail));
        }
    }
    for row in rows.iter().filter(|row| text(row, "sk").starts_with("l/")) {
        let detail = format!("{} has left, and nobody looks", text(row, "pk"));
        found.violations.push(Violation::WaitsNowhere(detail));
    }
}

/// Each message has come to an end, and the end is true.
fn states(messages: &[Message], received: &[Received], allowed: &Allowed, found: &mut Found) {
    let mut taken: BTreeMap<String, u32> = BTreeMap::new();
    for call in received.iter().filter(|call| call.accepted) {
        *taken.entry(message_of(call)).or_default() += 1;
    }
    for m in messages.iter().filter(|m| m.direction == Direction::Outbound) {
        let id = m.id.to_string();
        let taken = taken.get(&id).copied().unwrap_or(0);
        let untrue = |what: &str| {
            Violation::Untrue(format!("{id} is {what}; the provider has it {taken} times"))
        };
        match &m.state {
            State::Unknown { held: true, .. } => {
                found.held += 1;
                if !m.decisions.iter().any(|d| d.kind == DecisionKind::Hold) {
                    found.violations.push(untrue("held without a reason"));
                }
            }
            State::Scheduled | State::Sending { .. } | State::Unknown { held: false, .. } => {
                let violation = if m.due.is_none() {
                    Violation::WaitsNowhere(format!("{id}: {:?}", m.state))
                } else {
                    Violation::Lost(format!("{id}: {:?}", m.state))
                };
                found.violations.push(violation);
            }
            State::Accepted { .. } | State::Delivered { .. } | State::Read { .. } => {
                found.ended += 1;
                if taken == 0 {
                    found.violations.push(untrue("sent"));
                }
            }
            State::Failed { accepted: true, .. } => {
                found.ended += 1;
                if taken == 0 {
                    found.violations.push(untrue("undelivered"));
                }
            }
            State::Failed { accepted: false, failure, .. } => {
                found.ended += 1;
                if taken > 0 {
                    found.violations.push(untrue("failed"));
                } else if !allowed.failures.contains(&failure.code.as_str()) {
                    let lost = format!("{id} failed: {} {}", failure.code, failure.detail);
                    found.violations.push(Violation::Lost(lost));
                }
            }
            State::Cancelled { .. } | State::Suppressed { .. } => {
                found.ended += 1;
                if taken > 0 {
                    found.violations.push(untrue("cancelled or suppressed"));
                }
            }
            State::Received => {}
        }
    }
}

/// No text is with the provider twice.
fn doubles(received: &[Received], allowed: &Allowed, found: &mut Found) {
    let mut taken: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for call in received.iter().filter(|call| call.accepted) {
        *taken.entry((&call.to, &call.body)).or_default() += 1;
    }
    for ((to, _), count) in taken.into_iter().filter(|(_, count)| *count > allowed.copies) {
        found.violations.push(Violation::Twice(format!("{to} has it {count} times")));
    }
}

/// The counters are a recount of the rows.
async fn statistics(stage: &Stage, messages: &[Message], found: &mut Found) {
    let mut recounted: BTreeMap<(String, String), i64> = BTreeMap::new();
    for message in messages {
        let fact = Fact::of(message);
        let mut add = |name: String| {
            *recounted.entry((date(fact.day), name)).or_default() += 1;
        };
        add(fact.bucket.as_str().to_owned());
        if let Some(error) = &fact.error {
            add(format!("e|{error}"));
        }
    }
    let counters = stage.stack.ctx.store.counters(stage.stack.org, "2000-01-01", "2100-01-01");
    let mut counted: BTreeMap<(String, String), i64> = BTreeMap::new();
    for day in counters.await.expect("the table answers") {
        for (name, value) in day.values {
            if value != 0 && !name.starts_with("micros|") {
                *counted.entry((day.date.clone(), name)).or_default() += value;
            }
        }
    }
    if counted != recounted {
        let detail = format!("statistics {counted:?}, rows {recounted:?}");
        found.violations.push(Violation::Miscounted(detail));
    }
    // Each message is in one bucket.
    let known: BTreeSet<&str> = Bucket::ALL.iter().map(|bucket| bucket.as_str()).collect();
    let in_buckets: i64 =
        counted.iter().filter(|((_, name), _)| known.contains(name.as_str())).map(|(_, n)| n).sum();
    if in_buckets != i64::try_from(messages.len()).expect("few") {
        let detail = format!("{in_buckets} in buckets, {} rows", messages.len());
        found.violations.push(Violation::Miscounted(detail));
    }
}

/// Who claims has asked, and would have been told.
fn opt_outs(notes: &[Noted], found: &mut Found) {
    for (place, claim) in notes.iter().enumerate().filter(|(_, n)| n.what == Note::Claimed) {
        let before = || notes.iter().take(place).rev().filter(|n| n.address == claim.address);
        let Some(asked) = before().find(|n| n.what == Note::Asked) else {
            let detail = "claimed without having asked".to_owned();
            found.violations.push(Violation::OptedOut(detail));
            continue;
        };
        // What was stored before it asked, and not lifted since.
        let said = before()
            .skip_while(|n| *n != asked)
            .find(|n| matches!(n.what, Note::OptedOut | Note::Lifted));
        if said.is_some_and(|n| n.what == Note::OptedOut) {
            found.violations.push(Violation::OptedOut("claimed after the opt-out".to_owned()));
        }
    }
}

fn dead_letters(stage: &Stage, found: &mut Found) {
    for queue in ["sms-transactional-dead", "sms-bulk-dead", "receive-dead"] {
        let depth = stage.stack.engines.queues().depth(queue).unwrap_or_default();
        if depth.visible + depth.in_flight + depth.delayed > 0 {
            found.violations.push(Violation::DeadLetter(queue.to_owned()));
        }
    }
}

/// A write that the SDK repeats knows its own work: each message took one
/// attempt, and none became Unknown.
fn traces(messages: &[Message], allowed: &Allowed, found: &mut Found) {
    for m in messages.iter().filter(|m| m.direction == Direction::Outbound) {
        let is_unknown = m.first(EventKind::Unknown).is_some();
        if m.attempts.len() > allowed.attempts || (is_unknown && !allowed.unknown) {
            let detail = format!("{}: {} attempts", m.id, m.attempts.len());
            found.violations.push(Violation::Trace(detail));
        }
    }
}

/// Our message's id, as the provider was given it to call back.
fn message_of(call: &Received) -> String {
    let query = call.reference.as_deref().and_then(|url| url.split_once('?'));
    let pairs = query.map_or("", |(_, pairs)| pairs).split('&');
    pairs.filter_map(|pair| pair.strip_prefix("m=")).next().unwrap_or_default().to_owned()
}

pub fn text<'a>(row: &'a Item, name: &str) -> &'a str {
    row.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}
