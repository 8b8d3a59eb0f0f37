//! An address that must not be written to.

use carillon_domain::Channel;
use carillon_domain::message::SuppressionReason;
use carillon_store as store;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// Nothing is sent to this address on this channel.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Suppression {
    pub address: String,
    pub channel: Channel,
    pub reason: SuppressionReason,
    /// What the person wrote.
    pub words: Option<String>,
    pub source_message_id: Option<String>,
    pub at: Timestamp,
    /// The key or member, or the provider with its code.
    pub by: String,
}

impl Suppression {
    #[must_use]
    pub fn of(s: &store::Suppression) -> Self {
        Self {
            address: s.address.clone(),
            channel: s.channel,
            reason: s.reason,
            words: s.words.clone(),
            source_message_id: s.source_message_id.clone(),
            at: s.at,
            by: s.by.clone(),
        }
    }
}
