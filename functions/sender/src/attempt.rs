//! One attempt: gates, claim, call, record. The order is the promise: all that
//! can fail without a call comes before the claim; the claim is one conditional
//! write; after it the call is made at once; what came of it is recorded
//! whatever else has happened to the row.

use std::time::Duration;

use carillon_domain::integration::Money;
use carillon_domain::message::{EventSource, Message};
use carillon_domain::receipt::{Receipt, ReceiptKind};
use carillon_domain::retry::{self, Limits, Next};
use carillon_domain::transition::{Answered, NotClaimable, Verdict};
use carillon_domain::{Failure, FailureReason, PhoneNumber, ProviderName};
use carillon_providers::client::CallError;
use carillon_providers::{Account, HttpRequest, Outcome, Outgoing, ResponseNote, provider};
use carillon_runtime::body::{ReceiveBody, Received};
use carillon_runtime::random;
use carillon_store::{Saved, Suppression};
use jiff::Timestamp;

use crate::{CLAIM_MARGIN, Run, SendError, content, settle};

/// Rounds against others who change the row between our read and our claim.
const ROUNDS: usize = 4;
/// Writes of a result before it goes to the receive queue instead.
const RECORD_TRIES: usize = 3;

/// Does what the message is waiting for: sends it, or settles it.
pub async fn make(run: &Run<'_>, mut message: Message) -> Result<(), SendError> {
    for _ in 0..ROUNDS {
        let now = run.ctx.clock.now();
        match message.claimable(now, run.ctx.sole_worker_since) {
            Ok(()) => {}
            Err(NotClaimable::LeaseLost) => {
                let attempt = message.attempt();
                message.unknown(attempt, Answered::default(), now);
                match save(run, &mut message, now).await? {
                    None => return Ok(()),
                    Some(current) => message = current,
                }
                continue;
            }
            Err(NotClaimable::Unknown) => return settle::settle(run, message).await,
            Err(NotClaimable::Settled | NotClaimable::InFlight | NotClaimable::NotDue) => {
                return Ok(());
            }
        }
        let Some((name, account, outgoing, request)) = prepare(run, &mut message, now).await?
        else {
            // A gate decided; its decision is on the message.
            match save(run, &mut message, now).await? {
                None => return Ok(()),
                Some(current) => message = current,
            }
            continue;
        };
        let claimed_at = run.ctx.clock.now();
        if !run.has_time(claimed_at) {
            return Ok(());
        }
        let generation = message.generation;
        message.claim(name, claimed_at, run.deadline + CLAIM_MARGIN);
        match save(run, &mut message, claimed_at).await? {
            None if run.is_fresh(now) => {
                return call(run, message, &account, &outgoing, request).await;
            }
            // The table was slow: the gates were asked too long ago.
            None => {
                message.unclaim(run.ctx.clock.now());
                match save(run, &mut message, now).await? {
                    None => continue,
                    Some(current) => message = current,
                }
            }
            // Who raised the generation has set what it waits for.
            Some(current) if current.generation != generation => return Ok(()),
            Some(current) => message = current,
        }
    }
    Ok(())
}

/// Stores the message; `Some` is the row as someone else left it.
async fn save(
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

/// Everything before the claim. `None`: a gate has decided on `message`.
async fn prepare(
    run: &Run<'_>,
    message: &mut Message,
    now: Timestamp,
) -> Result<Option<(ProviderName, Account, Outgoing, HttpRequest)>, SendError> {
    if message.expires_at.is_some_and(|end| end <= now) {
        message.expire(now);
        return Ok(None);
    }
    let to = PhoneNumber::parse(&message.address, None).map_err(|_| SendError::Address)?;
    if let Some(s) =
        run.ctx.store.suppression(run.org, message.id.address(), message.channel).await?
    {
        let detail = match s.words {
            Some(words) => format!("the person wrote “{words}” on {}", s.at),
            None => format!("suppressed on {} by {}", s.at, s.by),
        };
        message.suppress(s.reason, detail, now);
        return Ok(None);
    }
    let Some((name, account)) = run.accounts.choose(message.channel, &to, message.integration)
    else {
        let detail = "no enabled integration serves this number; set one up under /v1/integrations";
        let failure = Failure::new("no_integration", FailureReason::Misconfigured, true, detail);
        message.give_up(failure, now);
        return Ok(None);
    };
    let content = match content::of(run, message, *name).await? {
        Ok(content) => content,
        Err(failure) => {
            message.give_up(failure, now);
            return Ok(None);
        }
    };
    let attempt = message.attempt() + 1;
    let outgoing = Outgoing {
        message: message.id,
        attempt,
        to,
        content,
        encoding: message.content.encoding.unwrap_or(carillon_domain::segments::Encoding::Ucs2),
        flash: message.content.flash,
        media: message.content.media.clone(),
        status_callback: run.ctx.config.public_url.as_ref().map(|base| {
            format!(
                "{base}/webhooks/{}/status?o={}&m={}&a={attempt}",
                name.as_str(),
                message.org,
                message.id
            )
        }),
        valid_for: message
            .expires_at
            .map(|end| u32::try_from(end.duration_since(now).as_secs().max(1)).unwrap_or(u32::MAX)),
    };
    match provider(*name).send_request(account, &outgoing) {
        Ok(request) => Ok(Some((*name, account.clone(), outgoing, request))),
        Err(failure) => {
            message.give_up(failure, now);
            Ok(None)
        }
    }
}

/// The call, and its record. The row is claimed for this attempt.
async fn call(
    run: &Run<'_>,
    message: Message,
    account: &Account,
    outgoing: &Outgoing,
    request: HttpRequest,
) -> Result<(), SendError> {
    let name = message.provider.ok_or(SendError::Gone)?;
    let timeout = Duration::from_secs(run.ctx.config.tuning.call_seconds.into());
    let result = match run.ctx.providers.call(request, timeout).await {
        Ok(answer) => {
            let reply = provider(name).read_send(&answer);
            CallResult { outcome: reply.outcome, note: reply.note }
        }
        // The connection was never there: nothing was sent.
        Err(CallError::NotSent(detail)) => CallResult {
            outcome: Outcome::Refused {
                failure: Failure::new("not_connected", FailureReason::ProviderDown, false, detail),
                retry_after: None,
            },
            note: ResponseNote::default(),
        },
        Err(CallError::NoAnswer(detail)) => {
            CallResult { outcome: Outcome::Unclear { detail }, note: ResponseNote::default() }
        }
    };
    record(run, message, account, outgoing, result).await
}

struct CallResult {
    outcome: Outcome,
    note: ResponseNote,
}

/// Applies the result to the row, whatever has become of it meanwhile.
async fn record(
    run: &Run<'_>,
    claimed: Message,
    account: &Account,
    outgoing: &Outgoing,
    result: CallResult,
) -> Result<(), SendError> {
    let (org, id, attempt) = (claimed.org, claimed.id, outgoing.attempt);
    let jitter = random::unit();
    // Before the result: a crash between must not lose the opt-out.
    if let Outcome::Refused { failure, .. } = &result.outcome
        && failure.reason == FailureReason::OptedOut
    {
        suppress(run, &claimed, failure).await?;
    }
    let mut message = claimed;
    let mut tries = 0;
    loop {
        let now = run.ctx.clock.now();
        let verdict = apply(run, &mut message, account, attempt, &result, jitter, now);
        if verdict == Verdict::Ignored {
            break;
        }
        if verdict == Verdict::ProvenDuplicate {
            run.ctx.counters.add("proven_duplicates", 1);
            tracing::error!(message = %id, attempt, "the provider has this message twice");
        }
        match save(run, &mut message, now).await {
            Ok(None) => break,
            Ok(Some(current)) => message = current,
            Err(error) => {
                tries += 1;
                if tries < RECORD_TRIES {
                    // Version and token were raised for the write that failed.
                    if let Ok(Some(current)) = run.ctx.store.message(org, id).await {
                        message = current;
                        continue;
                    }
                }
                run.stopped.store(true, std::sync::atomic::Ordering::Relaxed);
                return keep_as_receipt(run, outgoing, &message, &result, error).await;
            }
        }
    }
    Ok(())
}

fn apply(
    run: &Run<'_>,
    message: &mut Message,
    account: &Account,
    attempt: u16,
    result: &CallResult,
    jitter: f64,
    now: Timestamp,
) -> Verdict {
    let note = &result.note;
    let mut answered = Answered {
        http_status: note.http_status,
        code: note.code.clone(),
        provider_message_id: note.id.clone(),
        text: note.text.clone(),
    };
    match &result.outcome {
        Outcome::Accepted { provider_message_id } => {
            answered.provider_message_id = Some(provider_message_id.clone());
            let price = price(account, message);
            message.accepted(attempt, answered, price, EventSource::Response, now)
        }
        Outcome::Refused { failure, retry_after } => {
            let next = after_refusal(run, message, attempt, failure, *retry_after, jitter, now);
            message.refused(attempt, answered, failure, next, now)
        }
        Outcome::Unclear { detail } => {
            answered.text.get_or_insert_with(|| detail.clone());
            message.unknown(attempt, answered, now)
        }
    }
}

pub fn after_refusal(
    run: &Run<'_>,
    message: &Message,
    attempt: u16,
    failure: &Failure,
    retry_after: Option<u32>,
    jitter: f64,
    now: Timestamp,
) -> Next {
    let limits = Limits { max_attempts: run.settings.max_attempts, expires_at: message.expires_at };
    retry::next(failure, attempt, limits, retry_after, now, jitter)
}

/// What the message costs by the integration's price table.
pub fn price(account: &Account, message: &Message) -> Option<Money> {
    let to = PhoneNumber::parse(&message.address, None).ok()?;
    let (micros, currency) = account.settings.price_of_part(&to)?;
    Some(Money::from_micros(micros * u64::from(message.content.segments.max(1)), currency))
}

/// The table does not take the result. What the provider said must not be
/// forgotten: it goes to the receive queue as if the provider had told us.
async fn keep_as_receipt(
    run: &Run<'_>,
    outgoing: &Outgoing,
    message: &Message,
    result: &CallResult,
    error: SendError,
) -> Result<(), SendError> {
    let what = match (&result.outcome, message.provider) {
        (Outcome::Accepted { provider_message_id }, Some(provider)) => Received::Receipt(Receipt {
            provider,
            message: Some(outgoing.message),
            attempt: Some(outgoing.attempt),
            provider_message_id: Some(provider_message_id.clone()),
            kind: ReceiptKind::InProgress,
        }),
        (Outcome::Refused { failure, retry_after }, _) => Received::Refused {
            message: outgoing.message,
            attempt: outgoing.attempt,
            failure: failure.clone(),
            retry_after: *retry_after,
        },
        // Nobody knows; the claim's lease runs out and says the same.
        (Outcome::Accepted { .. } | Outcome::Unclear { .. }, _) => return Err(error),
    };
    let body = ReceiveBody::new(run.org, what, run.ctx.clock.now());
    if let Err(error) = run.ctx.queues.receive(&body).await {
        tracing::error!(error = &error as &dyn std::error::Error, "a result could not be kept");
    }
    Err(error)
}

/// The provider says that the person does not want our messages.
async fn suppress(run: &Run<'_>, message: &Message, failure: &Failure) -> Result<(), SendError> {
    let Some(provider) = message.provider else { return Ok(()) };
    let now = run.ctx.clock.now();
    let suppression = Suppression::by_provider(message, provider, &failure.code, now);
    Ok(run.ctx.store.suppress(run.org, message.id.address(), &suppression).await?)
}
