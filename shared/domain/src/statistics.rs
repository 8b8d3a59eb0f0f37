//! What a message counts as. A message is in exactly one [`Bucket`] at a time;
//! all totals are sums of buckets, none is a difference.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::integration::Money;
use crate::message::{DecisionKind, Direction, Message, State};

/// Where a message is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bucket {
    Pending,
    Unknown,
    Sent,
    Delivered,
    Read,
    /// Failed, and the provider never took it.
    Failed,
    /// Failed after the provider had taken it.
    Undelivered,
    Suppressed,
    Cancelled,
    /// A person wrote.
    Received,
    /// A person wrote a stop word.
    OptedOut,
}

impl Bucket {
    /// In the order of their numbers in stored rows: append only.
    pub const ALL: [Self; 11] = [
        Self::Pending,
        Self::Unknown,
        Self::Sent,
        Self::Delivered,
        Self::Read,
        Self::Failed,
        Self::Undelivered,
        Self::Suppressed,
        Self::Cancelled,
        Self::Received,
        Self::OptedOut,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Unknown => "unknown",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
            Self::Undelivered => "undelivered",
            Self::Suppressed => "suppressed",
            Self::Cancelled => "cancelled",
            Self::Received => "received",
            Self::OptedOut => "opted_out",
        }
    }

    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// Three letters, `USD`.
pub type Currency = [u8; 3];

/// What one message adds to the counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub bucket: Bucket,
    /// Days since 1970 (UTC) of the day it is counted on.
    pub day: u16,
    /// Price in millionths of the unit, and the currency, where one is known.
    pub price: Option<(u32, Currency)>,
    /// `code|reason` of a failure.
    pub error: Option<String>,
}

impl Fact {
    #[must_use]
    pub fn of(m: &Message) -> Self {
        let (bucket, at) = match &m.state {
            State::Scheduled | State::Sending { .. } => (Bucket::Pending, m.created_at),
            State::Unknown { since, .. } => (Bucket::Unknown, *since),
            State::Accepted { at, .. } => (Bucket::Sent, *at),
            State::Delivered { at } => (Bucket::Delivered, *at),
            State::Read { at } => (Bucket::Read, *at),
            State::Failed { at, accepted: true, .. } => (Bucket::Undelivered, *at),
            State::Failed { at, accepted: false, .. } => (Bucket::Failed, *at),
            State::Suppressed { at, .. } => (Bucket::Suppressed, *at),
            State::Cancelled { at, .. } => (Bucket::Cancelled, *at),
            State::Received => (received(m), m.created_at),
        };
        let error = match &m.state {
            State::Failed { failure, .. } => {
                Some(format!("{}|{}", failure.code, failure.reason.as_str()))
            }
            _ => None,
        };
        Self {
            bucket,
            // What was sent is counted on the day it was sent, also when the
            // receipt comes the day after.
            day: days(m.sent_at.unwrap_or(at)),
            price: m.price.as_ref().and_then(price),
            error,
        }
    }
}

fn price(money: &Money) -> Option<(u32, Currency)> {
    let micros = u32::try_from(money.micros()?).unwrap_or(u32::MAX);
    let currency = money.currency.as_bytes().try_into().ok()?;
    (micros > 0).then_some((micros, currency))
}

fn received(m: &Message) -> Bucket {
    debug_assert_eq!(m.direction, Direction::Inbound);
    let stop = m.decisions.iter().any(|d| d.kind == DecisionKind::Suppressed);
    if stop { Bucket::OptedOut } else { Bucket::Received }
}

/// Days since 1970 in UTC.
#[must_use]
pub fn days(at: Timestamp) -> u16 {
    u16::try_from(at.as_second().div_euclid(86_400)).unwrap_or(0)
}

/// `2026-11-21` of a number of days.
#[must_use]
pub fn date(days: u16) -> String {
    let at = Timestamp::from_second(i64::from(days) * 86_400).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string()
}
