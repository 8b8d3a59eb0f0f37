//! Which notices a booking should have: a rule, asked again after every change.
//!
//! - news (confirmation, moved, reassigned, cancelled) goes at once, and each
//!   piece of news once. Who was not told of the booking yet gets the
//!   confirmation, with what counts now, and no word of the move.
//! - a reminder goes some hours before the beginning. One whose time has passed
//!   goes at once while at least [`LEAST_AHEAD`] is left; else it is dropped.
//! - a request for feedback goes some hours after the end. One whose time has
//!   passed goes at once for [`FEEDBACK_LATE`]; else it is dropped.

use jiff::{SignedDuration, Timestamp};

use super::{Booking, BookingSettings, Decided, Notice, NoticeKind, SkipReason, State};

/// A reminder that is late is of use for so long before the session.
pub const LEAST_AHEAD: SignedDuration = SignedDuration::from_hours(2);
/// Feedback is asked for at most this much later than it should have been.
pub const FEEDBACK_LATE: SignedDuration = SignedDuration::from_hours(24);

/// A notice that should be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    pub kind: NoticeKind,
    /// When it goes, or why it does not.
    pub at: Result<Timestamp, (Timestamp, SkipReason)>,
}

/// A notice of an earlier revision or address that has gone out, may have, or had
/// its end: the client is not told the same again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    pub kind: NoticeKind,
    pub revision: u32,
}

/// The notices that a booking should have now, each once.
#[must_use]
pub fn wanted(
    b: &Booking,
    organization: &BookingSettings,
    told: &[Told],
    now: Timestamp,
) -> Vec<Wanted> {
    let settings = b.overrides.over(organization);
    let is_told =
        |kind: NoticeKind, since: u32| told.iter().any(|t| t.kind == kind && t.revision >= since);
    // News that was decided against has had its moment.
    let is_done = |kind: NoticeKind, since: u32| {
        let skipped = |n: &Notice| {
            n.kind == kind && n.revision >= since && matches!(n.what, Decided::Skipped(_))
        };
        is_told(kind, since) || b.notices.iter().any(skipped)
    };
    let mut wanted = Vec::new();
    let news = |kind| Wanted { kind, at: Ok(now) };
    match &b.state {
        State::Cancelled { at, .. } => {
            if *at < b.starts_at && !is_done(NoticeKind::Cancelled, 0) {
                wanted.push(news(NoticeKind::Cancelled));
            }
            return wanted;
        }
        State::Completed { .. } => {}
        State::Confirmed => {
            let moved = b.moved_in > 1
                && !is_done(NoticeKind::Moved, b.moved_in)
                && !is_told(NoticeKind::Confirmation, b.moved_in);
            let reassigned = b.reassigned_in > b.moved_in
                && !is_done(NoticeKind::Reassigned, b.reassigned_in)
                && !is_told(NoticeKind::Moved, b.reassigned_in)
                && !is_told(NoticeKind::Confirmation, b.reassigned_in);
            let kind = if settings.confirmations && !is_done(NoticeKind::Confirmation, 0) {
                Some(NoticeKind::Confirmation)
            } else if moved {
                Some(NoticeKind::Moved)
            } else if reassigned {
                Some(NoticeKind::Reassigned)
            } else {
                None
            };
            wanted.extend(kind.map(news));
            if settings.reminders && !is_told(NoticeKind::Reminder, b.moved_in) {
                let at = hours(b.starts_at, -i64::from(settings.reminder_hours_before));
                let at = if at > now {
                    Ok(at)
                } else if now.saturating_add(LEAST_AHEAD).unwrap_or(Timestamp::MAX) <= b.starts_at {
                    Ok(now)
                } else {
                    Err((at, SkipReason::TooLate))
                };
                wanted.push(Wanted { kind: NoticeKind::Reminder, at });
            }
        }
    }
    if settings.feedback && !is_told(NoticeKind::Feedback, b.moved_in) {
        let at = hours(b.ends_at(), i64::from(settings.feedback_hours_after));
        let at = if at > now {
            Ok(at)
        } else if now <= at.saturating_add(FEEDBACK_LATE).unwrap_or(Timestamp::MAX) {
            Ok(now)
        } else {
            Err((at, SkipReason::TooLate))
        };
        wanted.push(Wanted { kind: NoticeKind::Feedback, at });
    }
    wanted
}

fn hours(from: Timestamp, hours: i64) -> Timestamp {
    let end = if hours < 0 { Timestamp::MIN } else { Timestamp::MAX };
    from.checked_add(SignedDuration::from_hours(hours)).unwrap_or(end)
}
