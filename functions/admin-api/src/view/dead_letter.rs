//! Packs that the sender has given up.

use carillon_domain::pack::Pack;
use carillon_domain::{Channel, ImportId, PackId};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// Messages that were given up together.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeadLetter {
    pub id: PackId,
    pub messages: u32,
    pub reason: Option<String>,
    pub given_up_at: Option<Timestamp>,
    pub import_id: ImportId,
    pub channel: Channel,
}

/// A dead letter that tries again.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Redriven {
    pub id: PackId,
    pub status: RedrivenStatus,
    pub messages: u32,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RedrivenStatus {
    Redriven,
}

/// A dead letter whose messages were cancelled.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Dropped {
    pub id: PackId,
    pub status: DroppedStatus,
    pub messages: u32,
    pub cancelled: usize,
    pub not_found: usize,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DroppedStatus {
    Dropped,
}

impl DeadLetter {
    #[must_use]
    pub fn of(pack: &Pack) -> Self {
        let given_up = pack.given_up.as_ref();
        Self {
            id: pack.id,
            messages: pack.size(),
            reason: given_up.map(|g| g.reason.clone()),
            given_up_at: given_up.map(|g| g.at),
            import_id: pack.source,
            channel: pack.channel,
        }
    }
}
