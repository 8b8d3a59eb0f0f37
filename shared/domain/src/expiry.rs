//! When a message is of no use any more, where nobody said so.
//!
//! A late reminder is worse than none, and a message that waited for days for
//! an outage to end surprises everyone. So a single message always ends; one of
//! a file only when its sender says when.

use jiff::{SignedDuration, Timestamp};

use crate::Message;

/// What belongs to something (a booking) or was planned for a time is a
/// reminder, or like one.
const REMINDER: SignedDuration = SignedDuration::from_hours(24);
const OTHER: SignedDuration = SignedDuration::from_hours(72);

/// For a single message that goes at `scheduled_for`. `asked_at` is when a
/// person asked for that.
#[must_use]
pub fn default(scheduled_for: Timestamp, asked_at: Timestamp, related: bool) -> Timestamp {
    let ahead = scheduled_for > asked_at;
    scheduled_for + if related || ahead { REMINDER } else { OTHER }
}

impl Message {
    /// Whether the expiry is one that nobody chose, so that it moves with the
    /// message's time.
    #[must_use]
    pub fn has_default_expiry(&self) -> bool {
        let after = self.expires_at.map(|end| end.duration_since(self.scheduled_for));
        after == Some(REMINDER) || after == Some(OTHER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reminder_ends_after_a_day_and_anything_else_after_three() {
        let at =
            |hours: i64| Timestamp::from_second(1_795_000_000 + hours * 3_600).expect("in range");
        for (name, scheduled, related, expected) in [
            ("now", 0, false, 72),
            ("now, for a booking", 0, true, 24),
            ("ahead", 5, false, 29),
            ("ahead, for a booking", 5, true, 29),
        ] {
            assert_eq!(default(at(scheduled), at(0), related), at(expected), "{name}");
        }
    }
}
