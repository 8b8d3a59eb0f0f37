//! A circuit breaker for each account: when most calls fail, nobody calls for a
//! while; then one probe decides.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Failures and successes are weighed over about this long.
const WINDOW: SignedDuration = SignedDuration::from_secs(60);
/// Fewer failures than this prove nothing.
const FAILURES_NEEDED: u32 = 5;
/// First pause; doubles with each probe that fails.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(30);
const DOUBLINGS: u32 = 2;
/// While a probe is on its way, others look again after this.
const PROBE_PAUSE: SignedDuration = SignedDuration::from_secs(15);
/// A probe that says nothing for so long was cut off; the next may try.
const PROBE_TIME: SignedDuration = SignedDuration::from_secs(150);

/// What calls of one run have shown: answers, and failures of the provider as a
/// whole (down, no answer, credentials refused).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub answered: u32,
    pub failed: u32,
}

/// Times are in milliseconds since 1970; 0 where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    #[serde(rename = "s", default)]
    since: i64,
    #[serde(rename = "o", default)]
    answered: u32,
    #[serde(rename = "f", default)]
    failed: u32,
    /// No calls before; 0: closed.
    #[serde(rename = "u", default)]
    open_until: i64,
    /// Probes that failed in a row.
    #[serde(rename = "n", default)]
    reopened: u32,
    /// A probe is on its way until then.
    #[serde(rename = "p", default)]
    probe_until: i64,
}

impl Breaker {
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        *self == Self::default()
    }

    /// When calls may be tried again; `None` when they may now.
    #[must_use]
    pub fn closed_until(&self, now: Timestamp) -> Option<Timestamp> {
        let ms = now.as_millisecond();
        let until = match (self.open_until > ms, self.probe_until > ms) {
            (true, _) => Timestamp::from_millisecond(self.open_until).ok()?,
            // The probe's answer is a matter of seconds.
            (false, true) => now + PROBE_PAUSE,
            (false, false) => return None,
        };
        Some(until)
    }

    /// Whether the next call is a probe: one message, and nobody else's.
    #[must_use]
    pub const fn is_half_open(&self) -> bool {
        self.open_until > 0
    }

    pub(super) fn begin_probe(&mut self, now: Timestamp) {
        self.probe_until = (now + PROBE_TIME).as_millisecond();
    }

    pub(super) fn learn(&mut self, tally: Tally, now: Timestamp) {
        if self.open_until > 0 {
            self.probe_until = 0;
            if tally.answered > 0 && tally.failed == 0 {
                *self = Self::default();
            } else if tally.failed > 0 {
                self.reopened = (self.reopened + 1).min(DOUBLINGS);
                self.open(now);
            }
            return;
        }
        let ms = now.as_millisecond();
        if ms - self.since > i64::try_from(WINDOW.as_millis()).unwrap_or(i64::MAX) {
            (self.since, self.answered, self.failed) = (ms, 0, 0);
        }
        self.answered += tally.answered;
        self.failed += tally.failed;
        if self.failed >= FAILURES_NEEDED && self.failed >= self.answered {
            self.open(now);
        }
    }

    fn open(&mut self, now: Timestamp) {
        let pause = FIRST_PAUSE * (1_i32 << self.reopened);
        self.open_until = (now + pause).as_millisecond();
        (self.answered, self.failed) = (0, 0);
    }
}
