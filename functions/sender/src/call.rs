//! The call, under a claim, and its record. An account that is down or set up
//! wrongly hands over to the next one under the same claim.

use std::time::Duration;

use carillon_domain::integration::Money;
use carillon_domain::message::{EventSource, Message, State};
use carillon_domain::receipt::{Receipt, ReceiptKind};
use carillon_domain::retry::{self, Limits, Next};
use carillon_domain::settings::Trouble;
use carillon_domain::transition::{Answered, Verdict};
use carillon_domain::{Failure, FailureReason, PhoneNumber, ProviderName};
use carillon_providers::client::CallError;
use carillon_providers::{Account, HttpRequest, Outcome, Outgoing, ResponseNote, provider};
use carillon_runtime::body::{ReceiveBody, Received};
use carillon_runtime::{random, trouble};
use carillon_store::Suppression;
use jiff::{SignedDuration, Timestamp};

use crate::attempt::{prepare, save};
use crate::gates::{self, Chosen};
use crate::purse::Slot;
use crate::terms::Terms;
use crate::{Run, SendError};

/// Writes of a result before it goes to the receive queue instead.
const RECORD_TRIES: usize = 3;
/// A provider that says "too fast" without saying for how long.
const PAUSE: SignedDuration = SignedDuration::from_secs(2);

/// What came of a call.
struct CallResult {
    outcome: Outcome,
    note: ResponseNote,
}

/// Calls, and records. The row is claimed for `outgoing.attempt`; the gates were
/// asked at `asked`. False: no provider has the message.
pub async fn make(
    run: &Run<'_>,
    terms: &Terms,
    mut message: Message,
    mut chosen: Chosen,
    (mut outgoing, mut request): (Outgoing, HttpRequest),
    asked: Timestamp,
) -> Result<bool, SendError> {
    loop {
        let result = call(run, &chosen, request).await;
        learn(run, &chosen, &result).await;
        let next = match &result.outcome {
            Outcome::Refused { failure, .. } if is_down(failure) && run.is_fresh(asked) => {
                let attempt = outgoing.attempt;
                let next = hand_over(run, terms, &mut message, &chosen, attempt, &result, failure);
                next.await.unwrap_or_else(|error| {
                    // The answer that there is must be recorded all the same.
                    tracing::warn!(error = &error as &dyn std::error::Error, "not handed over");
                    None
                })
            }
            _ => None,
        };
        let Some((other, its_outgoing, its_request)) = next else {
            return record(run, terms, message, &chosen.account, &outgoing, result).await;
        };
        (chosen, outgoing, request) = (other, its_outgoing, its_request);
    }
}

async fn call(run: &Run<'_>, chosen: &Chosen, request: HttpRequest) -> CallResult {
    let timeout = Duration::from_secs(run.ctx.config.tuning.call_seconds.into());
    match run.ctx.providers.call(request, timeout).await {
        Ok(answer) => {
            let reply = provider(chosen.name).read_send(&answer);
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
    }
}

/// The account as a whole does not work, whatever the message.
fn is_down(failure: &Failure) -> bool {
    match failure.reason {
        FailureReason::ProviderDown
        | FailureReason::Misconfigured
        | FailureReason::InsufficientBalance => true,
        FailureReason::InvalidAddress
        | FailureReason::OptedOut
        | FailureReason::Unreachable
        | FailureReason::ContentRejected
        | FailureReason::TemplateMismatch
        | FailureReason::RateLimited
        | FailureReason::Expired
        | FailureReason::Other => false,
    }
}

async fn learn(run: &Run<'_>, chosen: &Chosen, result: &CallResult) {
    let now = run.ctx.clock.now();
    let (failed, not_before) = match &result.outcome {
        Outcome::Accepted { .. } => (false, None),
        Outcome::Unclear { .. } => (true, None),
        Outcome::Refused { failure, retry_after }
            if failure.reason == FailureReason::RateLimited =>
        {
            let asked = retry_after.map(|s| SignedDuration::from_secs(s.into()));
            (false, Some(now + asked.unwrap_or(PAUSE).min(SignedDuration::from_mins(15))))
        }
        Outcome::Refused { failure, .. } => (is_down(failure), None),
    };
    run.purse.learn(chosen.name, failed, not_before, now).await;
    if let Outcome::Refused { failure, .. } = &result.outcome
        && is_down(failure)
        && failure.reason != FailureReason::ProviderDown
    {
        let (name, why) = (chosen.name.as_str(), failure.reason.as_str());
        let what = format!("the account with {name} sends nothing any more ({why}). Look at it.");
        trouble::tell(run.ctx, run.org, Trouble::Integration, name, &what).await;
    }
}

/// The next account takes the message over, if there is one that can do so now:
/// one write ends the attempt and begins the other. `None`: it stays as it is.
async fn hand_over(
    run: &Run<'_>,
    terms: &Terms,
    message: &mut Message,
    refused: &Chosen,
    attempt: u16,
    result: &CallResult,
    failure: &Failure,
) -> Result<Option<(Chosen, Outgoing, HttpRequest)>, SendError> {
    let Some(chosen) = next_account(run, terms, message, refused).await else { return Ok(None) };
    let now = run.ctx.clock.now();
    let mut trial = message.clone();
    let Some((its_outgoing, its_request)) = prepare(run, &mut trial, &chosen, now).await? else {
        return Ok(None);
    };
    let rate = chosen.account.settings.rate_per_second;
    if run.purse.slot(run, chosen.name, rate, chosen.want).await? != Slot::Go {
        return Ok(None);
    }
    let now = run.ctx.clock.now();
    let answered = answered(&result.note);
    let mut moved = message.clone();
    let is_claimed =
        moved.fail_over(attempt, answered, failure, chosen.name, now) == Some(its_outgoing.attempt);
    if is_claimed && run.has_time(now) && save(run, &mut moved, now).await?.is_none() {
        // The place that the first account's call had taken.
        run.purse.not_used(refused.want).await;
        *message = moved;
        run.ctx.counters.add("failovers", 1);
        return Ok(Some((chosen, its_outgoing, its_request)));
    }
    run.purse.not_used(chosen.want).await;
    Ok(None)
}

async fn next_account(
    run: &Run<'_>,
    terms: &Terms,
    message: &Message,
    refused: &Chosen,
) -> Option<Chosen> {
    let to = &refused.to;
    // Each account once a claim.
    let tried = tried(message);
    for (name, account) in terms.accounts.serving(message.channel, to, message.integration) {
        if tried.contains(&name) || run.purse.is_down(name).await.is_some() {
            continue;
        }
        let want = gates::want(account, message, to, terms);
        let (account, to) = (account.clone(), to.clone());
        let quiet_from = refused.quiet_from;
        return Some(Chosen { name, account, to, want, instead_of: None, quiet_from });
    }
    None
}

/// The accounts that this claim has called: an attempt that took over began when
/// the one before it ended.
fn tried(message: &Message) -> Vec<ProviderName> {
    let mut tried = Vec::new();
    let mut began = None;
    for attempt in message.attempts.iter().rev() {
        if began.is_some() && attempt.ended_at != began {
            break;
        }
        tried.push(attempt.provider);
        began = Some(attempt.started_at);
    }
    tried
}

/// Applies the result to the row, whatever has become of it meanwhile. False:
/// the provider does not have the message.
async fn record(
    run: &Run<'_>,
    terms: &Terms,
    claimed: Message,
    account: &Account,
    outgoing: &Outgoing,
    result: CallResult,
) -> Result<bool, SendError> {
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
        let verdict = apply(terms, &mut message, account, attempt, &result, jitter, now);
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
    if message.content.introduction.is_some() && matches!(result.outcome, Outcome::Accepted { .. })
    {
        let now = run.ctx.clock.now();
        run.ctx.store.note_introduced(org, id.address(), message.channel, now).await?;
    }
    if matches!(message.state, State::Failed { accepted: false, .. }) {
        let now = run.ctx.clock.now();
        gates::give_place_back(run, terms, &message, now).await?;
    }
    Ok(!matches!(result.outcome, Outcome::Refused { .. }))
}

fn answered(note: &ResponseNote) -> Answered {
    Answered {
        http_status: note.http_status,
        code: note.code.clone(),
        provider_message_id: note.id.clone(),
        text: note.text.clone(),
    }
}

fn apply(
    terms: &Terms,
    message: &mut Message,
    account: &Account,
    attempt: u16,
    result: &CallResult,
    jitter: f64,
    now: Timestamp,
) -> Verdict {
    let mut answered = answered(&result.note);
    match &result.outcome {
        Outcome::Accepted { provider_message_id } => {
            answered.provider_message_id = Some(provider_message_id.clone());
            let price = price(account, message);
            message.accepted(attempt, answered, price, EventSource::Response, now)
        }
        Outcome::Refused { failure, retry_after } => {
            let next = after_refusal(terms, message, failure, *retry_after, jitter, now);
            message.refused(attempt, answered, failure, next, now)
        }
        Outcome::Unclear { detail } => {
            answered.text.get_or_insert_with(|| detail.clone());
            message.unknown(attempt, answered, now)
        }
    }
}

pub fn after_refusal(
    terms: &Terms,
    message: &Message,
    failure: &Failure,
    retry_after: Option<u32>,
    jitter: f64,
    now: Timestamp,
) -> Next {
    let limits = Limits::of(&terms.settings, message);
    retry::next(failure, message.rounds(), limits, retry_after, now, jitter)
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
) -> Result<bool, SendError> {
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
