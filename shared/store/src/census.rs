//! The table read whole, for a recount of the statistics. No function does this:
//! it is an operator's command.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use carillon_domain::statistics::Fact;
use carillon_domain::{Message, OrgId};

use crate::attributes::{Item, Reader, n};
use crate::statistics::{RECOUNT, read_counters};
use crate::{Result, Store, StoreError, counted, keys, message_row, unavailable};

/// A row that has to do with statistics.
#[derive(Debug, Clone, PartialEq)]
pub enum Scanned {
    Message(Box<Message>),
    /// What was counted of the messages of one side row.
    Counted(OrgId, Vec<Fact>),
}

/// Counters of a day and channel, over all their shards, and the recount that
/// changed them last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted {
    pub values: BTreeMap<String, i64>,
    pub recount: Option<i64>,
}

impl Store {
    /// One page of the table, read consistently, and where the next begins.
    pub async fn scan(&self, start: Option<Item>) -> Result<(Vec<Scanned>, Option<Item>)> {
        let (items, next) = self.scan_page(start).await?;
        let rows = items.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok((rows.into_iter().flatten().collect(), next))
    }

    /// All counters of an organization by day and channel, as of now.
    pub async fn all_counters(&self, org: OrgId) -> Result<BTreeMap<(String, String), Counted>> {
        let mut all: BTreeMap<(String, String), Counted> = BTreeMap::new();
        let mut start = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", crate::attributes::s(keys::counters(org)))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(unavailable("query counters"))?;
            for item in page.items() {
                let (date, channel, row) = read_counters(item)?;
                let counted = all.entry((date, channel)).or_default();
                for (name, value) in row.values {
                    *counted.values.entry(name).or_default() += value;
                }
                let recount = Reader::new("counters", item).maybe_number(RECOUNT)?;
                counted.recount = counted.recount.max(recount);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(all);
            }
        }
    }

    /// Adds to the counters of a day and channel what they lack. False when
    /// another recount was faster: `seen` is the last one that was known, `this`
    /// the number of this one.
    pub async fn correct(
        &self,
        org: OrgId,
        (date, channel): (&str, &str),
        lacks: &BTreeMap<String, i64>,
        seen: Option<i64>,
        this: i64,
    ) -> Result<bool> {
        let built = |e: aws_sdk_dynamodb::error::BuildError| StoreError::Unavailable {
            operation: "correct counters",
            source: Box::new(e),
        };
        let key = keys::counter(org, date, channel, 0).item();
        let mut update = Update::builder().table_name(&self.table).set_key(Some(key));
        let mut names = Vec::new();
        for (i, (name, change)) in lacks.iter().enumerate() {
            names.push(format!("#n{i} :n{i}"));
            update = update
                .expression_attribute_names(format!("#n{i}"), name)
                .expression_attribute_values(format!(":n{i}"), n(change));
        }
        update = update
            .update_expression(format!("ADD {} SET {RECOUNT} = :this", names.join(", ")))
            .expression_attribute_values(":this", n(this));
        update = match seen {
            None => update.condition_expression(format!("attribute_not_exists({RECOUNT})")),
            Some(seen) => update
                .condition_expression(format!("{RECOUNT} = :seen"))
                .expression_attribute_values(":seen", n(seen)),
        };
        // A transaction, for its request token: a repeat by the SDK adds nothing.
        let write = TransactWriteItem::builder().update(update.build().map_err(built)?).build();
        match self.client.transact_write_items().transact_items(write).send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(_)) => Ok(false),
                _ => Err(unavailable("correct counters")(error)),
            },
        }
    }
}

fn read(item: &Item) -> Result<Option<Scanned>> {
    let r = Reader::new("row", item);
    let (Some((org, _)), sk) = (keys::read_org(r.text("pk")?), r.text("sk")?) else {
        return Ok(None);
    };
    if sk.starts_with(keys::MESSAGE_PREFIX) {
        return Ok(Some(Scanned::Message(Box::new(message_row::read(item)?))));
    }
    if !sk.starts_with(keys::COUNTED_PREFIX) {
        return Ok(None);
    }
    let messages =
        counted::decode(r.bytes("e").unwrap_or_default()).ok_or_else(|| r.corrupt("e"))?;
    Ok(Some(Scanned::Counted(org, messages.into_values().map(|(_, fact)| fact).collect())))
}
