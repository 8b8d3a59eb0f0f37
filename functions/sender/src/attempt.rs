//! One attempt: gates, slot, claim, call, record. The order is the promise: all
//! that can fail without a call comes before the claim; the claim is one
//! conditional write; after it the call is made at once; what came of it is
//! recorded whatever else has happened to the row.

use carillon_domain::message::{Message, Source};
use carillon_domain::segments::Encoding;
use carillon_domain::transition::{Answered, NotClaimable};
use carillon_providers::{HttpRequest, Outgoing, provider};
use carillon_runtime::random;
use carillon_store::{Mechanism, Saved};
use jiff::{SignedDuration, Timestamp};

use crate::gates::{self, Chosen, Gate, Hold};
use crate::purse::Slot;
use crate::terms::Terms;
use crate::{CLAIM_MARGIN, Run, SendError, call, content, settle};

/// Rounds against others who change the row between our read and our claim.
const ROUNDS: usize = 4;
/// A body that comes this little before its time waits for it.
const EARLY: SignedDuration = SignedDuration::from_secs(5);

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// Whatever could be done now is done.
    Done,
    /// Nothing was: it waits with all that the run is for.
    Held(Hold),
}

/// Does what the message is waiting for: sends it, or settles it.
pub async fn make(run: &Run<'_>, mut message: Message) -> Result<Made, SendError> {
    for _ in 0..ROUNDS {
        let now = run.ctx.clock.now();
        match message.claimable(now, run.ctx.sole_worker_since) {
            Ok(()) => {}
            Err(NotClaimable::LeaseLost) => {
                let attempt = message.attempt();
                message.unknown(attempt, Answered::default(), now);
                match save(run, &mut message, now).await? {
                    None => return Ok(Made::Done),
                    Some(current) => message = current,
                }
                continue;
            }
            Err(NotClaimable::Unknown) => {
                Box::pin(settle::settle(run, message)).await?;
                return Ok(Made::Done);
            }
            Err(NotClaimable::NotDue) if message.scheduled_for <= now + EARLY => {
                run.ctx.clock.sleep_until(message.scheduled_for).await;
                continue;
            }
            Err(NotClaimable::Settled | NotClaimable::InFlight | NotClaimable::NotDue) => {
                return Ok(Made::Done);
            }
        }
        let terms = run.terms().await?;
        if run.release.is_some_and(|release| release.may_have_sent(&message))
            && let Some(provider) = terms.first_account(&message)
        {
            message.presume_sent(provider, now);
            run.ctx.counters.add("presumed_sent", 1);
            match save(run, &mut message, now).await? {
                None => return Ok(Made::Done),
                Some(current) => message = current,
            }
            continue;
        }
        introduce(run, &terms, &mut message).await?;
        let chosen = match gates::before_slot(run, &terms, &mut message, now).await? {
            Gate::Pass(chosen) => *chosen,
            Gate::Hold(hold) => return Ok(Made::Held(hold)),
            Gate::Decided => match save(run, &mut message, now).await? {
                None => return Ok(Made::Done),
                Some(current) => {
                    message = current;
                    continue;
                }
            },
        };
        let rate = chosen.account.settings.rate_per_second;
        match run.purse.slot(run, chosen.name, rate, chosen.want).await? {
            Slot::Go => {}
            // Another account may take it.
            Slot::Later { why: carillon_domain::ledger::Wait::ProviderDown, .. } => continue,
            Slot::Later { until, why } => {
                return Ok(Made::Held(Hold::by_ledger(until, why, chosen.name, &terms)));
            }
        }
        let want = chosen.want;
        match Box::pin(with_slot(run, &terms, message, chosen)).await {
            Ok(Used::Yes) => return Ok(Made::Done),
            Ok(Used::No) => {
                run.purse.not_used(want).await;
                return Ok(Made::Done);
            }
            Ok(Used::Lost(current)) => {
                run.purse.not_used(want).await;
                message = *current;
            }
            Err(error) => {
                run.purse.not_used(want).await;
                return Err(error);
            }
        }
    }
    Ok(Made::Done)
}

/// The first message to an address says who writes, where the organization has a
/// text for it. Until a provider took one that did, each does: rather twice.
async fn introduce(run: &Run<'_>, terms: &Terms, m: &mut Message) -> Result<(), SendError> {
    let Some(text) = &terms.settings.first_message_text else { return Ok(()) };
    let is_answer = matches!(m.source, Source::Answer { .. });
    if is_answer || m.content.introduction.is_some() {
        return Ok(());
    }
    if !run.ctx.store.is_introduced(run.org, m.id.address(), m.channel).await? {
        m.content.introduce(Some(text.clone()));
    }
    Ok(())
}

/// What became of a slot.
enum Used {
    /// The provider was called and may have the message.
    Yes,
    /// It was not called, or says that it has nothing.
    No,
    /// Someone else changed the row first.
    Lost(Box<Message>),
}

/// From the last gates to the record.
async fn with_slot(
    run: &Run<'_>,
    terms: &Terms,
    mut message: Message,
    chosen: Chosen,
) -> Result<Used, SendError> {
    let now = run.ctx.clock.now();
    let passed = gates::before_claim(run, terms, &mut message, now).await?;
    let prepared = if passed { prepare(run, &mut message, &chosen, now).await? } else { None };
    let Some(request) = prepared else {
        return Ok(match save(run, &mut message, now).await? {
            None => Used::No,
            Some(current) => Used::Lost(Box::new(current)),
        });
    };
    let claimed_at = run.ctx.clock.now();
    if !run.has_time(claimed_at) {
        return Ok(Used::No);
    }
    let generation = message.generation;
    if let Some(first) = chosen.instead_of {
        message.note_fail_over(Some(first), chosen.name, "its calls fail", claimed_at);
    }
    message.claim(chosen.name, claimed_at, run.deadline + CLAIM_MARGIN);
    let saved = match run.ctx.store.lacks(Mechanism::Claim) {
        true => None,
        false => save(run, &mut message, claimed_at).await?,
    };
    match saved {
        None if run.is_fresh(now) => {
            let call = call::make(run, terms, message, chosen, request, now);
            let had_it = Box::pin(call).await?;
            Ok(if had_it { Used::Yes } else { Used::No })
        }
        // The table was slow: the gates were asked too long ago.
        None => {
            message.unclaim(run.ctx.clock.now());
            Ok(match save(run, &mut message, now).await? {
                None => Used::Lost(Box::new(message)),
                Some(current) => Used::Lost(Box::new(current)),
            })
        }
        // Who raised the generation has set what it waits for.
        Some(current) if current.generation != generation => Ok(Used::No),
        Some(current) => Ok(Used::Lost(Box::new(current))),
    }
}

/// Stores the message; `Some` is the row as someone else left it.
pub async fn save(
    run: &Run<'_>,
    message: &mut Message,
    now: Timestamp,
) -> Result<Option<Message>, SendError> {
    match run.ctx.store.save_message(message, &random::token(), now).await? {
        Saved::Done => Ok(None),
        Saved::Lost(Some(mut current)) => {
            // The condition's answer is the row alone; long content is not in it.
            current.content = std::mem::take(&mut message.content);
            Ok(Some(*current))
        }
        Saved::Lost(None) => Err(SendError::Gone),
    }
}

/// The request of the next attempt. `None`: it cannot be sent at all, and the
/// message says so.
pub async fn prepare(
    run: &Run<'_>,
    message: &mut Message,
    chosen: &Chosen,
    now: Timestamp,
) -> Result<Option<(Outgoing, HttpRequest)>, SendError> {
    let content = match content::of(run, message, chosen.name).await? {
        Ok(content) => content,
        Err(failure) => {
            message.give_up(failure, now);
            return Ok(None);
        }
    };
    if message.content.introduction.is_some()
        && matches!(content, carillon_providers::Content::Registered { .. })
    {
        // A registered text is sent as it is registered.
        message.content.introduce(None);
    }
    let attempt = message.attempt() + 1;
    let ends = [message.expires_at, chosen.quiet_from].into_iter().flatten().min();
    let outgoing = Outgoing {
        message: message.id,
        attempt,
        to: chosen.to.clone(),
        content,
        encoding: message.content.encoding.unwrap_or(Encoding::Ucs2),
        flash: message.content.flash,
        media: message.content.media.clone(),
        status_callback: run.ctx.config.public_url.as_ref().map(|base| {
            format!(
                "{base}/webhooks/{}/status?o={}&m={}&a={attempt}",
                chosen.name.as_str(),
                message.org,
                message.id
            )
        }),
        valid_for: ends
            .map(|end| u32::try_from(end.duration_since(now).as_secs().max(1)).unwrap_or(u32::MAX)),
    };
    if let Some(shared) = &run.ctx.config.installation_account
        && shared.is(&chosen.account)
    {
        let number = shared.key_of(chosen.to.as_str());
        run.ctx.store.note_shared_number(number, message.org, now).await?;
    }
    match provider(chosen.name).send_request(&chosen.account, &outgoing) {
        Ok(request) => Ok(Some((outgoing, request))),
        Err(failure) => {
            message.give_up(failure, now);
            Ok(None)
        }
    }
}
