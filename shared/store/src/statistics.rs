//! Counters, and what has been counted. The side row of a group of messages
//! remembers each one's version and bucket; it and the counters change in one
//! transaction, so a stream record that comes twice or late counts once.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use carillon_domain::message::{Message, Source};
use carillon_domain::statistics::{Bucket, date};
use carillon_domain::{ImportId, OrgId};
use jiff::Timestamp;

use crate::attributes::{Item, Reader, Writer, ms, n, s};
use crate::counted::{self, Messages, encode};
use crate::{Result, Store, StoreError, keys, unavailable};

/// Buckets the single messages of a minute are spread over.
const MINUTE_BUCKETS: u8 = 16;

/// Pages whose messages are counted in one side row: as many as fit a kilobyte.
const PAGES_A_ROW: u32 = 2;

/// Side rows read at a time: a kilobyte each.
const COUNTED_AT_ONCE: i32 = 800;

/// Messages that are counted in one side row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    Pages { org: OrgId, import: ImportId, row: u32 },
    Minute { org: OrgId, minute: u64, bucket: u8 },
}

impl Group {
    /// The group, and the message's name in it.
    #[must_use]
    pub fn of(m: &Message) -> (Self, Vec<u8>) {
        match m.source {
            Source::Import { id, page, line } => {
                (Self::of_page(m.org, id, page), line.to_be_bytes().to_vec())
            }
            Source::Single | Source::Person | Source::Answer { .. } => {
                let hash = &m.id.as_bytes()[16..];
                let bucket = hash[9] % MINUTE_BUCKETS;
                (Self::Minute { org: m.org, minute: m.id.at_ms() / 60_000, bucket }, hash.to_vec())
            }
        }
    }

    /// The group of the messages of a page.
    #[must_use]
    pub const fn of_page(org: OrgId, import: ImportId, page: u32) -> Self {
        Self::Pages { org, import, row: page / PAGES_A_ROW }
    }

    #[must_use]
    pub const fn org(&self) -> OrgId {
        match self {
            Self::Pages { org, .. } | Self::Minute { org, .. } => *org,
        }
    }

    fn key(&self) -> keys::Key {
        match *self {
            Self::Pages { org, import, row } => keys::counted_pages(org, import, row),
            Self::Minute { org, minute, bucket } => keys::counted_minute(org, minute, bucket),
        }
    }
}

/// On a counter's row: when it was changed last. The release before takes it for
/// one more counter, which it shows nowhere.
const COUNTED_AT: &str = "asof";
/// On the row that a recount has changed: which one it was.
pub(crate) const RECOUNT: &str = "rc";

/// What was last counted of each message of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted {
    pub version: u32,
    pub messages: Messages,
}

/// Changes to the counters of a day and channel, by attribute.
pub type Counters = BTreeMap<(u16, &'static str), BTreeMap<String, i64>>;

/// The counters of one day and channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayCounters {
    pub date: String,
    pub channel: String,
    pub values: BTreeMap<String, i64>,
    /// When rollup last changed them.
    pub counted_at: Option<Timestamp>,
}

impl Store {
    pub async fn counted(&self, group: &Group) -> Result<Counted> {
        let Some(item) = self.get(&group.key(), true).await? else { return Ok(Counted::default()) };
        let version = Reader::new("counted", &item).number("ver")?;
        Ok(Counted { version, messages: read_counted(&item)? })
    }

    /// How many messages of a source are counted as what.
    pub async fn counted_in(&self, org: OrgId, source: ImportId) -> Result<BTreeMap<Bucket, u64>> {
        let pk = keys::source_partition(org, source);
        let mut buckets = BTreeMap::new();
        let mut after = String::new();
        loop {
            let rows = self.range(&pk, &after, Some(keys::COUNTED_PREFIX), COUNTED_AT_ONCE).await?;
            let Some(last) = rows.last() else { return Ok(buckets) };
            Reader::new("counted", last).text("sk")?.clone_into(&mut after);
            for row in &rows {
                for (_, fact) in read_counted(row)?.values() {
                    *buckets.entry(fact.bucket).or_default() += 1;
                }
            }
        }
    }

    /// Stores side rows and counters together. False when a side row was
    /// changed by someone else: read again, fold again.
    pub async fn count(
        &self,
        org: OrgId,
        counted: &[(Group, Counted)],
        counters: &Counters,
        shard: u8,
        now: Timestamp,
    ) -> Result<bool> {
        let built = |e: aws_sdk_dynamodb::error::BuildError| StoreError::Unavailable {
            operation: "count",
            source: Box::new(e),
        };
        let mut writes = Vec::new();
        for (group, counted) in counted {
            let mut w = Writer::new(&group.key());
            w.number("ver", counted.version + 1).bytes("e", encode(&counted.messages));
            let mut put = Put::builder().table_name(&self.table).set_item(Some(w.done()));
            put = if counted.version == 0 {
                put.condition_expression("attribute_not_exists(pk)")
            } else {
                put.condition_expression("ver = :seen")
                    .expression_attribute_values(":seen", n(counted.version))
            };
            writes.push(TransactWriteItem::builder().put(put.build().map_err(built)?).build());
        }
        for ((day, channel), changes) in counters {
            let mut names = Vec::new();
            let mut update = Update::builder()
                .table_name(&self.table)
                .set_key(Some(keys::counter(org, &date(*day), channel, shard).item()));
            for (i, (name, change)) in changes.iter().filter(|(_, c)| **c != 0).enumerate() {
                names.push(format!("#n{i} :n{i}"));
                update = update
                    .expression_attribute_names(format!("#n{i}"), name)
                    .expression_attribute_values(format!(":n{i}"), n(change));
            }
            if names.is_empty() {
                continue;
            }
            let update = update
                .update_expression(format!("ADD {} SET {COUNTED_AT} = :at", names.join(", ")))
                .expression_attribute_values(":at", ms(now));
            writes
                .push(TransactWriteItem::builder().update(update.build().map_err(built)?).build());
        }
        let sent = self.client.transact_write_items().set_transact_items(Some(writes)).send().await;
        match sent {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(e))
                    if e.cancellation_reasons().iter().any(|r| {
                        matches!(r.code(), Some("ConditionalCheckFailed" | "TransactionConflict"))
                    }) =>
                {
                    Ok(false)
                }
                _ => Err(unavailable("count")(error)),
            },
        }
    }

    /// Counters of the days `from` to `to` (both `2026-11-21`, inclusive).
    pub async fn counters(&self, org: OrgId, from: &str, to: &str) -> Result<Vec<DayCounters>> {
        // DynamoDB refuses a range that ends before it begins.
        if from > to {
            return Ok(Vec::new());
        }
        let mut days: BTreeMap<(String, String), DayCounters> = BTreeMap::new();
        let mut start = None;
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk AND sk BETWEEN :low AND :high")
                .expression_attribute_values(":pk", s(keys::counters(org)))
                .expression_attribute_values(":low", s(from))
                .expression_attribute_values(":high", s(format!("{to}~")))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(unavailable("query counters"))?;
            for item in answer.items() {
                let (date, channel, row) = read_counters(item)?;
                let day = days.entry((date.clone(), channel.clone())).or_default();
                (day.date, day.channel) = (date, channel);
                day.add(row);
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(days.into_values().collect());
            }
        }
    }
}

/// What a side row has counted.
pub(crate) fn read_counted(row: &Item) -> Result<Messages> {
    let r = Reader::new("counted", row);
    counted::decode(r.bytes("e").unwrap_or_default()).ok_or_else(|| r.corrupt("e"))
}

impl DayCounters {
    fn add(&mut self, row: Self) {
        for (name, value) in row.values {
            *self.values.entry(name).or_default() += value;
        }
        self.counted_at = self.counted_at.max(row.counted_at);
    }
}

/// Day, channel and what one shard of its counters says.
pub(crate) fn read_counters(item: &Item) -> Result<(String, String, DayCounters)> {
    let r = Reader::new("counters", item);
    let mut parts = r.text("sk")?.split('#');
    let (Some(date), Some(channel)) = (parts.next(), parts.next()) else {
        return Err(r.corrupt("sk"));
    };
    let mut row = DayCounters { counted_at: r.maybe_time(COUNTED_AT)?, ..DayCounters::default() };
    for name in
        item.keys().filter(|name| !["pk", "sk", COUNTED_AT, RECOUNT].contains(&name.as_str()))
    {
        row.values.insert(name.clone(), r.number(name)?);
    }
    Ok((date.to_owned(), channel.to_owned(), row))
}
