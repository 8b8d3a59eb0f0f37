//! Rows that wait in the index of what is due and cannot be read. They would be
//! leased for ever, and nobody would see it: so they are taken out of the index,
//! with a letter that says where they were. Nothing else of them is touched.
//!
//! Letter first: cut off after it, the row is due again and meets its letter.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use carillon_domain::OrgId;
use jiff::Timestamp;

use crate::attributes::{n, s};
use crate::keys::Key;
use crate::{DueKeys, DueKind, Letter, Result, Store, StoreError, keys, unavailable};

impl Store {
    /// Why a row that waits cannot be read; `None` when it can, or is gone.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn why_unreadable(&self, org: OrgId, kind: DueKind) -> Result<Option<String>> {
        let read = match kind {
            DueKind::Message(id) => self.message(org, id).await.map(drop),
            DueKind::Pack(id) => self.pack(org, id).await.map(drop),
            DueKind::Import(id) => self.import(org, id).await.map(drop),
            DueKind::ContactExport(id) => self.contact_export(org, id).await.map(drop),
            DueKind::ContactImport(id) => self.contact_import(org, id).await.map(drop),
            DueKind::Erasure(address) => self.erasure(org, address).await.map(drop),
            DueKind::Booking(id) => self.booking(org, id).await.map(drop),
            DueKind::Workshop(id) => self.workshop(org, id).await.map(drop),
        };
        match read {
            Ok(()) => Ok(None),
            Err(StoreError::Corrupt { kind, detail }) => Ok(Some(format!("{kind}: {detail}"))),
            Err(error) => Err(error),
        }
    }

    /// Takes a row out of the index of what is due. Answers its letter; `None`
    /// when it is not due any more, or somebody has just moved it.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn set_aside(&self, key: &Key, why: &str, now: Timestamp) -> Result<Option<Letter>> {
        let Some(row) = self.get(key, true).await? else { return Ok(None) };
        let text = |name: &str| row.get(name).and_then(|v| v.as_s().ok()).cloned();
        let (Some(partition), Some(at)) = (text("due"), text("due_at")) else { return Ok(None) };
        let seen = s(at.clone());
        let reason = format!("the row cannot be read ({why})");
        let letter = Letter::row(key.clone(), DueKeys { partition, at }, reason, now);
        self.put_letter(&letter).await?;
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .condition_expression("due_at = :seen")
            .update_expression("REMOVE due, due_at")
            .expression_attribute_values(":seen", seen)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match update {
            Ok(_) => Ok(Some(letter)),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(e)) => {
                    // A repeat of ours, whose answer was lost, met its own work.
                    let is_out = e.item.as_ref().is_some_and(|row| !row.contains_key("due_at"));
                    if !is_out {
                        self.delete_letter(&letter).await?;
                    }
                    Ok(is_out.then_some(letter))
                }
                _ => Err(unavailable("set a row aside")(error)),
            },
        }
    }

    /// Due again now, where it was. False when the row is gone.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn take_back_row(&self, key: &Key, due: &DueKeys, now: Timestamp) -> Result<bool> {
        // Another generation: what was queued for it before is stale.
        let generation = keys::read_due_at(&due.at).map_or(0, |(_, generation)| generation) + 1;
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .condition_expression("attribute_exists(pk)")
            .update_expression("SET due = :due, due_at = :at, gn = :gn")
            .expression_attribute_values(":due", s(&due.partition))
            .expression_attribute_values(":at", s(keys::due_at(now, generation)))
            .expression_attribute_values(":gn", n(generation))
            .send()
            .await;
        match update {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(unavailable("take a row back")(error)),
            },
        }
    }
}
