//! Send: claim, call the provider, record. Nothing else talks to a provider.
//!
//! A queue body names a pack or a message that waits by itself, and the
//! generation it was leased under; with another generation it is stale and
//! dropped. The rows decide everything; the body only says where to look.
//!
//! Retries: a pack or message that was not finished is due again when its lease
//! runs out, so an error here is logged and left to the dispatcher, and after
//! many of them the work is given up. Only what cannot be read at all stays on
//! the queue and ends in its dead-letter queue.

mod attempt;
mod call;
mod content;
mod gates;
mod give_up;
mod look_up;
mod pack;
/// For the stories about rates, which drive it themselves.
#[doc(hidden)]
pub mod purse;
mod settle;
mod single;
mod terms;

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use carillon_domain::message::{Message, State};
use carillon_domain::restore::Release;
use carillon_domain::{Channel, Lane, OrgId, PhoneNumber};
use carillon_runtime::Context;
use carillon_runtime::accounts::AccountError;
use carillon_runtime::body::{SendBody, Sendable};
use carillon_runtime::context::InstallationError;
use carillon_runtime::queues::LONGEST_DELAY;
use carillon_store::{DueKind, Mechanism, StoreError};
use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};

use purse::{Begun, Purse};
use terms::Terms;

/// Suppression is read at most this long before the call.
const GATES_COUNT_FOR: SignedDuration = SignedDuration::from_secs(5);
/// Between the end of a call and the end of a claim.
const CLAIM_MARGIN: SignedDuration = SignedDuration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Installation(#[from] InstallationError),
    /// A stored address that is not a number any more.
    #[error("the stored address is not a phone number")]
    Address,
    /// The row was deleted while it was worked on.
    #[error("a row that it needs is gone")]
    Gone,
    /// A fault of ours.
    #[error("the sender panicked")]
    Panicked,
}

/// What all messages of one queue body share.
pub struct Run<'a> {
    pub ctx: &'a Context,
    pub org: OrgId,
    pub started: Timestamp,
    /// When this function ends; no call begins without time to end before.
    pub deadline: Timestamp,
    pub purse: Purse,
    /// Set where the table was restored once: what came with the backup may have
    /// been sent before.
    pub release: Option<Release>,
    terms: terms::Current,
    /// A result could not be written: nothing more is claimed in this run.
    pub stopped: std::sync::atomic::AtomicBool,
    /// What went wrong last with one of many messages.
    pub trouble: std::sync::Mutex<Option<String>>,
}

impl<'a> Run<'a> {
    /// `holder` names the pack or message in the ledger, `messages` are what it is
    /// for.
    ///
    /// # Errors
    /// When the table or KMS does not answer.
    pub async fn new(
        ctx: &'a Context,
        org: OrgId,
        deadline: Timestamp,
        (holder, lane): (String, Lane),
        messages: &[Message],
    ) -> Result<Self, SendError> {
        let of = terms::step_of(ctx, messages).await?;
        Ok(Self {
            ctx,
            org,
            started: ctx.clock.now(),
            deadline,
            purse: Purse::new(holder, lane),
            release: ctx.standing().await?.release(),
            terms: terms::Current::new(ctx, org, of).await?,
            stopped: std::sync::atomic::AtomicBool::new(false),
            trouble: std::sync::Mutex::default(),
        })
    }

    /// Settings, accounts and limits, at most seconds old.
    async fn terms(&self) -> Result<Arc<Terms>, SendError> {
        self.terms.get(self.ctx, self.org).await
    }

    fn note_trouble(&self, error: &SendError) {
        let mut trouble = self.trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *trouble = Some(error.to_string());
    }

    fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// What the run is for: what its messages take, and have taken.
    async fn expect(&self, messages: &[Message]) -> Result<(), SendError> {
        let terms = self.terms().await?;
        let mut upcoming = VecDeque::new();
        let mut begun = Vec::new();
        for message in messages {
            let Ok(to) = PhoneNumber::parse(&message.address, None) else { continue };
            let mut serving = terms.accounts.serving(message.channel, &to, message.integration);
            let used = message.provider.and_then(|name| terms.accounts.get(name));
            let price = used.map_or(0, |account| gates::want(account, message, &to, &terms).micros);
            begun.extend(Begun::of(message, price));
            if message.state == State::Scheduled
                && !message.has_left_its_pack()
                && let Some((name, account)) = serving.next()
            {
                upcoming.push_back((name, gates::want(account, message, &to, &terms)));
            }
        }
        self.purse.expect(upcoming, begun).await;
        Ok(())
    }

    /// Whether gates that were asked at `asked` still count for a call now.
    fn is_fresh(&self, asked: Timestamp) -> bool {
        let now = self.ctx.clock.now();
        self.ctx.store.lacks(Mechanism::LeaseCheck)
            || (now < asked + GATES_COUNT_FOR && self.has_time(now))
    }

    /// Whether a call that begins now can end inside this function's time.
    fn has_time(&self, now: Timestamp) -> bool {
        !self.stopped.load(std::sync::atomic::Ordering::Relaxed) && now <= self.last_call()
    }

    /// A call that begins later might not end inside this function's time.
    fn last_call(&self) -> Timestamp {
        let call = SignedDuration::from_secs(i64::from(self.ctx.config.tuning.call_seconds) + 2);
        self.deadline - call
    }
}

/// Whether a wait until then can be spent on the queue.
fn is_soon(now: Timestamp, until: Timestamp) -> bool {
    until <= now + LONGEST_DELAY
}

/// Queues a body for a moment to come. It is leased already: should this fail,
/// the lease runs out and the dispatcher finds it.
async fn queue_for(
    ctx: &Context,
    (channel, lane): (Channel, Lane),
    body: SendBody,
    until: Timestamp,
) {
    let delay = until.duration_since(ctx.clock.now());
    let refused = match ctx.queues.send(channel, lane, &[(body, delay)]).await {
        Ok(refused) => !refused.is_empty(),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "left for its lease");
            true
        }
    };
    ctx.counters.add("queue_refused", u64::from(refused));
}

/// Works through the bodies of one event. `deadline` is when the function ends.
pub async fn handle(ctx: &Context, event: SqsEvent, deadline: Timestamp) -> SqsBatchResponse {
    let mut answer = SqsBatchResponse::default();
    for record in event.records {
        let id = record.message_id.unwrap_or_default();
        let body = record.body.unwrap_or_default();
        match serde_json::from_str::<SendBody>(&body) {
            Ok(body) => {
                // Boxed: it is large, and everything around it would be too.
                if let Err(error) = run(ctx, &body, deadline).boxed().await {
                    ctx.counters.add("send_errors", 1);
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "left for the lease to run out"
                    );
                }
            }
            Err(error) => {
                tracing::error!(%error, "a queue body cannot be read");
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = id;
                answer.batch_item_failures.push(failure);
            }
        }
    }
    answer
}

async fn run(ctx: &Context, body: &SendBody, deadline: Timestamp) -> Result<(), SendError> {
    // Out of a restored table nothing is sent; the rows come again by themselves.
    if ctx.is_held().await? {
        return Ok(());
    }
    match body.what {
        Sendable::Pack(id) => {
            let done = pack::run(ctx, body.org, id, body.generation, deadline).boxed().await;
            if let Err(error) = &done {
                give_up::row(ctx, body.org, DueKind::Pack(id), body.generation, error).await;
            }
            done
        }
        Sendable::Message(id) => {
            let work = single::run(ctx, body.org, id, body.generation, deadline).boxed();
            let done = AssertUnwindSafe(work).catch_unwind().await;
            let done = done.unwrap_or_else(|_| {
                ctx.counters.add("send_panics", 1);
                Err(SendError::Panicked)
            });
            if let Err(error) = &done {
                give_up::message(ctx, body.org, id, error).await;
                give_up::row(ctx, body.org, DueKind::Message(id), body.generation, error).await;
            }
            done
        }
    }
}
