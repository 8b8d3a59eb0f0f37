//! What an organization may still send: one row that all its senders reserve
//! from, before they call.
//!
//! A reservation, never a read: what is granted is taken off at once, by a
//! write on the condition that nobody else wrote since. So no limit is exceeded
//! whoever sends side by side. A sender gives back what it did not use; one
//! that was cut off leaves a [`Holding`], which the next run of the same pack or
//! message settles, or the end of the hour, day and month does.
//!
//! Slots are virtual scheduling as in GCRA: each sender identity has a time at
//! which its next part may go, which moves on by the price in time of each part.

mod breaker;
mod period;
mod reserve;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ProviderName;
pub use breaker::{Breaker, Tally};
pub use period::{Limits, Periods, renewed};
pub use reserve::{Ask, Grant, Unused, Wait, Want, in_time};

/// The row, whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// Raised at every write; each write is conditional on it.
    #[serde(skip)]
    pub version: u32,
    #[serde(flatten)]
    pub periods: Periods,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub identities: BTreeMap<ProviderName, Identity>,
    /// What is reserved by runs that have not ended, by pack or message.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub holdings: BTreeMap<String, Holding>,
}

/// One sender identity: the account with a provider.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// When the next part may go, in microseconds since 1970.
    #[serde(rename = "t", default)]
    pub next: i64,
    /// Where the line of those ends who found no slot near, by lane. Nothing is
    /// reserved there; it only tells when to come again.
    #[serde(rename = "e", default)]
    pub line: [i64; 2],
    #[serde(rename = "b", default, skip_serializing_if = "Breaker::is_untouched")]
    pub breaker: Breaker,
}

/// What one run has reserved and not yet accounted for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Holding {
    /// When it was first reserved, in milliseconds since 1970.
    #[serde(rename = "a")]
    pub at: i64,
    #[serde(rename = "n")]
    pub messages: u32,
    /// Millionths of the limit's currency.
    #[serde(rename = "m", default)]
    pub micros: u64,
    /// Hour, day and month it was taken from: a later one owes nothing.
    #[serde(rename = "h")]
    pub hour: i64,
    #[serde(rename = "d")]
    pub day: String,
}

impl Holding {
    #[must_use]
    pub fn since(&self) -> Timestamp {
        Timestamp::from_millisecond(self.at).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// Microseconds since 1970, the grain of slots.
#[must_use]
pub fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// The time of a slot. Rounded up: never before the slot.
#[must_use]
pub fn time(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}

/// A second and a thousandth. Slots are exact, arrivals are not: of full seconds,
/// a minute that begins with a late arrival would hold one part too many.
const SECOND: i64 = 1_001_000;

/// Microseconds that one part takes at `rate` parts a second, rounded up, so
/// that no window of a second ever holds more than `rate`.
#[must_use]
pub fn interval(rate: u32) -> i64 {
    let rate = i64::from(rate.max(1));
    (SECOND + rate - 1) / rate
}
