//! The claim: the one write before a call.

use super::*;

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
}
