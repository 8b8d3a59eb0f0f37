//! What travels on the queues: versioned, tagged, ids only where a row can be
//! read, so that a body is never the only place where something is known. (The
//! exception is what a provider told us: until it is applied, the receive queue
//! is where it is kept.)

use carillon_domain::receipt::{InboundMessage, Receipt};
use carillon_domain::settings::Trouble;
use carillon_domain::{Failure, MessageId, OrgId, PackId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Version of queue bodies.
pub const VERSION: u8 = 1;

/// For a sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendBody {
    pub v: u8,
    pub org: OrgId,
    pub what: Sendable,
    /// The generation it was leased under; another one is stale.
    #[serde(rename = "gen")]
    pub generation: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sendable {
    Message(MessageId),
    Pack(PackId),
}

/// For the receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiveBody {
    pub v: u8,
    pub org: OrgId,
    /// When we were told.
    pub at: Timestamp,
    pub what: Received,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Received {
    Receipt(Receipt),
    Inbound(InboundMessage),
    /// A sender's own result that the table did not take.
    Refused {
        message: MessageId,
        attempt: u16,
        failure: Failure,
        retry_after: Option<u32>,
    },
    /// Members are to be told of trouble: of what kind, about what, in words.
    Trouble {
        about: Trouble,
        subject: String,
        what: String,
    },
}

impl SendBody {
    #[must_use]
    pub const fn new(org: OrgId, what: Sendable, generation: u32) -> Self {
        Self { v: VERSION, org, what, generation }
    }
}

impl ReceiveBody {
    #[must_use]
    pub const fn new(org: OrgId, what: Received, at: Timestamp) -> Self {
        Self { v: VERSION, org, at, what }
    }
}
