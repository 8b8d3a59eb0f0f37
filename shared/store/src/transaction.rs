//! Several rows that change together or not at all, each under its condition.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};

use crate::attributes::{Item, Writer, s};
use crate::{Result, Store, StoreError, keys, unavailable};

/// How often a transaction that met another is tried again.
const ROUNDS: usize = 10;

/// Values of an expression, by the name it has for them.
pub(crate) type Values<'a> = &'a [(&'a str, AttributeValue)];

/// What is to be written. DynamoDB takes a hundred rows at most, each once.
pub(crate) struct Transaction<'a> {
    store: &'a Store,
    writes: Vec<TransactWriteItem>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transacted {
    Done,
    /// Nothing was written: the condition of this write did not hold, the first
    /// such in order.
    Refused(usize),
}

impl Store {
    pub(crate) const fn transaction(&self) -> Transaction<'_> {
        Transaction { store: self, writes: Vec::new() }
    }
}

impl Transaction<'_> {
    /// Whatever is there.
    pub fn set(&mut self, item: Item) -> Result<()> {
        let put = Put::builder().table_name(&self.store.table).set_item(Some(item));
        let put = put.build().map_err(incomplete)?;
        self.writes.push(TransactWriteItem::builder().put(put).build());
        Ok(())
    }

    pub fn put(&mut self, item: Item, condition: &str, values: Values<'_>) -> Result<()> {
        let mut put = Put::builder().table_name(&self.store.table).set_item(Some(item));
        put = put.condition_expression(condition);
        for (name, value) in values {
            put = put.expression_attribute_values(*name, value.clone());
        }
        let put = put.build().map_err(incomplete)?;
        self.writes.push(TransactWriteItem::builder().put(put).build());
        Ok(())
    }

    pub fn update(
        &mut self,
        key: &keys::Key,
        change: &str,
        condition: Option<&str>,
        values: Values<'_>,
    ) -> Result<()> {
        let mut update = Update::builder().table_name(&self.store.table).set_key(Some(key.item()));
        update =
            update.update_expression(change).set_condition_expression(condition.map(Into::into));
        for (name, value) in values {
            update = update.expression_attribute_values(*name, value.clone());
        }
        let update = update.build().map_err(incomplete)?;
        self.writes.push(TransactWriteItem::builder().update(update).build());
        Ok(())
    }

    pub fn delete(&mut self, key: &keys::Key, condition: &str, values: Values<'_>) -> Result<()> {
        let mut delete = Delete::builder().table_name(&self.store.table).set_key(Some(key.item()));
        delete = delete.condition_expression(condition);
        for (name, value) in values {
            delete = delete.expression_attribute_values(*name, value.clone());
        }
        let delete = delete.build().map_err(incomplete)?;
        self.writes.push(TransactWriteItem::builder().delete(delete).build());
        Ok(())
    }

    /// The name is taken for `id`, and the one it had before is free again. The
    /// place of the write that another one's name would refuse; none where the
    /// name stays.
    pub fn take_name(
        &mut self,
        before: Option<keys::Key>,
        name: &keys::Key,
        id: &str,
    ) -> Result<Option<usize>> {
        if before.as_ref() == Some(name) {
            return Ok(None);
        }
        let place = self.len();
        let mut w = Writer::new(name);
        w.text("id", id);
        self.put(w.done(), "attribute_not_exists(pk)", &[])?;
        if let Some(before) = before {
            self.delete(&before, "id = :id", &[(":id", s(id))])?;
        }
        Ok(Some(place))
    }

    /// Writes so far: the place of the next one.
    pub const fn len(&self) -> usize {
        self.writes.len()
    }

    /// Writes all of it, or nothing.
    pub async fn commit(self) -> Result<Transacted> {
        for _ in 0..ROUNDS {
            let sent = self
                .store
                .client
                .transact_write_items()
                .set_transact_items(Some(self.writes.clone()))
                .send()
                .await;
            let error = match sent {
                Ok(_) => return Ok(Transacted::Done),
                Err(error) => error,
            };
            let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
                error.as_service_error()
            else {
                return Err(unavailable("write a transaction")(error));
            };
            let codes: Vec<_> =
                cancelled.cancellation_reasons().iter().map(|reason| reason.code()).collect();
            let refused = codes.iter().position(|code| *code == Some("ConditionalCheckFailed"));
            if let Some(place) = refused {
                return Ok(Transacted::Refused(place));
            }
            if !codes.contains(&Some("TransactionConflict")) {
                return Err(unavailable("write a transaction")(error));
            }
        }
        Err(StoreError::Contended("rows of one transaction"))
    }
}

fn incomplete(error: aws_sdk_dynamodb::error::BuildError) -> StoreError {
    StoreError::Unavailable { operation: "write a transaction", source: Box::new(error) }
}
