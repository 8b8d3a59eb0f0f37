//! An Unknown message is settled by asking the provider, where it keeps a list
//! that can be trusted; otherwise by the organization's policy. A receipt may
//! settle it before either, and after.

use carillon_domain::message::{DecisionKind, EventSource, Message, State};
use carillon_domain::settings::{Trouble, UnknownPolicy};
use carillon_domain::transition::{SETTLE_PAUSE, Verdict};
use carillon_domain::{Failure, FailureReason};
use carillon_runtime::{random, trouble};
use jiff::{SignedDuration, Timestamp};

use crate::look_up::{self, Finding};
use crate::terms::Terms;
use crate::{Run, SendError, call};

/// A provider that cannot be asked for this long is not waited for any more.
const LOOK_UP_PATIENCE: SignedDuration = SignedDuration::from_hours(1);
/// Time for a late receipt before the policy sends a second message.
const RESEND_AFTER: SignedDuration = SignedDuration::from_mins(15);

pub async fn settle(run: &Run<'_>, message: Message) -> Result<(), SendError> {
    let State::Unknown { attempt, since, .. } = message.state else { return Ok(()) };
    let terms = run.terms().await?;
    let finding = look_up::ask(run, &message).await?;
    let now = run.ctx.clock.now();
    let jitter = random::unit();
    let price = match &finding {
        Finding::Found { account, .. } => call::price(account, &message),
        Finding::NotFound | Finding::Later | Finding::CannotAsk(_) => None,
    };
    let seen = message.generation;
    let changed = run
        .ctx
        .store
        .change_message(run.org, message.id, &random::token(), now, |m| {
            // Whoever else settled it raised the generation; what was not found
            // for one wait does not count for the next.
            if m.generation != seen && !matches!(finding, Finding::Found { .. }) {
                return None;
            }
            let verdict = match &finding {
                Finding::Found { candidate: found, .. } => {
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
            State::Unknown { held: true, .. } => {
                run.ctx.counters.add("unknown_held", 1);
                let what = "a message is held: nobody can tell whether it was sent. Look at the \
                            messages with the status unknown.";
                trouble::tell(run.ctx, run.org, Trouble::Unknown, "held", what).await;
            }
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
