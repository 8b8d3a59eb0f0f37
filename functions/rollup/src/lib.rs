//! Rollup: folds changes of message rows into statistics. The only reader of
//! the table's stream.
//!
//! Exact under redelivery, reordering and split shards: the side row of each
//! page remembers which version of each message was counted last and as what;
//! it and the counters change in one transaction. An error makes the stream
//! come again from there.

pub mod recount;

use std::collections::BTreeMap;

use aws_lambda_events::dynamodb::Event;
use carillon_domain::statistics::Fact;
use carillon_domain::{Message, OrgId};
use carillon_runtime::Context;
use carillon_store::{Counted, Counters, Group, Item, Store, StoreError, read_message};
use jiff::Timestamp;

/// Side rows in one transaction, well under DynamoDB's hundred items.
const GROUPS_A_TRANSACTION: usize = 40;
/// Rounds against another rollup on the same rows.
const ROUNDS: usize = 8;
/// Shards of a day's counters.
const COUNTER_SHARDS: u8 = 4;

/// The newest version of each message of a group in this event.
type Changes = BTreeMap<Group, BTreeMap<Vec<u8>, (u32, &'static str, Fact)>>;

/// # Errors
/// When the table does not answer.
pub async fn handle(ctx: &Context, event: Event) -> Result<(), StoreError> {
    let mut by_org: BTreeMap<OrgId, Changes> = BTreeMap::new();
    for record in event.records {
        let item: Item = record.change.new_image.into();
        let is_message = item
            .get("sk")
            .and_then(|sk| sk.as_s().ok())
            .is_some_and(|sk| sk.starts_with(carillon_store::keys::MESSAGE_PREFIX));
        if is_message {
            match read_message(&item) {
                Ok(message) => note(&mut by_org, &message),
                // One such row must not hold up the rest of the stream. Once it is
                // repaired its next change says all; until then a recount does.
                Err(error) => {
                    ctx.counters.add("rows_not_counted", 1);
                    tracing::error!(error = &error as &dyn std::error::Error, "not counted");
                }
            }
        }
    }
    count_all(&ctx.store, by_org, ctx.clock.now()).await
}

async fn count_all(
    store: &Store,
    by_org: BTreeMap<OrgId, Changes>,
    now: Timestamp,
) -> Result<(), StoreError> {
    for (org, changes) in by_org {
        let groups: Vec<_> = changes.into_iter().collect();
        for batch in groups.chunks(GROUPS_A_TRANSACTION) {
            count(store, org, batch, now).await?;
        }
    }
    Ok(())
}

fn note(by_org: &mut BTreeMap<OrgId, Changes>, message: &Message) {
    let (group, name) = Group::of(message);
    let fact = Fact::of(message);
    let messages = by_org.entry(message.org).or_default().entry(group).or_default();
    let newest = messages.get(&name).is_none_or(|(version, ..)| *version < message.version);
    if newest {
        messages.insert(name, (message.version, message.channel.as_str(), fact));
    }
}

type Batch = [(Group, BTreeMap<Vec<u8>, (u32, &'static str, Fact)>)];

async fn count(store: &Store, org: OrgId, batch: &Batch, now: Timestamp) -> Result<(), StoreError> {
    for _ in 0..ROUNDS {
        let mut rows: Vec<(Group, Counted)> = Vec::new();
        let mut counters = Counters::new();
        for (group, changes) in batch {
            let mut counted = store.counted(group).await?;
            if fold(&mut counted, changes, &mut counters) {
                rows.push((*group, counted));
            }
        }
        let Some((first, _)) = rows.first() else { return Ok(()) };
        // The same rows always meet in the same shard, so that a repeat of this
        // transaction conflicts with itself and not with half of the others.
        let shard = shard(first);
        if store.count(org, &rows, &counters, shard, now).await? {
            return Ok(());
        }
    }
    Err(StoreError::Contended("counters"))
}

fn shard(group: &Group) -> u8 {
    match group {
        Group::Pages { row, .. } => row.to_be_bytes()[3] % COUNTER_SHARDS,
        Group::Minute { bucket, .. } => bucket % COUNTER_SHARDS,
    }
}

/// Adds what is newer than what was counted; true when anything was.
fn fold(
    counted: &mut Counted,
    changes: &BTreeMap<Vec<u8>, (u32, &'static str, Fact)>,
    counters: &mut Counters,
) -> bool {
    let mut changed = false;
    for (name, (version, channel, fact)) in changes {
        let before = counted.messages.get(name);
        if before.is_some_and(|(counted, _)| counted >= version) {
            continue;
        }
        if before.is_none_or(|(_, old)| old != fact) {
            if let Some((_, old)) = before {
                add(counters, channel, old, -1);
            }
            add(counters, channel, fact, 1);
        } else if before.is_some_and(|(counted, _)| counted + 1 == *version) {
            // The next version, and it counts the same: remembering the older
            // one does no harm, since none between the two can still come.
            continue;
        }
        counted.messages.insert(name.clone(), (*version, fact.clone()));
        changed = true;
    }
    changed
}

fn add(counters: &mut Counters, channel: &'static str, fact: &Fact, sign: i64) {
    let day = counters.entry((fact.day, channel)).or_default();
    *day.entry(fact.bucket.as_str().to_owned()).or_default() += sign;
    if let Some((micros, currency)) = &fact.price {
        let name = format!("micros|{}", String::from_utf8_lossy(currency));
        *day.entry(name).or_default() += sign * i64::from(*micros);
    }
    if let Some(error) = &fact.error {
        *day.entry(format!("e|{error}")).or_default() += sign;
    }
}

#[cfg(test)]
mod tests {
    use carillon_domain::statistics::Bucket;

    use super::*;

    fn fact(bucket: Bucket) -> Fact {
        Fact { bucket, day: 1, price: None, error: None }
    }

    fn change(version: u32, bucket: Bucket) -> BTreeMap<Vec<u8>, (u32, &'static str, Fact)> {
        BTreeMap::from([(vec![1], (version, "sms", fact(bucket)))])
    }

    #[test]
    fn a_record_that_comes_twice_or_late_counts_once() {
        let mut counted = Counted::default();
        let mut counters = Counters::new();
        for (version, bucket, counts) in [
            (1, Bucket::Pending, true),
            (3, Bucket::Sent, true),
            (2, Bucket::Pending, false),
            (3, Bucket::Sent, false),
            (4, Bucket::Delivered, true),
            (1, Bucket::Pending, false),
            (5, Bucket::Delivered, false),
        ] {
            assert_eq!(fold(&mut counted, &change(version, bucket), &mut counters), counts);
        }
        let day = &counters[&(1, "sms")];
        assert_eq!(day["pending"], 0);
        assert_eq!(day["sent"], 0);
        assert_eq!(day["delivered"], 1);
    }
    #[test]
    fn an_older_state_that_comes_after_a_newer_like_the_first_does_not_count() {
        let mut counted = Counted::default();
        let mut counters = Counters::new();
        for (version, bucket) in [(1, Bucket::Pending), (3, Bucket::Pending), (2, Bucket::Unknown)]
        {
            fold(&mut counted, &change(version, bucket), &mut counters);
        }
        let day = &counters[&(1, "sms")];
        assert_eq!((day["pending"], day.get("unknown")), (1, None));
    }
}
