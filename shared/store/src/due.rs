//! The due index: what waits for which moment, across organizations. The only
//! question that is not one organization's; it answers keys and nothing else.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use carillon_domain::{
    AddressKey, BookingId, ExportId, ImportId, Lane, MessageId, OrgId, PackId, WorkshopId,
};
use jiff::Timestamp;

use crate::attributes::{Item, Reader, n, s};
use crate::{Result, Store, StoreError, keys, unavailable};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueKind {
    Message(MessageId),
    Pack(PackId),
    Import(ImportId),
    /// Of contacts.
    ContactImport(ImportId),
    ContactExport(ExportId),
    Erasure(AddressKey),
    Booking(BookingId),
    Workshop(WorkshopId),
}

/// One thing that waits, as the index showed it (it may have moved since).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueEntry {
    pub org: OrgId,
    pub kind: DueKind,
    pub lane: Lane,
    pub at: Timestamp,
    pub generation: u32,
}

/// What a look at a shard found.
#[derive(Debug, Default)]
pub struct Due {
    pub entries: Vec<DueEntry>,
    /// Rows whose keys this release cannot read, and what is wrong with them.
    pub unreadable: Vec<(keys::Key, String)>,
}

impl DueKind {
    /// What has this key; `None` for what is never due.
    #[must_use]
    pub fn of(key: &keys::Key) -> Option<(OrgId, Self)> {
        let (org, rest) = keys::read_org(&key.pk)?;
        let kind = match rest.split_once('/')? {
            ("a", _) => Self::Message(crate::messages::message_id(&key.item()).ok()?),
            ("k", id) => Self::Pack(PackId::from_key(id).ok()?),
            ("src", id) => Self::Import(ImportId::from_key(id).ok()?),
            ("cx", id) => Self::ContactExport(ExportId::from_key(id).ok()?),
            ("bk", id) => Self::Booking(BookingId::from_key(id).ok()?),
            ("ci", id) => Self::ContactImport(ImportId::from_key(id).ok()?),
            ("er", address) => Self::Erasure(AddressKey::from_key(address).ok()?),
            ("w", id) => Self::Workshop(WorkshopId::from_key(id).ok()?),
            _ => return None,
        };
        Some((org, kind))
    }

    #[must_use]
    pub fn key(self, org: OrgId) -> keys::Key {
        match self {
            Self::Message(id) => keys::message(org, id),
            Self::Pack(id) => keys::pack(org, id),
            Self::Import(id) => keys::import(org, id),
            Self::ContactExport(id) => keys::contact_export(org, id),
            Self::ContactImport(id) => keys::contact_import(org, id),
            Self::Erasure(address) => keys::erasure(org, address),
            Self::Booking(id) => keys::booking(org, id),
            Self::Workshop(id) => keys::workshop(org, id),
        }
    }
}

impl DueEntry {
    #[must_use]
    pub fn key(&self) -> keys::Key {
        self.kind.key(self.org)
    }
}

impl Store {
    /// What is due by `until` in one shard, oldest first.
    pub async fn due(&self, lane: Lane, shard: u8, until: Timestamp, limit: i32) -> Result<Due> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(keys::DUE_INDEX)
            .key_condition_expression("due = :due AND due_at < :until")
            .expression_attribute_values(":due", s(keys::due_partition(lane, shard)))
            .expression_attribute_values(":until", s(keys::due_until(until)))
            .limit(limit)
            .send()
            .await
            .map_err(unavailable("query due"))?;
        let mut due = Due::default();
        for item in answer.items() {
            match read(item, lane) {
                Ok(entry) => due.entries.push(entry),
                // One row that cannot be read must not hold up the rest of its shard.
                Err(error) => {
                    let r = Reader::new("due entry", item);
                    let key =
                        keys::Key { pk: r.text("pk")?.to_owned(), sk: r.text("sk")?.to_owned() };
                    due.unreadable.push((key, error.to_string()));
                }
            }
        }
        Ok(due)
    }

    /// Takes the lease on a due entry: it is due again at `until`, under the
    /// next generation, which is answered. `None` when it is no longer as the
    /// index showed it: someone else has it, or it moved. A message counts its
    /// leases (`idle`); any other write of it drops the count. A pack counts the
    /// runs that began instead.
    pub async fn lease(
        &self,
        entry: &DueEntry,
        until: Timestamp,
        token: &str,
    ) -> Result<Option<u32>> {
        let next = entry.generation + 1;
        let idle = match entry.kind {
            DueKind::Message(_) => ", idle :one",
            DueKind::Pack(_)
            | DueKind::Import(_)
            | DueKind::ContactImport(_)
            | DueKind::ContactExport(_)
            | DueKind::Erasure(_)
            | DueKind::Booking(_)
            | DueKind::Workshop(_) => "",
        };
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(entry.key().item()))
            .condition_expression("due_at = :seen")
            .update_expression(format!("SET due_at = :next, gn = :gn, tk = :tk ADD ver :one{idle}"))
            .expression_attribute_values(":seen", s(keys::due_at(entry.at, entry.generation)))
            .expression_attribute_values(":next", s(keys::due_at(until, next)))
            .expression_attribute_values(":gn", n(next))
            .expression_attribute_values(":tk", s(token))
            .expression_attribute_values(":one", n(1))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match update {
            Ok(_) => Ok(Some(next)),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(e)) => {
                    let ours = e.item.as_ref().is_some_and(|item| {
                        item.get("tk").and_then(|v| v.as_s().ok()).is_some_and(|t| t == token)
                    });
                    Ok(ours.then_some(next))
                }
                // A row on which it can never be done; whoever asked looks why.
                _ if error.code() == Some("ValidationException") => Err(StoreError::Corrupt {
                    kind: "due row",
                    detail: error.message().unwrap_or("it cannot be leased").to_owned(),
                }),
                _ => Err(unavailable("lease")(error)),
            },
        }
    }
}

fn read(item: &Item, lane: Lane) -> Result<DueEntry> {
    let r = Reader::new("due entry", item);
    let key = keys::Key { pk: r.text("pk")?.to_owned(), sk: r.text("sk")?.to_owned() };
    let (org, kind) = DueKind::of(&key).ok_or_else(|| r.corrupt("pk"))?;
    let (at, generation) = r.parsed("due_at", keys::read_due_at)?;
    Ok(DueEntry { org, kind, lane, at, generation })
}
