//! How a message moves. Pure: facts in, verdict out; who calls it stores the
//! message under a condition on its version, and asks again when it lost.
//!
//! The order in which a claim, its result and receipts reach us is not ours to
//! choose. The rules: a result or receipt of attempt n counts for `Sending{n}`
//! and `Unknown{n}`, also when it is late; evidence that an earlier attempt
//! arrived, found during a later one, is a proven duplicate; what is final
//! stays, except that a person may read what was delivered.

mod claim;
mod erase;
mod gate;
mod receipt;
mod request;
mod restore;
mod result;
mod settle;
#[cfg(test)]
pub(crate) mod tests;

use jiff::{SignedDuration, Timestamp};

pub use erase::Erased;
pub use restore::RESTORED;
pub use result::FAIL_OVER;

use crate::integration::Money;
use crate::message::{
    Attempt, AttemptOutcome, DecisionKind, EventKind, EventSource, Message, State,
    SuppressionReason,
};
use crate::receipt::ReceiptKind;
use crate::retry::Next;
use crate::{Failure, FailureReason, ProviderName};

/// How long after an attempt was lost we first ask the provider; and then
/// between two look-ups. Long enough for the provider's list to be complete.
pub const SETTLE_PAUSE: SignedDuration = SignedDuration::from_secs(60);
/// "Not found" counts as "not sent" only after this many look-ups in a row.
pub const NOT_FOUND_NEEDED: u8 = 2;

/// What came of an offered fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The message changed and must be stored.
    Changed,
    /// Nothing new.
    Ignored,
    /// Proof that the provider has this message twice. Stored and alarmed.
    ProvenDuplicate,
}

/// Why a message cannot be claimed now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotClaimable {
    /// Settled: nothing to do.
    Settled,
    /// Someone else's claim is running.
    InFlight,
    /// A claim's lease ran out: it must become Unknown first.
    LeaseLost,
    /// Waits to be settled.
    Unknown,
    /// Its time has not come.
    NotDue,
}

/// The request is too late for the state the message is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message is past the state in which this is possible")]
pub struct TooLate;

/// What the provider answered, for the attempt's record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered {
    pub http_status: Option<u16>,
    pub code: Option<String>,
    pub provider_message_id: Option<String>,
    pub text: Option<String>,
}

impl Message {
    fn fail(&mut self, failure: Failure, accepted: bool, source: EventSource, now: Timestamp) {
        self.note(EventKind::Failed, now, source);
        self.state = State::Failed { failure, at: now, accepted };
        self.wait_until(None);
    }

    fn arrived(&mut self, id: Option<String>, now: Timestamp, source: EventSource) {
        if self.sent_at.is_none() {
            self.sent_at = Some(now);
            self.note(EventKind::Sent, now, source);
        }
        if id.is_some() {
            self.provider_message_id = id;
        }
    }
}
