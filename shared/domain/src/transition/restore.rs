//! After a restore: what the original may have sent.

use super::*;

/// Reason of the decision.
pub const RESTORED: &str = "restored";

impl Message {
    /// The next attempt is taken for made: nobody here knows whether the original
    /// made it. `provider` is the account that would have been used. No call is
    /// made; a look-up, a receipt or the policy says what became of it.
    pub fn presume_sent(&mut self, provider: ProviderName, now: Timestamp) -> Verdict {
        if self.state != State::Scheduled {
            return Verdict::Ignored;
        }
        let from = self.could_go_from();
        let number = self.attempt() + 1;
        let detail = "the table was restored from a backup; whether this was sent before is \
                      not known yet";
        self.attempts.push(Attempt {
            number,
            provider,
            // A look-up asks for what the provider got from here on.
            started_at: from,
            ended_at: Some(now),
            outcome: AttemptOutcome::Unknown,
            http_status: None,
            code: None,
            provider_message_id: None,
            text: None,
        });
        self.provider = Some(provider);
        self.note(EventKind::Unknown, now, EventSource::System);
        self.decide(DecisionKind::Hold, now, RESTORED, None, detail.to_owned());
        self.state = State::Unknown { attempt: number, since: now, not_found: 0, held: false };
        self.wait_until(Some(now + SETTLE_PAUSE));
        Verdict::Changed
    }
}
