//! How long rows are kept. A row that waits for nothing more carries the time at
//! which DynamoDB may delete it (`ttl`, in seconds); one that waits has none.
//!
//! The organization's setting is read at most every few minutes. When it cannot
//! be, the row is written without an end: rather too long than too short.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::types::AttributeValue;
use carillon_domain::message::{EventKind, State};
use carillon_domain::settings::Retention;
use carillon_domain::{Message, OrgId};
use jiff::{SignedDuration, Timestamp};

use crate::attributes::{Item, n};
use crate::{Result, Store, keys};

/// How long a setting that was read is gone by.
const GONE_BY: SignedDuration = SignedDuration::from_mins(5);
/// Rows beside a message outlive it by this much.
const BESIDE: SignedDuration = SignedDuration::from_hours(90 * 24);
/// A long text outlives its message by this much.
const TEXT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The attribute.
pub(crate) const TTL: &str = "ttl";

/// Settings as they were read last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lately(Arc<Mutex<HashMap<OrgId, (Timestamp, Retention)>>>);

impl Store {
    /// What the organization has set, a few minutes old; `None` when it cannot be
    /// read.
    async fn retention(&self, org: OrgId, now: Timestamp) -> Option<Retention> {
        let known = |lately: &Lately| {
            let lately = lately.0.lock().unwrap_or_else(PoisonError::into_inner);
            lately.get(&org).filter(|(read_at, _)| now < *read_at + GONE_BY).map(|(_, r)| *r)
        };
        if let Some(known) = known(&self.retention) {
            return Some(known);
        }
        match self.settings(org).await {
            Ok(settings) => {
                let mut lately = self.retention.0.lock().unwrap_or_else(PoisonError::into_inner);
                lately.insert(org, (now, settings.retention));
                Some(settings.retention)
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "kept without an end");
                None
            }
        }
    }

    /// The end of a message, if it is at rest.
    pub(crate) async fn end_of(&self, m: &Message, now: Timestamp) -> Option<Timestamp> {
        let is_at_rest =
            m.due.is_none() && m.state.is_settled() && !matches!(m.state, State::Unknown { .. });
        if !is_at_rest {
            return None;
        }
        let days = self.retention(m.org, now).await?.message_days?;
        now.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok()
    }

    /// The end of what stands beside messages that are due by `until`.
    pub(crate) async fn end_beside(
        &self,
        org: OrgId,
        until: Timestamp,
        now: Timestamp,
    ) -> Option<AttributeValue> {
        let days = self.retention(org, now).await?.message_days?;
        let kept = SignedDuration::from_hours(24 * i64::from(days)) + BESIDE;
        Some(seconds(until.max(now).checked_add(kept).ok()?))
    }

    /// The end of a file that was taken now.
    pub(crate) async fn end_of_file(&self, org: OrgId, now: Timestamp) -> Option<AttributeValue> {
        let days = self.retention(org, now).await?.file_days;
        Some(seconds(now.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok()?))
    }

    /// The end of an entry of the audit log that is written now, in seconds.
    pub async fn end_of_audit(&self, org: OrgId, now: Timestamp) -> Option<i64> {
        let days = self.retention(org, now).await?.audit_days?;
        let end = now.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok()?;
        Some(end.as_second())
    }

    /// The long text of a message goes after it, and not before.
    pub(crate) async fn keep_text(&self, m: &Message, end: Option<Timestamp>) -> Result<()> {
        let key = keys::message_body(m.org, m.id);
        let exists = "attribute_exists(pk)";
        if let Some(end) = end {
            let change = "SET #ttl = :ttl";
            let ttl = Some(seconds(end + TEXT));
            self.change_ttl(&key, change, exists, ttl).await?;
        } else if m.state == State::Scheduled
            && m.events.last().is_some_and(|e| e.kind == EventKind::Retried)
        {
            // It was at rest, and is wanted again.
            self.change_ttl(&key, "REMOVE #ttl", exists, None).await?;
        }
        Ok(())
    }

    async fn change_ttl(
        &self,
        key: &keys::Key,
        change: &str,
        condition: &str,
        ttl: Option<AttributeValue>,
    ) -> Result<()> {
        use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
        let updated = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .update_expression(change)
            .condition_expression(condition)
            .expression_attribute_names("#ttl", TTL)
            .set_expression_attribute_values(
                ttl.map(|ttl| HashMap::from([(":ttl".to_owned(), ttl)])),
            )
            .send()
            .await;
        match updated {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(crate::unavailable("change time to live")(error)),
            },
        }
    }
}

/// As DynamoDB reads it.
pub(crate) fn seconds(end: Timestamp) -> AttributeValue {
    n(end.as_second())
}

/// Sets the end of a row, if it has one.
pub(crate) fn set(item: &mut Item, end: Option<AttributeValue>) {
    if let Some(end) = end {
        item.insert(TTL.to_owned(), end);
    }
}
