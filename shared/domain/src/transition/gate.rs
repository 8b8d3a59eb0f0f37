//! What decides before a call that there will be none.

use super::*;

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

    /// Cannot be sent at all: a failure of ours, before any call.
    pub fn give_up(&mut self, failure: Failure, now: Timestamp) {
        let reason = failure.reason.as_str();
        self.decide(DecisionKind::GaveUp, now, reason, None, failure.detail.clone());
        self.fail(failure, false, EventSource::System, now);
    }
}
