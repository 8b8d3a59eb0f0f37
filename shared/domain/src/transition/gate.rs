//! What decides before a call that there will be none.

use super::*;
use crate::gates;

impl Message {
    /// The address must not be written to.
    pub fn suppress(&mut self, reason: SuppressionReason, detail: String, now: Timestamp) {
        self.decide(DecisionKind::Suppressed, now, reason.as_str(), None, detail);
        self.state = State::Suppressed { reason, at: now };
        self.wait_until(None);
    }

    /// Too late to be of use.
    pub fn expire(&mut self, now: Timestamp) {
        let detail = "its time to be sent had passed".to_owned();
        self.decide(DecisionKind::Expired, now, "expires_at", None, detail.clone());
        let failure = Failure::new("expired", FailureReason::Expired, true, detail);
        self.fail(failure, false, EventSource::System, now);
    }

    /// Not now: waits by itself. `until` is when it may go, `due` when it is
    /// looked at again (later than `until` where it is queued for that moment).
    /// What cannot go before it expires has expired.
    pub fn defer(
        &mut self,
        reason: &str,
        until: Timestamp,
        due: Timestamp,
        detail: String,
        now: Timestamp,
    ) {
        self.note_wait(reason, until, detail.clone(), now);
        if let Some(detail) = gates::expires_first(self.expires_at, until, &detail) {
            self.decide(DecisionKind::Expired, now, reason, None, detail.clone());
            let failure = Failure::new("expired", FailureReason::Expired, true, detail);
            self.fail(failure, false, EventSource::System, now);
            return;
        }
        self.wait_until(Some(due));
    }

    /// Not now, and its pack comes again: only the reason is noted. False when
    /// it was known already, and there is nothing to store.
    pub fn note_wait(
        &mut self,
        reason: &str,
        until: Timestamp,
        detail: String,
        now: Timestamp,
    ) -> bool {
        match self.decisions.last_mut() {
            Some(last) if last.kind == DecisionKind::Deferred && last.reason == reason => {
                last.until = Some(until);
                last.detail = detail;
                false
            }
            _ => {
                self.decide(DecisionKind::Deferred, now, reason, Some(until), detail);
                true
            }
        }
    }

    /// Work on it fails again and again, and `error` says how. What was not
    /// begun fails, what may have arrived is held: a person can retry either. A
    /// claim is left to its lease.
    pub fn give_up_working(&mut self, error: &str, now: Timestamp) -> Verdict {
        match self.state {
            State::Scheduled => {
                let detail = format!("sending it failed again and again: {error}");
                self.give_up(Failure::new("gave_up", FailureReason::Other, true, detail), now);
                Verdict::Changed
            }
            State::Unknown { held: false, .. } => {
                self.hold(&format!("settling it failed again and again: {error}"), now)
            }
            State::Unknown { held: true, .. }
            | State::Sending { .. }
            | State::Accepted { .. }
            | State::Delivered { .. }
            | State::Read { .. }
            | State::Failed { .. }
            | State::Cancelled { .. }
            | State::Suppressed { .. }
            | State::Received => Verdict::Ignored,
        }
    }

    /// Cannot be sent at all: a failure of ours, before any call.
    pub fn give_up(&mut self, failure: Failure, now: Timestamp) {
        let reason = failure.reason.as_str();
        self.decide(DecisionKind::GaveUp, now, reason, None, failure.detail.clone());
        self.fail(failure, false, EventSource::System, now);
    }
}
