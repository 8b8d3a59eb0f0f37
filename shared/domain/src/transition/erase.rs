//! A person's data goes. What is left of a message is what it counts as: its
//! state, its times, its price.

use super::*;

/// What became of a request to erase a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erased {
    Now,
    /// It had still waited for its time, and was cancelled.
    NowCancelled,
    Before,
    /// A call is under way, or nobody knows yet what came of one: what the
    /// message says is needed to find out.
    NotYet,
}

impl Message {
    /// Forgets the person; what still waits is cancelled first.
    pub fn erase(&mut self, by: &str, now: Timestamp) -> Erased {
        if self.erased_at.is_some() {
            return Erased::Before;
        }
        let cancelled = match &self.state {
            State::Sending { .. } | State::Unknown { held: false, .. } => return Erased::NotYet,
            // Never late in this state.
            State::Scheduled => self.cancel(by, now).is_ok(),
            State::Unknown { held: true, .. }
            | State::Accepted { .. }
            | State::Delivered { .. }
            | State::Read { .. }
            | State::Failed { .. }
            | State::Cancelled { .. }
            | State::Suppressed { .. }
            | State::Received => false,
        };
        self.erased_at = Some(now);
        self.stay_erased();
        if cancelled { Erased::NowCancelled } else { Erased::Now }
    }

    /// Cancelled by the request to forget the person, not before.
    #[must_use]
    pub fn was_cancelled_to_erase(&self) -> bool {
        matches!(self.state, State::Cancelled { at, .. } if self.erased_at == Some(at))
    }

    /// What came later, such as a receipt, must not bring anything back.
    pub fn stay_erased(&mut self) {
        if self.erased_at.is_none() {
            return;
        }
        self.address.clear();
        self.content.body.clear();
        self.content.variables.clear();
        self.content.media.clear();
        self.content.introduction = None;
        self.content.elsewhere = false;
        self.related = None;
        self.contact = None;
        self.zone = None;
        // With the provider it leads to the person.
        self.provider_message_id = None;
        for attempt in &mut self.attempts {
            attempt.provider_message_id = None;
            attempt.text = None;
            if let AttemptOutcome::Refused(failure) = &mut attempt.outcome {
                failure.detail.clear();
            }
        }
        if let State::Failed { failure, .. } = &mut self.state {
            failure.detail.clear();
        }
        for decision in &mut self.decisions {
            decision.detail.clear();
        }
    }
}
