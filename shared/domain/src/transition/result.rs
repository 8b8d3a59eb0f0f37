//! What came of a call. The claim and the call are fenced; the result is not.

use super::*;

/// Reason of a decision: another account was used at once.
pub const FAIL_OVER: &str = "failover";

impl Message {
    /// The provider took attempt `attempt`.
    pub fn accepted(
        &mut self,
        attempt: u16,
        answered: Answered,
        price: Option<Money>,
        source: EventSource,
        now: Timestamp,
    ) -> Verdict {
        let id = answered.provider_message_id.clone();
        let known = self.close_attempt(attempt, AttemptOutcome::Accepted, answered, now);
        match &self.state {
            State::Sending { attempt: n, .. } | State::Unknown { attempt: n, .. }
                if *n == attempt =>
            {
                self.arrived(id, now, source);
                self.price = price;
                self.state = State::Accepted { attempt, at: now };
                self.wait_until(None);
                Verdict::Changed
            }
            // A receipt overtook the answer: only the attempt's record is new.
            _ if attempt == self.attempt() && self.state.is_settled() => {
                if self.price.is_none() {
                    self.price = price;
                }
                if known { Verdict::Changed } else { Verdict::Ignored }
            }
            // Cleared as not sent, and it was; nothing has been sent since.
            State::Scheduled if attempt == self.attempt() => {
                self.arrived(id, now, source);
                self.state = State::Accepted { attempt, at: now };
                self.wait_until(None);
                Verdict::Changed
            }
            _ if attempt < self.attempt() => self.duplicate(now, source),
            _ => Verdict::Ignored,
        }
    }

    /// The provider said that it did not take attempt `attempt`.
    pub fn refused(
        &mut self,
        attempt: u16,
        answered: Answered,
        failure: &Failure,
        next: Next,
        now: Timestamp,
    ) -> Verdict {
        let outcome = AttemptOutcome::Refused(failure.clone());
        self.close_attempt(attempt, outcome, answered, now);
        let ours = match &self.state {
            State::Sending { attempt: n, .. } | State::Unknown { attempt: n, .. } => *n == attempt,
            _ => false,
        };
        if !ours {
            return Verdict::Ignored;
        }
        if self.rests_on_an_earlier_attempt(attempt, now) {
            return Verdict::Changed;
        }
        match next {
            Next::Retry(at) => {
                let detail = format!("attempt {attempt}: {}", failure.detail);
                let reason = failure.reason.as_str();
                self.decide(DecisionKind::Retry, now, reason, Some(at), detail);
                self.state = State::Scheduled;
                self.wait_until(Some(at));
            }
            Next::GiveUp(failure) => self.fail(failure, false, EventSource::Response, now),
        }
        Verdict::Changed
    }

    /// The provider did not take attempt `attempt` and is not to be asked again
    /// now: the next account is, under the same claim. One write ends the one
    /// attempt and begins the other, so a crash between never hides the second.
    /// `None` when the claim is no longer ours to use.
    pub fn fail_over(
        &mut self,
        attempt: u16,
        answered: Answered,
        failure: &Failure,
        next: ProviderName,
        now: Timestamp,
    ) -> Option<u16> {
        let State::Sending { attempt: n, lease_until, .. } = self.state else { return None };
        if n != attempt || self.arrived_before(attempt).is_some() {
            return None;
        }
        let refused = self.provider;
        self.close_attempt(attempt, AttemptOutcome::Refused(failure.clone()), answered, now);
        self.note_fail_over(refused, next, &failure.detail, now);
        Some(self.claim(next, now, lease_until))
    }

    /// Another account than the first is used, and why.
    pub fn note_fail_over(
        &mut self,
        refused: Option<ProviderName>,
        next: ProviderName,
        why: &str,
        now: Timestamp,
    ) {
        let refused = refused.map_or("the account", ProviderName::as_str);
        let detail = format!("{refused}: {why}; {} is used instead", next.as_str());
        self.decide(DecisionKind::Retry, now, FAIL_OVER, Some(now), detail);
    }

    /// Attempts without those that only took another account at once.
    #[must_use]
    pub fn rounds(&self) -> u16 {
        let switched = self.decisions.iter().filter(|d| d.reason == FAIL_OVER);
        let in_attempts =
            switched.filter(|d| self.attempts.iter().any(|a| a.ended_at == Some(d.at)));
        self.attempt().saturating_sub(u16::try_from(in_attempts.count()).unwrap_or(0))
    }

    /// Nobody knows whether attempt `attempt` arrived: no answer, an answer
    /// that proves nothing, or a claim whose lease ran out.
    pub fn unknown(&mut self, attempt: u16, answered: Answered, now: Timestamp) -> Verdict {
        match &self.state {
            State::Sending { attempt: n, .. } if *n == attempt => {}
            _ => return Verdict::Ignored,
        }
        self.close_attempt(attempt, AttemptOutcome::Unknown, answered, now);
        self.note(EventKind::Unknown, now, EventSource::System);
        self.state = State::Unknown { attempt, since: now, not_found: 0, held: false };
        self.wait_until(Some(now + SETTLE_PAUSE));
        Verdict::Changed
    }

    /// Instead of another attempt, when an earlier one turned out to have
    /// arrived. True when that is so.
    pub(super) fn rests_on_an_earlier_attempt(&mut self, attempt: u16, now: Timestamp) -> bool {
        let Some(earlier) = self.arrived_before(attempt) else { return false };
        let id = self.attempts.iter().find(|a| a.number == earlier);
        let id = id.and_then(|a| a.provider_message_id.clone());
        self.arrived(id, now, EventSource::System);
        self.state = State::Accepted { attempt: earlier, at: now };
        self.wait_until(None);
        true
    }

    /// An attempt before this one that is known to have arrived, although we
    /// had given it up. One that a person asked to repeat does not count.
    pub(super) fn arrived_before(&self, attempt: u16) -> Option<u16> {
        let asked = self.events.iter().rfind(|e| e.kind == EventKind::Retried).map(|e| e.at);
        self.attempts
            .iter()
            .filter(|a| a.number < attempt && asked.is_none_or(|at| a.started_at >= at))
            .find(|a| a.outcome == AttemptOutcome::Accepted)
            .map(|a| a.number)
    }

    /// Writes what came of an attempt; false when there is no such attempt or
    /// it has its answer already.
    pub(super) fn close_attempt(
        &mut self,
        attempt: u16,
        outcome: AttemptOutcome,
        answered: Answered,
        now: Timestamp,
    ) -> bool {
        let Some(record) = self.attempts.iter_mut().find(|a| a.number == attempt) else {
            return false;
        };
        if record.ended_at.is_some() && record.outcome == outcome {
            return false;
        }
        // Evidence that it was taken is stronger than any answer after it.
        if record.outcome != AttemptOutcome::Accepted || outcome == AttemptOutcome::Accepted {
            record.outcome = outcome;
        }
        record.ended_at = Some(now);
        record.http_status = answered.http_status;
        record.code = answered.code;
        record.text = answered.text;
        if answered.provider_message_id.is_some() {
            record.provider_message_id = answered.provider_message_id;
        }
        true
    }
}
