//! A message's story in plain sentences, for who answers the telephone: what
//! has become of it, why, and what can be done.
//!
//! Nothing is stored for it. It is read off the state and the record (attempts,
//! events, decisions), so it can say no more than what happened.

mod outcome;
mod reasons;
#[cfg(test)]
mod tests;
mod waiting;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::Message;
use crate::message::{DecisionKind, EventKind, State};
use crate::pack::Pack;
use crate::settings::UnknownPolicy;

/// What is known besides the message.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    pub now: Timestamp,
    /// Where times are told: the recipient's zone where it is known.
    pub zone: &'a TimeZone,
    pub unknown_policy: UnknownPolicy,
    /// The pack it waits in, when that has been read.
    pub pack: Option<&'a Pack>,
}

/// One or more sentences.
#[must_use]
pub fn explain(m: &Message, around: &Around<'_>) -> String {
    let mut said = match &m.state {
        State::Scheduled => waiting::scheduled(m, around),
        State::Sending { attempt, claimed_at, lease_until } => {
            waiting::sending(m, *attempt, *claimed_at, *lease_until, around)
        }
        State::Unknown { attempt, since, not_found, held } => {
            waiting::unknown(m, *attempt, *since, (*not_found, *held), around)
        }
        State::Accepted { at, .. } => outcome::accepted(m, *at, around),
        State::Delivered { at } => vec![format!("It was delivered on {}.", around.time(*at))],
        State::Read { at } => vec![format!("The person read it on {}.", around.time(*at))],
        State::Failed { failure, at, accepted } => {
            outcome::failed(m, failure, *at, *accepted, around)
        }
        State::Cancelled { by, at } => outcome::cancelled(m, by, *at, around),
        State::Suppressed { reason, at } => outcome::suppressed(m, *reason, *at, around),
        State::Received => outcome::received(m, around),
    };
    said.extend(on_the_way(m, around));
    said.join(" ")
}

/// What happened before and does not show in the state.
fn on_the_way(m: &Message, around: &Around<'_>) -> Vec<String> {
    let mut said = Vec::new();
    for d in &m.decisions {
        match (d.kind, d.reason.as_str()) {
            (DecisionKind::Retry, reasons::FAIL_OVER) => {
                said.push(format!(
                    "On {} another account took over ({}).",
                    around.time(d.at),
                    d.detail
                ));
            }
            (DecisionKind::Resend, _) if !is_last(m, d.at) => said.push(format!(
                "On {} it was sent again by the organization's policy, since {}.",
                around.time(d.at),
                d.detail
            )),
            (_, reasons::RESTORED) if !matches!(m.state, State::Unknown { .. }) => {
                said.push(reasons::restored(d.at, around));
            }
            _ => {}
        }
    }
    if m.events.iter().any(|e| e.kind == EventKind::Duplicate) {
        said.push("The provider has it twice: the person may have got two.".to_owned());
    }
    said
}

/// The last decision is told with the state.
fn is_last(m: &Message, at: Timestamp) -> bool {
    m.state == State::Scheduled && m.decisions.last().is_some_and(|d| d.at == at)
}

impl Around<'_> {
    /// `21 Nov 2026, 20:00 Australia/Sydney`
    fn time(&self, at: Timestamp) -> String {
        let name = self.zone.iana_name().unwrap_or("UTC");
        let format =
            if at.as_second() % 60 == 0 { "%-d %b %Y, %H:%M" } else { "%-d %b %Y, %H:%M:%S" };
        format!("{} {name}", at.to_zoned(self.zone.clone()).strftime(format))
    }
}

/// The account of the last attempt.
fn provider(m: &Message) -> &'static str {
    m.provider.map_or("the provider", crate::ProviderName::as_str)
}
