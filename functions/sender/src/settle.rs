//! An Unknown message is settled by asking the provider, where it keeps a list
//! that can be trusted; otherwise by the organization's policy. A receipt may
//! settle it before either, and after.

use std::time::Duration;

use carillon_domain::message::{DecisionKind, EventSource, Message, State};
use carillon_domain::settings::UnknownPolicy;
use carillon_domain::transition::{SETTLE_PAUSE, Verdict};
use carillon_domain::{Failure, FailureReason, PhoneNumber};
use carillon_providers::{Account, Candidate, LookUp, Probe, provider};
use carillon_runtime::random;
use carillon_store::StoreError;
use jiff::{SignedDuration, Timestamp};

use crate::terms::Terms;
use crate::{Run, SendError, call};

/// A provider that cannot be asked for this long is not waited for any more.
const LOOK_UP_PATIENCE: SignedDuration = SignedDuration::from_hours(1);
/// Time for a late receipt before the policy sends a second message.
const RESEND_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// Other messages to the same number that are looked at.
const NEIGHBOURS: i32 = 50;

enum Finding {
    Found(Candidate),
    NotFound,
    /// Ask again: the list could not be read, or what it shows may be another's.
    Later,
    /// Nobody can be asked.
    CannotAsk(&'static str),
}

pub async fn settle(run: &Run<'_>, message: Message) -> Result<(), SendError> {
    let State::Unknown { attempt, since, .. } = message.state else { return Ok(()) };
    let terms = run.terms().await?;
    let account = message.provider.and_then(|name| terms.accounts.get(name));
    let finding = match account {
        None => Finding::CannotAsk("the integration is gone or disabled"),
        Some(account) if !account.settings.look_up => {
            Finding::CannotAsk("look-up is switched off for this integration")
        }
        Some(account) => look_up(run, &message, account).await?,
    };
    let now = run.ctx.clock.now();
    let jitter = random::unit();
    let price = account.and_then(|account| call::price(account, &message));
    let seen = message.generation;
    let changed = run
        .ctx
        .store
        .change_message(run.org, message.id, &random::token(), now, |m| {
            // Whoever else settled it raised the generation; what was not found
            // for one wait does not count for the next.
            if m.generation != seen && !matches!(finding, Finding::Found(_)) {
                return None;
            }
            let verdict = match &finding {
                Finding::Found(found) => {
                    let id = Some(found.provider_message_id.as_str());
                    let source = EventSource::LookUp;
                    let verdict = m.receipt(Some(attempt), id, &found.kind, source, now);
                    if m.price.is_none() {
                        m.price.clone_from(&price);
                    }
                    verdict
                }
                Finding::NotFound => {
                    let detail = "the provider never had it";
                    let lost = Failure::new("not_sent", FailureReason::ProviderDown, false, detail);
                    let next = call::after_refusal(&terms, m, &lost, None, jitter, now);
                    m.not_found(next, now)
                }
                Finding::Later if now < since + LOOK_UP_PATIENCE => {
                    m.look_again(now + SETTLE_PAUSE)
                }
                Finding::Later => {
                    by_policy(&terms, m, since, "the provider could not be asked for an hour", now)
                }
                Finding::CannotAsk(why) => by_policy(&terms, m, since, why, now),
            };
            (verdict != Verdict::Ignored).then_some(())
        })
        .await?;
    if let Some((m, Some(()))) = changed {
        match m.state {
            State::Unknown { held: true, .. } => run.ctx.counters.add("unknown_held", 1),
            State::Scheduled
                if m.decisions.last().is_some_and(|d| d.kind == DecisionKind::Resend) =>
            {
                run.ctx.counters.add("resent_by_policy", 1);
            }
            _ => {}
        }
    }
    Ok(())
}

fn by_policy(
    terms: &Terms,
    m: &mut Message,
    since: Timestamp,
    why: &str,
    now: Timestamp,
) -> Verdict {
    match terms.settings.unknown_policy {
        UnknownPolicy::Hold => m.hold(why, now),
        UnknownPolicy::Resend if m.attempt() >= terms.settings.max_attempts => {
            m.hold("all attempts are used up, and nobody can tell whether one arrived", now)
        }
        UnknownPolicy::Resend if m.expires_at.is_some_and(|end| end <= now) => {
            m.hold("it has expired, and nobody can tell whether it arrived", now)
        }
        UnknownPolicy::Resend if now < since + RESEND_AFTER => m.look_again(since + RESEND_AFTER),
        UnknownPolicy::Resend => m.resend(now, now),
    }
}

async fn look_up(
    run: &Run<'_>,
    message: &Message,
    account: &Account,
) -> Result<Finding, SendError> {
    let Some(name) = message.provider else {
        return Ok(Finding::CannotAsk("no attempt names a provider"));
    };
    let to = PhoneNumber::parse(&message.address, None).map_err(|_| SendError::Address)?;
    let started = message.attempts.last().map_or(message.created_at, |a| a.started_at);
    let probe = Probe { to, body: message.content.body.clone(), since: started };
    let Some(request) = provider(name).look_up_request(account, &probe) else {
        return Ok(Finding::CannotAsk("this provider keeps no list that can be asked"));
    };
    let integration = run.ctx.store.integration(run.org, name).await?;
    if integration.is_none_or(|i| i.account_since > started) {
        return Ok(Finding::CannotAsk(
            "the account was replaced since; its list would not have it",
        ));
    }
    let timeout = Duration::from_secs(run.ctx.config.tuning.call_seconds.into());
    let Ok(answer) = run.ctx.providers.call(request, timeout).await else {
        return Ok(Finding::Later);
    };
    match provider(name).read_look_up(&answer, &probe) {
        LookUp::Failed(failure) => {
            tracing::warn!(code = failure.code, "look-up failed");
            Ok(Finding::Later)
        }
        LookUp::Read(candidates) => {
            let neighbours = neighbours(run, message).await?;
            choose(run, message, candidates, &neighbours).await
        }
    }
}

/// Other messages to the same number: what the provider lists may be theirs.
async fn neighbours(run: &Run<'_>, message: &Message) -> Result<Vec<Message>, StoreError> {
    let address = message.id.address();
    let mut ids = run.ctx.store.messages_with(run.org, address, None, NEIGHBOURS).await?;
    ids.retain(|id| *id != message.id);
    run.ctx.store.messages(run.org, &ids, true, true).await
}

async fn choose(
    run: &Run<'_>,
    message: &Message,
    candidates: Vec<Candidate>,
    neighbours: &[Message],
) -> Result<Finding, SendError> {
    let State::Unknown { attempt, .. } = message.state else { return Ok(Finding::NotFound) };
    let taken = |id: &str| {
        let ours = message.attempts.iter().filter(|a| a.number != attempt);
        ours.filter_map(|a| a.provider_message_id.as_deref()).any(|own| own == id)
            || neighbours.iter().any(|n| {
                n.provider_message_id.as_deref() == Some(id)
                    || n.attempts.iter().any(|a| a.provider_message_id.as_deref() == Some(id))
            })
    };
    let mut free: Vec<Candidate> =
        candidates.into_iter().filter(|c| !taken(&c.provider_message_id)).collect();
    if free.is_empty() {
        return Ok(Finding::NotFound);
    }
    // A neighbour with the same text whose answer is still on its way may own
    // what we found.
    let in_flight = neighbours.iter().any(|n| {
        matches!(n.state, State::Sending { .. }) && n.content.body == message.content.body
    });
    if in_flight {
        return Ok(Finding::Later);
    }
    free.sort_by_key(|c| c.created_at);
    let Some(name) = message.provider else { return Ok(Finding::NotFound) };
    for candidate in free {
        let id = &candidate.provider_message_id;
        if run.ctx.store.take_provider_id(run.org, name, id, message.id).await? == message.id {
            return Ok(Finding::Found(candidate));
        }
    }
    Ok(Finding::NotFound)
}
