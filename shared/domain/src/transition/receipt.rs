//! Receipts, in whatever order they come.

use super::*;

impl Message {
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

    /// While the message waits for another attempt, a receipt that only repeats
    /// what is known of the last one must not take that attempt away.
    pub(super) fn is_stale(&self, attempt: u16, kind: &ReceiptKind) -> bool {
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

    /// A later attempt is under way or has arrived.
    pub(super) fn has_moved_past(&self, attempt: u16) -> bool {
        let later_taken = self
            .attempts
            .iter()
            .any(|a| a.number > attempt && a.outcome == AttemptOutcome::Accepted);
        later_taken || matches!(self.state, State::Sending { .. } | State::Unknown { .. })
    }

    pub(super) fn mark_taken(&mut self, attempt: u16, id: Option<String>) {
        if let Some(record) = self.attempts.iter_mut().find(|a| a.number == attempt) {
            record.outcome = AttemptOutcome::Accepted;
            if record.provider_message_id.is_none() {
                record.provider_message_id = id;
            }
        }
    }

    pub(super) fn duplicate(&mut self, now: Timestamp, source: EventSource) -> Verdict {
        if self.first(EventKind::Duplicate).is_some() {
            return Verdict::Ignored;
        }
        self.note(EventKind::Duplicate, now, source);
        Verdict::ProvenDuplicate
    }
}
