//! What a message would be.

use carillon_domain::integration::Money;
use carillon_domain::segments::Encoding;
use carillon_domain::{Channel, ProviderName};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::message::Decision;

/// A message as it would be sent.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Preview {
    pub channel: Channel,
    pub to: String,
    /// The text with its variables filled in.
    pub body: String,
    pub segments: u16,
    pub encoding: Option<Encoding>,
    /// The same text with look-alikes that need fewer segments; null where there
    /// is nothing to gain.
    pub gsm7_replacement: Option<String>,
    /// Who would be asked first.
    pub provider: Option<ProviderName>,
    pub price: Option<Money>,
    pub scheduled_for: Timestamp,
    pub decision: Outlook,
    /// The first of `decisions`.
    pub reason: Option<String>,
    /// Until when it would wait.
    pub until: Option<Timestamp>,
    /// What stands against it, in the order in which the sender asks.
    pub decisions: Vec<Decision>,
}

/// What would happen to it.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outlook {
    Send,
    Deferred,
    Suppressed,
    Failed,
}
