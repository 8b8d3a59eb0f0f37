//! What was given up.

use carillon_domain::pack::Pack;
use carillon_domain::{Channel, ImportId, LetterId, MessageId, PackId, ProviderName};
use carillon_runtime::body::{ReceiveBody, Received};
use carillon_store::keys::Key;
use carillon_store::{self as store, Cause, DueKind, Letter};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::dead_letters::DeadId;

/// Something that waits for a person.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DeadLetter {
    /// Messages that were given up together.
    Pack {
        id: PackId,
        messages: u32,
        reason: Option<String>,
        given_up_at: Option<Timestamp>,
        import_id: ImportId,
        channel: Channel,
    },
    /// What a provider told us, and nobody could apply. Its content is not
    /// shown; null where it cannot even be read.
    Callback {
        id: LetterId,
        reason: String,
        given_up_at: Timestamp,
        callback: Option<CallbackKind>,
        provider: Option<ProviderName>,
        message_id: Option<MessageId>,
        received_at: Option<Timestamp>,
    },
    /// A row of ours that cannot be read. It waits nowhere any more.
    Row {
        id: LetterId,
        reason: String,
        given_up_at: Timestamp,
        /// What it was to be.
        row: RowKind,
        /// Of the message, pack, import or booking; null where the key does not say.
        row_id: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    Message,
    Pack,
    Import,
    Export,
    Erasure,
    Booking,
    Workshop,
    Unknown,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallbackKind {
    /// What became of a message.
    Receipt,
    /// What a person wrote.
    Inbound,
    /// The outcome of an attempt, from our own sender.
    Result,
    /// Something that members were to be told.
    Trouble,
}

/// A dead letter that is tried again.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Redriven {
    pub id: DeadId,
    pub status: RedrivenStatus,
    /// Of a pack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<u32>,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RedrivenStatus {
    Redriven,
}

/// A dead letter that is not tried again. The counts are those of a pack.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Dropped {
    pub id: DeadId,
    pub status: DroppedStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_found: Option<usize>,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DroppedStatus {
    Dropped,
}

impl DeadLetter {
    #[must_use]
    pub fn of(letter: &store::DeadLetter) -> Self {
        match letter {
            store::DeadLetter::Pack(pack) => Self::pack(pack),
            store::DeadLetter::Letter(letter) => match &letter.cause {
                Cause::Callback { body } => Self::callback(letter, body),
                Cause::Row { key, .. } => Self::row(letter, key),
            },
        }
    }

    fn pack(pack: &Pack) -> Self {
        let given_up = pack.given_up.as_ref();
        Self::Pack {
            id: pack.id,
            messages: pack.size(),
            reason: given_up.map(|g| g.reason.clone()),
            given_up_at: given_up.map(|g| g.at),
            import_id: pack.source,
            channel: pack.channel,
        }
    }

    fn row(letter: &Letter, key: &Key) -> Self {
        let (row, row_id) = match DueKind::of(key).map(|(_, kind)| kind) {
            Some(DueKind::Message(id)) => (RowKind::Message, Some(id.to_string())),
            Some(DueKind::Pack(id)) => (RowKind::Pack, Some(id.to_string())),
            Some(DueKind::Import(id) | DueKind::ContactImport(id)) => {
                (RowKind::Import, Some(id.to_string()))
            }
            Some(DueKind::ContactExport(id)) => (RowKind::Export, Some(id.to_string())),
            Some(DueKind::Erasure(_)) => (RowKind::Erasure, None),
            Some(DueKind::Booking(id)) => (RowKind::Booking, Some(id.to_string())),
            Some(DueKind::Workshop(id)) => (RowKind::Workshop, Some(id.to_string())),
            None => (RowKind::Unknown, None),
        };
        Self::Row {
            id: letter.id,
            reason: letter.reason.clone(),
            given_up_at: letter.at,
            row,
            row_id,
        }
    }

    fn callback(letter: &Letter, body: &str) -> Self {
        let body = serde_json::from_str::<ReceiveBody>(body).ok();
        let (callback, provider, message_id) = match body.as_ref().map(|body| &body.what) {
            Some(Received::Receipt(r)) => {
                (Some(CallbackKind::Receipt), Some(r.provider), r.message)
            }
            Some(Received::Inbound(m)) => (Some(CallbackKind::Inbound), Some(m.provider), None),
            Some(Received::Trouble { .. }) => (Some(CallbackKind::Trouble), None, None),
            Some(Received::Refused { message, .. }) => {
                (Some(CallbackKind::Result), None, Some(*message))
            }
            None => (None, None, None),
        };
        Self::Callback {
            id: letter.id,
            reason: letter.reason.clone(),
            given_up_at: letter.at,
            callback,
            provider,
            message_id,
            received_at: body.map(|body| body.at),
        }
    }
}

impl Redriven {
    #[must_use]
    pub const fn of(id: DeadId, messages: Option<u32>) -> Self {
        Self { id, status: RedrivenStatus::Redriven, messages }
    }
}

impl Dropped {
    #[must_use]
    pub const fn letter(id: LetterId) -> Self {
        let (id, status) = (DeadId::Letter(id), DroppedStatus::Dropped);
        Self { id, status, messages: None, cancelled: None, not_found: None }
    }
}
