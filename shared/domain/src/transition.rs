//! How a message moves. Pure: facts in, verdict out; who calls it stores the
//! message under a condition on its version, and asks again when it lost.
//!
//! The order in which a claim, its result and receipts reach us is not ours to
//! choose. The rules: a result or receipt of attempt n counts for `Sending{n}`
//! and `Unknown{n}`, also when it is late; evidence that an earlier attempt
//! arrived, found during a later one, is a proven duplicate; what is final
//! stays, except that a person may read what was delivered.

use jiff::{SignedDuration, Timestamp};

use crate::integration::Money;
use crate::message::{
    Attempt, AttemptOutcome, DecisionKind, EventKind, EventSource, Message, State,
    SuppressionReason,
};
use crate::receipt::ReceiptKind;
use crate::retry::Next;
use crate::{Failure, FailureReason, ProviderName};

/// How long after an attempt was lost we first ask the provider; and then
/// between two look-ups. Long enough for the provider's list to be complete.
pub const SETTLE_PAUSE: SignedDuration = SignedDuration::from_secs(60);
/// "Not found" counts as "not sent" only after this many look-ups in a row.
pub const NOT_FOUND_NEEDED: u8 = 2;

/// What came of an offered fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The message changed and must be stored.
    Changed,
    /// Nothing new.
    Ignored,
    /// Proof that the provider has this message twice. Stored and alarmed.
    ProvenDuplicate,
}

/// Why a message cannot be claimed now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotClaimable {
    /// Settled: nothing to do.
    Settled,
    /// Someone else's claim is running.
    InFlight,
    /// A claim's lease ran out: it must become Unknown first.
    LeaseLost,
    /// Waits to be settled.
    Unknown,
    /// Its time has not come.
    NotDue,
}

/// The request is too late for the state the message is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message is past the state in which this is possible")]
pub struct TooLate;

/// What the provider answered, for the attempt's record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered {
    pub http_status: Option<u16>,
    pub code: Option<String>,
    pub provider_message_id: Option<String>,
    pub text: Option<String>,
}

impl Message {
    /// # Errors
    /// When it is not claimable; `born` is when this process started, if it is
    /// the only worker there is: claims made before it are lost.
    pub fn claimable(&self, now: Timestamp, born: Option<Timestamp>) -> Result<(), NotClaimable> {
        match &self.state {
            State::Scheduled if self.scheduled_for > now => Err(NotClaimable::NotDue),
            State::Scheduled => Ok(()),
            State::Sending { claimed_at, lease_until, .. } => {
                if *lease_until <= now || born.is_some_and(|born| *claimed_at < born) {
                    Err(NotClaimable::LeaseLost)
                } else {
                    Err(NotClaimable::InFlight)
                }
            }
            State::Unknown { held: false, .. } => Err(NotClaimable::Unknown),
            State::Unknown { held: true, .. }
            | State::Accepted { .. }
            | State::Delivered { .. }
            | State::Read { .. }
            | State::Failed { .. }
            | State::Cancelled { .. }
            | State::Suppressed { .. }
            | State::Received => Err(NotClaimable::Settled),
        }
    }

    /// Claims the next attempt. A message that waits by itself waits for the
    /// end of the lease from now on; one in a pack is watched by its pack.
    pub fn claim(&mut self, provider: ProviderName, now: Timestamp, lease_until: Timestamp) -> u16 {
        let number = self.attempt() + 1;
        self.attempts.push(Attempt {
            number,
            provider,
            started_at: now,
            ended_at: None,
            outcome: AttemptOutcome::InFlight,
            http_status: None,
            code: None,
            provider_message_id: None,
            text: None,
        });
        self.provider = Some(provider);
        self.state = State::Sending { attempt: number, claimed_at: now, lease_until };
        if self.due.is_some() {
            self.wait_until(Some(lease_until));
        }
        number
    }

    /// Takes the claim back: the call was not begun, and will not be.
    pub fn unclaim(&mut self, now: Timestamp) {
        let State::Sending { .. } = self.state else { return };
        self.attempts.pop();
        self.state = State::Scheduled;
        if self.due.is_some() {
            self.wait_until(Some(now));
        }
    }

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

    /// A delivery receipt, or the same knowledge from a look-up.
    pub fn receipt(
        &mut self,
        attempt: Option<u16>,
        provider_message_id: Option<&str>,
        kind: &ReceiptKind,
        source: EventSource,
        now: Timestamp,
    ) -> Verdict {
        let attempt = attempt.unwrap_or_else(|| self.attempt());
        // A receipt for an attempt that was never made proves nothing.
        if attempt == 0 || attempt > self.attempt() {
            return Verdict::Ignored;
        }
        if attempt < self.attempt() && self.has_moved_past(attempt) {
            // What was known to have arrived proves nothing new by being on its
            // way; arriving at the person does, whatever we were told before.
            let known = self
                .attempts
                .iter()
                .any(|a| a.number == attempt && a.outcome == AttemptOutcome::Accepted);
            return match kind {
                ReceiptKind::Failed(_) => Verdict::Ignored,
                ReceiptKind::InProgress | ReceiptKind::Sent if known => Verdict::Ignored,
                ReceiptKind::InProgress
                | ReceiptKind::Sent
                | ReceiptKind::Delivered
                | ReceiptKind::Read => {
                    // Remembered: should the later attempt come to nothing, it
                    // is not made again.
                    self.mark_taken(attempt, provider_message_id.map(str::to_owned));
                    self.duplicate(now, source)
                }
            };
        }
        if self.is_stale(attempt, kind) {
            return Verdict::Ignored;
        }
        let id = provider_message_id.map(str::to_owned);
        match (&self.state, kind) {
            // It arrived, and we had not known.
            (
                State::Sending { .. }
                | State::Unknown { .. }
                | State::Scheduled
                | State::Failed { accepted: false, .. }
                | State::Cancelled { .. },
                ReceiptKind::InProgress | ReceiptKind::Sent,
            ) => {
                self.mark_taken(attempt, id.clone());
                self.arrived(id, now, source);
                self.state = State::Accepted { attempt, at: now };
                self.wait_until(None);
                Verdict::Changed
            }
            (
                State::Sending { .. }
                | State::Unknown { .. }
                | State::Scheduled
                | State::Accepted { .. }
                | State::Failed { accepted: false, .. }
                | State::Cancelled { .. },
                ReceiptKind::Delivered | ReceiptKind::Read,
            ) => {
                self.mark_taken(attempt, id.clone());
                self.arrived(id, now, source);
                self.note(EventKind::Delivered, now, source);
                self.state = State::Delivered { at: now };
                if *kind == ReceiptKind::Read {
                    self.note(EventKind::Read, now, source);
                    self.state = State::Read { at: now };
                }
                self.wait_until(None);
                Verdict::Changed
            }
            (
                State::Sending { .. }
                | State::Unknown { .. }
                | State::Scheduled
                | State::Accepted { .. },
                ReceiptKind::Failed(failure),
            ) => {
                self.mark_taken(attempt, id.clone());
                self.arrived(id, now, source);
                self.fail(failure.clone(), true, source, now);
                Verdict::Changed
            }
            (State::Delivered { .. }, ReceiptKind::Read) => {
                self.note(EventKind::Read, now, source);
                self.state = State::Read { at: now };
                Verdict::Changed
            }
            (
                State::Accepted { .. }
                | State::Delivered { .. }
                | State::Read { .. }
                | State::Failed { .. }
                | State::Cancelled { .. }
                | State::Suppressed { .. }
                | State::Received,
                _,
            ) => Verdict::Ignored,
        }
    }

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

    /// From now on it waits by itself.
    ///
    /// # Errors
    /// Once an attempt is under way or the message is settled.
    pub fn reschedule(&mut self, at: Timestamp, now: Timestamp) -> Result<(), TooLate> {
        if self.state != State::Scheduled {
            return Err(TooLate);
        }
        self.note(EventKind::Rescheduled, now, EventSource::Api);
        self.scheduled_for = at;
        self.wait_until(Some(at));
        Ok(())
    }

    /// A person asks for one more attempt of a message that failed, or that is
    /// held as Unknown and may have arrived: that is theirs to judge. `due` may
    /// lie ahead of `now` by the queue lease when the caller queues it itself.
    ///
    /// # Errors
    /// When it is in any other state.
    pub fn retry(&mut self, due: Timestamp, now: Timestamp) -> Result<(), TooLate> {
        if !matches!(self.state, State::Failed { .. } | State::Unknown { held: true, .. }) {
            return Err(TooLate);
        }
        self.note(EventKind::Retried, now, EventSource::Api);
        self.state = State::Scheduled;
        self.scheduled_for = now;
        self.expires_at = None;
        self.wait_until(Some(due));
        Ok(())
    }

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

    fn fail(&mut self, failure: Failure, accepted: bool, source: EventSource, now: Timestamp) {
        self.note(EventKind::Failed, now, source);
        self.state = State::Failed { failure, at: now, accepted };
        self.wait_until(None);
    }

    fn arrived(&mut self, id: Option<String>, now: Timestamp, source: EventSource) {
        if self.sent_at.is_none() {
            self.sent_at = Some(now);
            self.note(EventKind::Sent, now, source);
        }
        if id.is_some() {
            self.provider_message_id = id;
        }
    }

    fn mark_taken(&mut self, attempt: u16, id: Option<String>) {
        if let Some(record) = self.attempts.iter_mut().find(|a| a.number == attempt) {
            record.outcome = AttemptOutcome::Accepted;
            if record.provider_message_id.is_none() {
                record.provider_message_id = id;
            }
        }
    }

    /// While the message waits for another attempt, a receipt that only repeats
    /// what is known of the last one must not take that attempt away.
    fn is_stale(&self, attempt: u16, kind: &ReceiptKind) -> bool {
        let outcome = self.attempts.iter().find(|a| a.number == attempt).map(|a| &a.outcome);
        self.state == State::Scheduled
            && match kind {
                ReceiptKind::Failed(_) => {
                    matches!(outcome, Some(AttemptOutcome::Refused(_) | AttemptOutcome::Accepted))
                }
                ReceiptKind::InProgress | ReceiptKind::Sent => {
                    outcome == Some(&AttemptOutcome::Accepted)
                }
                ReceiptKind::Delivered | ReceiptKind::Read => false,
            }
    }

    /// An attempt before this one that is known to have arrived, although we
    /// had given it up. One that a person asked to repeat does not count.
    fn arrived_before(&self, attempt: u16) -> Option<u16> {
        let asked = self.events.iter().rfind(|e| e.kind == EventKind::Retried).map(|e| e.at);
        self.attempts
            .iter()
            .filter(|a| a.number < attempt && asked.is_none_or(|at| a.started_at >= at))
            .find(|a| a.outcome == AttemptOutcome::Accepted)
            .map(|a| a.number)
    }

    /// Instead of another attempt, when an earlier one turned out to have
    /// arrived. True when that is so.
    fn rests_on_an_earlier_attempt(&mut self, attempt: u16, now: Timestamp) -> bool {
        let Some(earlier) = self.arrived_before(attempt) else { return false };
        let id = self.attempts.iter().find(|a| a.number == earlier);
        let id = id.and_then(|a| a.provider_message_id.clone());
        self.arrived(id, now, EventSource::System);
        self.state = State::Accepted { attempt: earlier, at: now };
        self.wait_until(None);
        true
    }

    /// A later attempt is under way or has arrived.
    fn has_moved_past(&self, attempt: u16) -> bool {
        let later_taken = self
            .attempts
            .iter()
            .any(|a| a.number > attempt && a.outcome == AttemptOutcome::Accepted);
        later_taken || matches!(self.state, State::Sending { .. } | State::Unknown { .. })
    }

    fn duplicate(&mut self, now: Timestamp, source: EventSource) -> Verdict {
        if self.first(EventKind::Duplicate).is_some() {
            return Verdict::Ignored;
        }
        self.note(EventKind::Duplicate, now, source);
        Verdict::ProvenDuplicate
    }

    /// Writes what came of an attempt; false when there is no such attempt or
    /// it has its answer already.
    fn close_attempt(
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

#[cfg(test)]
mod tests;
