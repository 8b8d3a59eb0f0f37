//! What is settled: what it came to, and what can be done about it.

use jiff::{SignedDuration, Timestamp};

use super::{Around, provider, reasons};
use crate::campaign::Withdrawal;
use crate::message::{DecisionKind, SuppressionReason};
use crate::{Failure, FailureReason, Message};

/// After this a receipt is not likely to come.
const RECEIPTS_COME: SignedDuration = SignedDuration::from_hours(24);

pub fn accepted(m: &Message, at: Timestamp, around: &Around<'_>) -> Vec<String> {
    let name = provider(m);
    let sent = around.time(m.sent_at.unwrap_or(at));
    let so_far = if around.now.duration_since(at) < RECEIPTS_COME {
        "it has not said yet whether it arrived"
    } else {
        "it never said whether it arrived; some carriers give no receipts"
    };
    vec![format!("{name} took it on {sent}; {so_far}.")]
}

pub fn failed(
    m: &Message,
    failure: &Failure,
    at: Timestamp,
    accepted: bool,
    around: &Around<'_>,
) -> Vec<String> {
    let (reason, when) = (failure.reason, around.time(at));
    let why = reasons::of_failure(reason);
    let mut said = Vec::new();
    if reason == FailureReason::Expired {
        said.push(format!("It was not sent: on {when} {why} ({}).", failure.detail));
    } else if accepted {
        said.push(format!(
            "{} took it, and on {when} reported that it did not arrive: {why} ({}: {}).",
            provider(m),
            failure.code,
            failure.detail
        ));
    } else if m.attempts.is_empty() {
        said.push(format!("It failed on {when} before it was sent: {why} ({}).", failure.detail));
    } else {
        let tries = match m.attempts.len() {
            1 => "the first attempt".to_owned(),
            n => format!("{n} attempts"),
        };
        said.push(format!(
            "It failed on {when} after {tries}: {why} ({} {}: {}).",
            provider(m),
            failure.code,
            failure.detail
        ));
    }
    said.push(reasons::of_remedy(reason).to_owned());
    said
}

pub fn cancelled(m: &Message, by: &str, at: Timestamp, around: &Around<'_>) -> Vec<String> {
    let withdrawn = m.decisions.last().filter(|d| {
        d.kind == DecisionKind::GaveUp && Withdrawal::ALL.iter().any(|w| w.as_str() == d.reason)
    });
    let mut said = vec![match withdrawn {
        Some(d) => format!("It was cancelled on {}: {}.", around.time(at), d.detail),
        None => format!("It was cancelled by {by} on {}.", around.time(at)),
    }];
    if let Some(d) = m.decisions.last().filter(|d| d.reason == "dropped") {
        said.push(format!("It was {}.", d.detail));
    }
    if !m.attempts.is_empty() {
        let name = provider(m);
        said.push(format!("An attempt had been made before: {name} may have it all the same."));
    }
    said
}

pub fn suppressed(
    m: &Message,
    reason: SuppressionReason,
    at: Timestamp,
    around: &Around<'_>,
) -> Vec<String> {
    let why = m.decisions.iter().rfind(|d| d.kind == DecisionKind::Suppressed);
    let why = why.map_or("the number is suppressed", |d| d.detail.as_str());
    let what = match reason {
        SuppressionReason::StopKeyword => "Only the person can change that, by writing START.",
        SuppressionReason::Provider => {
            "The provider says that the person does not want messages; they can change that by \
             writing START."
        }
        SuppressionReason::Manual | SuppressionReason::Bounce => {
            "An admin can lift that under /v1/suppressions."
        }
        SuppressionReason::NoConsent => {
            "It needs a consent, recorded under /v1/consents with its proof."
        }
    };
    vec![format!("It was not sent on {}: {why}.", around.time(at)), what.to_owned()]
}

pub fn received(m: &Message, around: &Around<'_>) -> Vec<String> {
    let mut said = vec![format!("The person wrote this on {}.", around.time(m.created_at))];
    said.extend(m.decisions.iter().map(|d| match d.kind {
        DecisionKind::Suppressed => format!("It was read as an opt-out ({}).", d.detail),
        _ => format!("It {}.", d.detail),
    }));
    said
}
