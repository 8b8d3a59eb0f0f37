//! One row, a batch, a range: what every noun's questions are made of.

use std::collections::HashSet;

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, KeysAndAttributes, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};

use crate::attributes::{Item, s};
use crate::{Mechanism, Result, Store, StoreError, keys, unavailable};

/// Rounds of a batch of which the table leaves something undone.
const ROUNDS: usize = 8;

/// Writes that one transaction takes.
pub(crate) const MOST_WRITES: usize = 100;

/// One write of a transaction, and on what condition.
#[derive(Clone)]
pub(crate) struct Write {
    what: What,
    condition: Option<String>,
    values: Vec<(&'static str, AttributeValue)>,
}

#[derive(Clone)]
enum What {
    Put(Item),
    Delete(keys::Key),
    Update(keys::Key, String),
}

impl Write {
    pub fn put(item: Item) -> Self {
        Self { what: What::Put(item), condition: None, values: Vec::new() }
    }

    pub fn delete(key: keys::Key) -> Self {
        Self { what: What::Delete(key), condition: None, values: Vec::new() }
    }

    pub fn update(key: keys::Key, change: impl Into<String>) -> Self {
        Self { what: What::Update(key, change.into()), condition: None, values: Vec::new() }
    }

    pub fn only_if(mut self, condition: impl Into<String>) -> Self {
        self.condition = Some(condition.into());
        self
    }

    pub fn with(mut self, name: &'static str, value: AttributeValue) -> Self {
        self.values.push((name, value));
        self
    }

    /// Partition and sort key of the row that it writes.
    pub fn row(&self) -> Option<(&str, &str)> {
        match &self.what {
            What::Put(item) => Some((item.get("pk")?.as_s().ok()?, item.get("sk")?.as_s().ok()?)),
            What::Delete(key) | What::Update(key, _) => Some((&key.pk, &key.sk)),
        }
    }

    fn build(&self, table: &str) -> std::result::Result<TransactWriteItem, BuildError> {
        let all_old =
            self.condition.is_some().then_some(ReturnValuesOnConditionCheckFailure::AllOld);
        let values = (!self.values.is_empty()).then(|| {
            self.values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
        });
        let item = TransactWriteItem::builder();
        Ok(match &self.what {
            What::Put(row) => item.put(
                Put::builder()
                    .table_name(table)
                    .set_item(Some(row.clone()))
                    .set_condition_expression(self.condition.clone())
                    .set_expression_attribute_values(values)
                    .set_return_values_on_condition_check_failure(all_old)
                    .build()?,
            ),
            What::Delete(key) => item.delete(
                Delete::builder()
                    .table_name(table)
                    .set_key(Some(key.item()))
                    .set_condition_expression(self.condition.clone())
                    .set_expression_attribute_values(values)
                    .set_return_values_on_condition_check_failure(all_old)
                    .build()?,
            ),
            What::Update(key, change) => item.update(
                Update::builder()
                    .table_name(table)
                    .set_key(Some(key.item()))
                    .update_expression(change)
                    .set_condition_expression(self.condition.clone())
                    .set_expression_attribute_values(values)
                    .set_return_values_on_condition_check_failure(all_old)
                    .build()?,
            ),
        }
        .build())
    }
}

impl Store {
    /// All of the writes or none. Empty when they are done; otherwise the places
    /// of the conditions that did not hold, and the rows they met (empty where
    /// there was none). Tried again when another transaction was in the way.
    pub(crate) async fn transact(
        &self,
        operation: &'static str,
        writes: &[Write],
    ) -> Result<Vec<(usize, Item)>> {
        let built = writes
            .iter()
            .map(|write| write.build(&self.table))
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|e| StoreError::Unavailable { operation, source: Box::new(e) })?;
        for _ in 0..ROUNDS {
            let sent = self
                .client
                .transact_write_items()
                .set_transact_items(Some(built.clone()))
                .send()
                .await;
            let Err(error) = sent else { return Ok(Vec::new()) };
            let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
                error.as_service_error()
            else {
                return Err(unavailable(operation)(error));
            };
            let reasons = cancelled.cancellation_reasons();
            let refused: Vec<_> = reasons
                .iter()
                .enumerate()
                .filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"))
                .map(|(place, reason)| (place, reason.item.clone().unwrap_or_default()))
                .collect();
            if !refused.is_empty() {
                return Ok(refused);
            }
            if !reasons.iter().any(|reason| reason.code() == Some("TransactionConflict")) {
                return Err(unavailable(operation)(error));
            }
        }
        Err(StoreError::Contended(operation))
    }

    pub(crate) async fn get(&self, key: &keys::Key, consistent: bool) -> Result<Option<Item>> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .consistent_read(consistent)
            .send()
            .await
            .map_err(unavailable("get item"))?;
        Ok(answer.item)
    }

    /// Rows by key, any order, in batches of a hundred; throttled keys again. A key
    /// that is wanted twice is asked for once: a batch takes it no more often.
    pub(crate) async fn get_many(
        &self,
        wanted: &[keys::Key],
        consistent: bool,
    ) -> Result<Vec<Item>> {
        let mut items = Vec::with_capacity(wanted.len());
        let mut seen = HashSet::with_capacity(wanted.len());
        let wanted: Vec<_> = wanted.iter().filter(|key| seen.insert((&key.pk, &key.sk))).collect();
        for batch in wanted.chunks(100) {
            let keys: Vec<Item> = batch.iter().map(|key| key.item()).collect();
            let mut ask = Some(
                KeysAndAttributes::builder()
                    .set_keys(Some(keys))
                    .consistent_read(consistent)
                    .build()
                    .map_err(|e| StoreError::Unavailable {
                        operation: "batch get",
                        source: Box::new(e),
                    })?,
            );
            let mut rounds = 0;
            while let Some(request) = ask.take() {
                let answer = self
                    .client
                    .batch_get_item()
                    .request_items(&self.table, request)
                    .send()
                    .await
                    .map_err(unavailable("batch get"))?;
                if let Some(mut responses) = answer.responses {
                    items.extend(responses.remove(&self.table).unwrap_or_default());
                }
                ask = answer.unprocessed_keys.and_then(|mut u| u.remove(&self.table));
                rounds += 1;
                if rounds > ROUNDS && ask.is_some() {
                    return Err(StoreError::Contended("a batch of rows"));
                }
            }
        }
        Ok(items)
    }

    pub(crate) async fn put(&self, item: Item) -> Result<()> {
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .send()
            .await
            .map(drop)
            .map_err(unavailable("put item"))
    }

    /// Puts under a condition. `None`: done. Otherwise the row the condition
    /// met (empty when there was none).
    pub(crate) async fn put_if(
        &self,
        item: Item,
        condition: &str,
        value: Option<(&str, AttributeValue)>,
    ) -> Result<Option<Item>> {
        if self.lacks(Mechanism::Condition) {
            return self.put(item).await.map(|()| None);
        }
        let mut put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if let Some((name, value)) = value {
            put = put.expression_attribute_values(name, value);
        }
        match put.send().await {
            Ok(_) => Ok(None),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(e)) => {
                    Ok(Some(e.item.clone().unwrap_or_default()))
                }
                _ => Err(unavailable("put item")(error)),
            },
        }
    }

    /// Changes a row under a condition; false when it did not hold.
    pub(crate) async fn update_if(
        &self,
        key: &keys::Key,
        change: &str,
        condition: &str,
        values: &[(&str, AttributeValue)],
    ) -> Result<bool> {
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .update_expression(change)
            .condition_expression(condition);
        for (name, value) in values {
            update = update.expression_attribute_values(*name, value.clone());
        }
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(unavailable("update item")(error)),
            },
        }
    }

    /// False when there was no such row.
    pub(crate) async fn delete_row(&self, key: &keys::Key) -> Result<bool> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .condition_expression("attribute_exists(pk)");
        match delete.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(unavailable("delete item")(error)),
            },
        }
    }

    /// Rows of a partition in order, from behind the sort key `after`, those
    /// whose sort key begins with `prefix`.
    pub(crate) async fn range(
        &self,
        pk: &str,
        after: &str,
        prefix: Option<&str>,
        limit: i32,
    ) -> Result<Vec<Item>> {
        let prefix = prefix.unwrap_or_default();
        // Behind a sort key: no key of ours has a character below the space.
        let low = if after < prefix { prefix.to_owned() } else { format!("{after}\u{1}") };
        self.between(pk, (low, format!("{prefix}~")), limit, false, false).await
    }

    /// Rows of a partition backwards, from before the sort key `before`, those
    /// whose sort key begins with `prefix`.
    pub(crate) async fn range_back(
        &self,
        pk: &str,
        before: Option<&str>,
        prefix: &str,
        limit: i32,
    ) -> Result<Vec<Item>> {
        // No key of ours ends with a character below the space.
        let high = before.map_or_else(|| format!("{prefix}~"), |before| format!("{before}\u{1}"));
        let mut rows = self.between(pk, (prefix.to_owned(), high), limit + 1, false, true).await?;
        rows.retain(|row| row.get("sk").and_then(|v| v.as_s().ok()).map(String::as_str) != before);
        rows.truncate(usize::try_from(limit).unwrap_or(0));
        Ok(rows)
    }

    /// Rows of a partition whose sort keys are between these two (inclusive), in
    /// order.
    pub(crate) async fn between(
        &self,
        pk: &str,
        (low, high): (String, String),
        limit: i32,
        consistent: bool,
        backwards: bool,
    ) -> Result<Vec<Item>> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :low AND :high")
            .expression_attribute_values(":pk", s(pk))
            .expression_attribute_values(":low", s(low))
            .expression_attribute_values(":high", s(high))
            .consistent_read(consistent)
            .scan_index_forward(!backwards)
            .limit(limit)
            .send()
            .await
            .map_err(unavailable("query a range"))?;
        Ok(answer.items.unwrap_or_default())
    }

    /// One page of the whole table, read consistently, and where the next begins.
    pub(crate) async fn scan_page(&self, start: Option<Item>) -> Result<(Vec<Item>, Option<Item>)> {
        let page = self
            .client
            .scan()
            .table_name(&self.table)
            .consistent_read(true)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(unavailable("scan"))?;
        Ok((page.items.unwrap_or_default(), page.last_evaluated_key))
    }
}
