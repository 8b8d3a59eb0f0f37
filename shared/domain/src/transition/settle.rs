//! Settling an Unknown: what a look-up found, or what the policy says.

use super::*;

impl Message {
    /// The provider's list does not have it. The second time in a row proves
    /// that it was not sent, and it is tried again if `next` says so.
    pub fn not_found(&mut self, next: Next, now: Timestamp) -> Verdict {
        let State::Unknown { attempt, not_found, held: false, .. } = &mut self.state else {
            return Verdict::Ignored;
        };
        *not_found += 1;
        if *not_found < NOT_FOUND_NEEDED {
            self.wait_until(Some(now + SETTLE_PAUSE));
            return Verdict::Changed;
        }
        let attempt = *attempt;
        if let Some(record) = self.attempts.iter_mut().find(|a| a.number == attempt) {
            record.outcome = AttemptOutcome::NotSent;
        }
        self.note(EventKind::NotSent, now, EventSource::LookUp);
        if self.rests_on_an_earlier_attempt(attempt, now) {
            return Verdict::Changed;
        }
        match next {
            Next::Retry(at) => {
                let detail = format!("attempt {attempt} never reached the provider");
                self.decide(DecisionKind::Retry, now, "not_sent", Some(at), detail);
                self.state = State::Scheduled;
                self.wait_until(Some(at));
            }
            Next::GiveUp(failure) => self.fail(failure, false, EventSource::LookUp, now),
        }
        Verdict::Changed
    }

    /// The look-up could not be made now; ask again at `at`.
    pub fn look_again(&mut self, at: Timestamp) -> Verdict {
        let State::Unknown { not_found, held: false, .. } = &mut self.state else {
            return Verdict::Ignored;
        };
        // "Not found" counts in a row.
        *not_found = 0;
        self.wait_until(Some(at));
        Verdict::Changed
    }

    /// Stays Unknown, visibly, until a receipt or a person settles it.
    pub fn hold(&mut self, detail: &str, now: Timestamp) -> Verdict {
        let State::Unknown { held, .. } = &mut self.state else { return Verdict::Ignored };
        *held = true;
        self.decide(DecisionKind::Hold, now, "unknown_policy", None, detail.to_owned());
        self.wait_until(None);
        Verdict::Changed
    }

    /// The organization prefers a second message to a missing one.
    pub fn resend(&mut self, at: Timestamp, now: Timestamp) -> Verdict {
        let State::Unknown { attempt, .. } = self.state else { return Verdict::Ignored };
        if self.rests_on_an_earlier_attempt(attempt, now) {
            return Verdict::Changed;
        }
        let detail = format!("nobody can tell whether attempt {attempt} arrived");
        self.decide(DecisionKind::Resend, now, "unknown_policy", Some(at), detail);
        self.state = State::Scheduled;
        self.wait_until(Some(at));
        Verdict::Changed
    }
}
