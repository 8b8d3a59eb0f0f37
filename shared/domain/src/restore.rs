//! A table restored from a backup forgets what was sent after it. The rows say
//! that everything still waits; the people had their messages hours ago.
//!
//! So what the original may have sent is not sent: it is presumed sent, becomes
//! Unknown, and is settled as any Unknown is. What the original cannot have sent
//! (it came later, or was not due) goes as ever.

use jiff::Timestamp;

use crate::message::{DecisionKind, EventKind, Message, State};

/// A restored table that somebody let send again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    /// When the copy was found to be one: what is older came with the backup.
    pub found_at: Timestamp,
    /// Until then the original may have been at work.
    pub released_at: Timestamp,
}

impl Release {
    /// Whether the original may have begun the attempt that this row waits for.
    #[must_use]
    pub fn may_have_sent(&self, m: &Message) -> bool {
        m.state == State::Scheduled
            && is_older(m, self.found_at)
            && m.could_go_from() <= self.released_at
    }
}

/// Whether a message must keep the time it has: it tells what the original may
/// have sent. `held_since` is set while the copy waits to be released.
#[must_use]
pub fn keeps_its_time(
    m: &Message,
    held_since: Option<Timestamp>,
    release: Option<Release>,
) -> bool {
    m.state == State::Scheduled
        && (held_since.is_some_and(|found_at| is_older(m, found_at))
            || release.is_some_and(|release| release.may_have_sent(m)))
}

/// The message came with the backup. (A file's messages are as old as the file,
/// also those that are planned later: the original may have planned them first.)
#[must_use]
pub fn is_older(m: &Message, backup_ends: Timestamp) -> bool {
    m.created_at < backup_ends
}

impl Message {
    /// The earliest moment at which the next attempt can have been made.
    #[must_use]
    pub fn could_go_from(&self) -> Timestamp {
        let waits_for = self.decisions.last().and_then(|d| match d.kind {
            DecisionKind::Retry | DecisionKind::Resend | DecisionKind::Deferred => d.until,
            DecisionKind::Suppressed
            | DecisionKind::Hold
            | DecisionKind::Expired
            | DecisionKind::GaveUp => None,
        });
        let asked = self.events.iter().rfind(|e| e.kind == EventKind::Retried).map(|e| e.at);
        let times = [Some(self.scheduled_for), waits_for, asked];
        times.into_iter().flatten().max().unwrap_or(self.scheduled_for)
    }
}
