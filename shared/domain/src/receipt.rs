//! What a provider tells us of its own accord, in one vocabulary.

use serde::{Deserialize, Serialize};

use crate::keywords::{self, Keyword, Match};
use crate::{Failure, MessageId, ProviderName};

/// A delivery receipt. Any order, any number of times, even before our own
/// record of the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub provider: ProviderName,
    /// Ours, out of the callback address or the provider's reference field.
    pub message: Option<MessageId>,
    /// Which attempt the callback address named.
    pub attempt: Option<u16>,
    pub provider_message_id: Option<String>,
    pub kind: ReceiptKind,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// The provider has it and is not done (queued, accepted, sending).
    InProgress,
    /// The carrier has it.
    Sent,
    Delivered,
    Read,
    Failed(Failure),
}

/// A message from a person to us.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundMessage {
    pub provider: ProviderName,
    pub provider_message_id: String,
    /// E.164.
    pub from: String,
    /// The address it came to, as the provider writes it.
    pub to: String,
    pub body: String,
    pub media: Vec<String>,
    /// Set where the provider has already read a keyword, and has answered it.
    pub keyword: Option<Keyword>,
}

impl InboundMessage {
    /// What the person asks for: as the provider read it, else as we do.
    #[must_use]
    pub fn said(&self) -> Option<Match> {
        self.keyword.map_or_else(|| keywords::classify(&self.body), |k| Some(Match::Exact(k)))
    }
}

impl std::fmt::Debug for InboundMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InboundMessage")
            .field("provider", &self.provider)
            .field("provider_message_id", &self.provider_message_id)
            .field("keyword", &self.keyword)
            .finish_non_exhaustive()
    }
}
