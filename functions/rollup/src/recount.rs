//! A recount: what the message rows say, held against the counters.
//!
//! An operator's command, not a function: it reads the whole table. It may run
//! beside everything else. Counters and side rows change in one transaction, so
//! their difference is the same before and after any work of rollup; it is
//! measured while they stand still, and added once.

use std::collections::{BTreeMap, BTreeSet};

use carillon_domain::OrgId;
use carillon_domain::statistics::{self, Fact, date};
use carillon_store::{Census, Counters, Item, Scanned, Store, StoreError};
use jiff::Timestamp;

use crate::{add, count_all, note};

/// Looks at a table on which there is work; each reads it once.
const ROUNDS: usize = 6;

/// By organization, day and channel.
type Sums = BTreeMap<(OrgId, String, String), BTreeMap<String, i64>>;

#[derive(Debug, thiserror::Error)]
pub enum RecountError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the counters changed at each look; try again at a quieter time")]
    Busy,
    #[error("another recount has changed the counters of {0} meanwhile; start again")]
    Another(String),
}

/// A counter that is not what the rows say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub org: OrgId,
    pub date: String,
    pub channel: String,
    /// As in the counters: `delivered`, `micros|USD`, `e|30003|unreachable`.
    pub name: String,
    pub counted: i64,
    pub rows: i64,
}

/// What a recount found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recount {
    pub messages: u64,
    pub differences: Vec<Difference>,
    /// Rollup has not seen all changes yet: the differences may be its backlog.
    pub is_behind: bool,
    recounts: BTreeMap<(OrgId, String, String), Option<i64>>,
}

/// # Errors
/// When the table does not answer, or never stands still.
pub async fn recount(store: &Store, now: Timestamp) -> Result<Recount, RecountError> {
    let mut before = None;
    for _ in 0..ROUNDS {
        let (messages, rows, side) = census(store).await?;
        let orgs: BTreeSet<OrgId> =
            rows.keys().map(|key| key.0).chain(side.keys().map(|key| key.0)).collect();
        let mut counters: BTreeMap<(OrgId, String, String), Census> = BTreeMap::new();
        let mut kept_since = BTreeMap::new();
        for org in orgs {
            if let Some(days) = store.settings(org).await?.retention.message_days {
                kept_since.insert(org, oldest(now, days));
            }
            for ((date, channel), counted) in store.all_counters(org).await? {
                counters.insert((org, date, channel), counted);
            }
        }
        if before.as_ref() == Some(&counters) {
            let is_kept = |org: &OrgId, date: &str| {
                kept_since.get(org).is_none_or(|since| date >= since.as_str())
            };
            return Ok(compare(messages, rows, side, counters, is_kept));
        }
        before = Some(counters);
    }
    Err(RecountError::Busy)
}

/// The first day of which all messages are still kept: one is kept for so many
/// days after the day that it is counted on, or longer.
fn oldest(now: Timestamp, kept_for: u32) -> String {
    let days_now = statistics::days(now);
    date(days_now.saturating_sub(u16::try_from(kept_for).unwrap_or(u16::MAX)).saturating_add(1))
}

/// Counts what rollup has missed (it keeps each message to once), then adds what
/// the counters still lack. Answers what was added.
///
/// # Errors
/// As [`recount`]; what was added before stays.
pub async fn fix(store: &Store, now: Timestamp) -> Result<Recount, RecountError> {
    let mut start = None;
    loop {
        let (rows, next) = store.scan(start).await?;
        let mut by_org = BTreeMap::new();
        for row in &rows {
            if let Scanned::Message(message) = row {
                note(&mut by_org, message);
            }
        }
        count_all(store, by_org, now).await?;
        start = next;
        if start.is_none() {
            break;
        }
    }
    let found = recount(store, now).await?;
    if found.is_behind {
        return Err(RecountError::Busy);
    }
    let mut lacks: Sums = BTreeMap::new();
    for d in &found.differences {
        let key = (d.org, d.date.clone(), d.channel.clone());
        lacks.entry(key).or_default().insert(d.name.clone(), d.rows - d.counted);
    }
    for (key, lacks) in &lacks {
        let seen = found.recounts.get(key).copied().flatten();
        let (org, date, channel) = key;
        let this = now.as_millisecond();
        if !store.correct(*org, (date, channel), lacks, seen, this).await? {
            return Err(RecountError::Another(date.clone()));
        }
    }
    Ok(found)
}

/// Messages; sums of the rows; sums of what rollup has counted (which does not
/// say of which channel).
async fn census(store: &Store) -> Result<(u64, Sums, Sums), StoreError> {
    let (mut messages, mut rows, mut side) = (0, Sums::new(), Sums::new());
    let mut start: Option<Item> = None;
    loop {
        let (page, next) = store.scan(start).await?;
        for row in page {
            match row {
                Scanned::Message(m) => {
                    messages += 1;
                    sum(&mut rows, m.org, m.channel.as_str(), &Fact::of(&m));
                }
                Scanned::Counted(org, facts) => {
                    facts.iter().for_each(|fact| sum(&mut side, org, "", fact));
                }
            }
        }
        start = next;
        if start.is_none() {
            return Ok((messages, rows, side));
        }
    }
}

fn sum(sums: &mut Sums, org: OrgId, channel: &'static str, fact: &Fact) {
    let mut one = Counters::new();
    add(&mut one, channel, fact, 1);
    for ((day, channel), values) in one {
        let all = sums.entry((org, date(day), channel.to_owned())).or_default();
        for (name, value) in values {
            *all.entry(name).or_default() += value;
        }
    }
}

fn compare(
    messages: u64,
    mut rows: Sums,
    mut side: Sums,
    mut counters: BTreeMap<(OrgId, String, String), Census>,
    is_kept: impl Fn(&OrgId, &str) -> bool,
) -> Recount {
    // Of days before, rows are gone that were counted.
    rows.retain(|(org, date, _), _| is_kept(org, date));
    side.retain(|(org, date, _), _| is_kept(org, date));
    counters.retain(|(org, date, _), _| is_kept(org, date));
    let (side, counters) = (&side, &counters);
    let mut by_day = Sums::new();
    for ((org, date, _), values) in &rows {
        let all = by_day.entry((*org, date.clone(), String::new())).or_default();
        for (name, value) in values {
            *all.entry(name.clone()).or_default() += value;
        }
    }
    let mut differences = Vec::new();
    let keys: BTreeSet<_> = rows.keys().chain(counters.keys()).cloned().collect();
    for key in keys {
        let (none, nothing) = (BTreeMap::new(), Census::default());
        let rows = rows.get(&key).unwrap_or(&none);
        let counted = &counters.get(&key).unwrap_or(&nothing).values;
        let names: BTreeSet<_> = rows.keys().chain(counted.keys()).collect();
        let value = |of: &BTreeMap<String, i64>, name: &String| of.get(name).copied().unwrap_or(0);
        for name in names {
            let (counted, rows) = (value(counted, name), value(rows, name));
            if counted != rows {
                let (org, date, channel) = key.clone();
                let name = name.clone();
                differences.push(Difference { org, date, channel, name, counted, rows });
            }
        }
    }
    let recounts = counters.iter().map(|(key, c)| (key.clone(), c.recount)).collect();
    Recount { messages, differences, is_behind: by_day != *side, recounts }
}
