//! What a person asks of a message.

use super::*;
use crate::campaign::Withdrawal;
use crate::expiry;

/// Who cancels what was withdrawn; the decision says why.
const WITHDRAWN_BY: &str = "system";

impl Message {
    /// # Errors
    /// Once an attempt is under way or the message is settled. One that is held
    /// as Unknown can be closed so.
    pub fn cancel(&mut self, by: &str, now: Timestamp) -> Result<(), TooLate> {
        if !matches!(self.state, State::Scheduled | State::Unknown { held: true, .. }) {
            return Err(TooLate);
        }
        self.note(EventKind::Cancelled, now, EventSource::Api);
        self.state = State::Cancelled { by: by.to_owned(), at: now };
        self.wait_until(None);
        Ok(())
    }

    /// A person drops what the sender has given up, of which this is a part.
    /// `why` is what it was given up for.
    ///
    /// # Errors
    /// As [`Self::cancel`].
    pub fn drop_given_up(&mut self, by: &str, why: &str, now: Timestamp) -> Result<(), TooLate> {
        self.cancel(by, now)?;
        let detail = format!("given up by the sender, then dropped by {by}: {why}");
        self.decide(DecisionKind::GaveUp, now, "dropped", None, detail);
        Ok(())
    }

    /// What it was planned for is not so any more. It says why.
    ///
    /// # Errors
    /// Once an attempt is under way or the message is settled.
    pub fn withdraw(&mut self, why: Withdrawal, now: Timestamp) -> Result<(), TooLate> {
        if self.state != State::Scheduled {
            return Err(TooLate);
        }
        self.note(EventKind::Cancelled, now, EventSource::System);
        // The release before knows no other decision that ends a message so.
        let detail = why.detail().to_owned();
        self.decide(DecisionKind::GaveUp, now, why.as_str(), None, detail);
        self.state = State::Cancelled { by: WITHDRAWN_BY.to_owned(), at: now };
        self.wait_until(None);
        Ok(())
    }

    /// From now on it waits by itself. An expiry that nobody chose moves along.
    ///
    /// # Errors
    /// Once an attempt is under way or the message is settled.
    pub fn reschedule(&mut self, at: Timestamp, now: Timestamp) -> Result<(), TooLate> {
        if self.state != State::Scheduled {
            return Err(TooLate);
        }
        self.note(EventKind::Rescheduled, now, EventSource::Api);
        if self.has_default_expiry() {
            self.expires_at = Some(expiry::default(at, now, self.related.is_some()));
        }
        self.scheduled_for = at;
        self.wait_until(Some(at));
        Ok(())
    }

    /// A person asks for one more attempt of a message that failed, or that is
    /// held as Unknown and may have arrived: that is theirs to judge. `due` may
    /// lie ahead of `now` by the queue lease when the caller queues it itself.
    ///
    /// # Errors
    /// When it is in any other state, or nobody knows any more whom it was for.
    pub fn retry(&mut self, due: Timestamp, now: Timestamp) -> Result<(), TooLate> {
        let is_open =
            matches!(self.state, State::Failed { .. } | State::Unknown { held: true, .. });
        if !is_open || self.erased_at.is_some() {
            return Err(TooLate);
        }
        self.note(EventKind::Retried, now, EventSource::Api);
        self.state = State::Scheduled;
        self.scheduled_for = now;
        self.expires_at = Some(expiry::default(now, now, self.related.is_some()));
        self.wait_until(Some(due));
        Ok(())
    }
}
