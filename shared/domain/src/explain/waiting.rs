//! What is not settled: why it waits, and for how long.

use jiff::{SignedDuration, Timestamp};

use super::{Around, provider, reasons};
use crate::Message;
use crate::message::{Decision, DecisionKind};
use crate::pack::Pack;
use crate::settings::UnknownPolicy;

/// Nobody is surprised by a queue this long.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

pub fn scheduled(m: &Message, around: &Around<'_>) -> Vec<String> {
    let mut said = vec![why_it_waits(m, around)];
    if let Some(end) = m.expires_at.filter(|end| *end > around.now) {
        let end = around.time(end);
        said.push(format!("It fails if it cannot be sent before {end}."));
    }
    said
}

fn why_it_waits(m: &Message, around: &Around<'_>) -> String {
    if let Some((pack, dead)) = around.pack.and_then(|p| Some((p, p.given_up.as_ref()?))) {
        return format!(
            "Sending the group of messages that it belongs to was given up on {}: {}. It waits \
             until somebody redrives or drops the dead letter {}.",
            around.time(dead.at),
            dead.reason,
            pack.id
        );
    }
    if m.scheduled_for > around.now {
        return format!("It waits for its time, {}.", around.time(m.scheduled_for));
    }
    if let Some(said) = m.decisions.last().and_then(|d| by_decision(m, d, around)) {
        return said;
    }
    in_the_queue(m, around)
}

fn by_decision(m: &Message, d: &Decision, around: &Around<'_>) -> Option<String> {
    let until = d.until.map(|until| (around.time(until), until > around.now));
    let (when, is_ahead) = until?;
    let then = if is_ahead { "" } else { " That time has come, and it waits in the queue." };
    match d.kind {
        DecisionKind::Deferred => {
            let why = reasons::of_deferral(&d.reason, &d.detail);
            Some(format!("It waits until {when}, because {why}.{then}"))
        }
        DecisionKind::Resend => Some(format!(
            "It is sent again at {when}, as the organization's policy for such messages says, \
             since {}.{then}",
            d.detail
        )),
        DecisionKind::Retry if d.reason != reasons::FAIL_OVER => Some(format!(
            "{} did not take it ({}); it is tried again at {when}.{then}",
            provider(m),
            d.detail
        )),
        DecisionKind::Retry
        | DecisionKind::Suppressed
        | DecisionKind::Hold
        | DecisionKind::Expired
        | DecisionKind::GaveUp => None,
    }
}

fn in_the_queue(m: &Message, around: &Around<'_>) -> String {
    let planned = |pack: &&Pack| pack.generation == 0;
    if let Some(due) = around.pack.filter(planned).and_then(|p| p.due)
        && due > around.now
    {
        return format!(
            "Its time has come; it goes at about {}, as fast as the account sends.",
            around.time(due)
        );
    }
    if around.now.duration_since(m.scheduled_for) < PATIENCE {
        return "Its time has come, and it waits in the queue.".to_owned();
    }
    format!(
        "Its time came on {}, and nothing has begun to send it: either much is queued, or \
         dispatch stands still (docs/guides/troubleshooting.md, “stays queued”).",
        around.time(m.scheduled_for)
    )
}

pub fn sending(
    m: &Message,
    attempt: u16,
    claimed_at: Timestamp,
    lease_until: Timestamp,
    around: &Around<'_>,
) -> Vec<String> {
    let (name, since) = (provider(m), around.time(claimed_at));
    if lease_until > around.now {
        return vec![format!("It is being handed to {name} (attempt {attempt}, since {since}).")];
    }
    vec![format!(
        "It was being handed to {name} on {since} when the sender was cut off. Whether it arrived \
         is found out next; it is not simply sent again."
    )]
}

pub fn unknown(
    m: &Message,
    attempt: u16,
    since: Timestamp,
    (not_found, held): (u8, bool),
    around: &Around<'_>,
) -> Vec<String> {
    let name = provider(m);
    let restored = m.decisions.iter().rfind(|d| d.reason == reasons::RESTORED && d.at == since);
    let mut said = vec![match restored {
        Some(d) => reasons::restored(d.at, around),
        None => format!(
            "{name} did not answer attempt {attempt} on {}, so nobody knows whether it has the \
             message.",
            around.time(since)
        ),
    }];
    if held {
        let why = m.decisions.iter().rfind(|d| d.kind == DecisionKind::Hold);
        let why = why.map_or_else(String::new, |d| format!(" ({})", d.detail));
        said.push(format!(
            "It could not be found out{why}, so it is held: look it up at {name}, then cancel it or \
             retry it. A delivery receipt still settles it."
        ));
        return said;
    }
    if not_found > 0 {
        said.push(format!("{name} did not have it when it was asked; it is asked once more."));
    }
    let when = m.due.filter(|due| *due > around.now);
    let when = when.map_or_else(|| "now".to_owned(), |due| format!("at {}", around.time(due)));
    said.push(format!("This is looked into again {when}. {}", then(around.unknown_policy)));
    said
}

const fn then(policy: UnknownPolicy) -> &'static str {
    match policy {
        UnknownPolicy::Hold => {
            "If the provider cannot tell, it is held for a person, as the organization has set."
        }
        UnknownPolicy::Resend => {
            "If the provider cannot tell, it is sent again, as the organization has set."
        }
    }
}
