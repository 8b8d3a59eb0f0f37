//! Planned messages that are not to be sent any more. What cannot be withdrawn
//! here, because planning or a call is under way, is told, and done again later;
//! the sender asks before each call besides.

use carillon_domain::campaign::{Batch, Withdrawal};
use carillon_domain::message::State;
use carillon_domain::workshop::{Why, Workshop};
use carillon_domain::{CampaignId, Message, MessageId, OrgId};
use carillon_store::{Store, StoreError};
use jiff::Timestamp;

use crate::{Context, random};

/// Pages of one source; a batch has few.
const PAGES: i32 = 10;

/// What is left of what was to be withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    Nothing,
    /// Planning or a call is under way: look again.
    UnderWay,
}

/// Of one who left a workshop: his messages of all its campaigns.
///
/// # Errors
/// When the table does not answer.
pub async fn registration(ctx: &Context, w: &Workshop, number: u32) -> Result<Left, StoreError> {
    let store = &ctx.store;
    let registration = store.registration(w.org, w.id, number).await?;
    let Some(left) = registration.and_then(|r| r.left) else { return Ok(Left::Nothing) };
    let why = match left.why {
        Why::Left => Withdrawal::Left,
        Why::NumberChanged => Withdrawal::NumberChanged,
    };
    let mut all = Left::Nothing;
    for id in &w.campaigns {
        if of_campaign(ctx, (w.org, *id), number, why).await? == Left::UnderWay {
            all = Left::UnderWay;
        }
    }
    Ok(all)
}

/// As [`registration`], what can be at once. The reconciler does the rest, and all
/// of it if this is cut off.
pub async fn at_once(ctx: &Context, w: &Workshop, numbers: &[u32]) {
    for number in numbers {
        if let Err(error) = registration(ctx, w, *number).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "left for the reconciler");
            return;
        }
    }
}

async fn of_campaign(
    ctx: &Context,
    (org, id): (OrgId, CampaignId),
    number: u32,
    why: Withdrawal,
) -> Result<Left, StoreError> {
    let Some(c) = ctx.store.campaign(org, id).await? else { return Ok(Left::Nothing) };
    // A batch that is being frozen may have this person in it.
    let being_planned = c.plan.until != 0 && (c.plan.next..=c.plan.until).contains(&number);
    let mut left = if being_planned { Left::UnderWay } else { Left::Nothing };
    for batch in ctx.store.batches(org, id).await? {
        if !(batch.first..=batch.last).contains(&number) {
            continue;
        }
        if line(ctx, org, &batch, number, why).await? == Left::UnderWay {
            left = Left::UnderWay;
        }
    }
    Ok(left)
}

/// The message of one registration in a source.
async fn line(
    ctx: &Context,
    org: OrgId,
    batch: &Batch,
    number: u32,
    why: Withdrawal,
) -> Result<Left, StoreError> {
    let Some(import) = ctx.store.import(org, batch.source).await? else {
        return Ok(Left::UnderWay);
    };
    let mut left = if import.due.is_some() { Left::UnderWay } else { Left::Nothing };
    for (_, page) in ctx.store.pages(org, batch.source, 0, PAGES).await? {
        if let Some(entry) = page.entries.iter().find(|entry| entry.line == number) {
            left = one(ctx, org, entry.message, why).await?;
        }
    }
    Ok(left)
}

async fn one(
    ctx: &Context,
    org: OrgId,
    id: MessageId,
    why: Withdrawal,
) -> Result<Left, StoreError> {
    let now = ctx.clock.now();
    let withdraw = |m: &mut Message| m.withdraw(why, now).ok();
    let changed = ctx.store.change_message(org, id, &random::token(), now, withdraw).await?;
    Ok(match changed {
        // Frozen, and not put yet.
        None => Left::UnderWay,
        Some((m, _)) if is_open(&m.state) => Left::UnderWay,
        Some(_) => Left::Nothing,
    })
}

/// A call is being made, or may have been: it may wait again.
const fn is_open(state: &State) -> bool {
    match state {
        State::Sending { .. } | State::Unknown { held: false, .. } | State::Scheduled => true,
        State::Unknown { held: true, .. }
        | State::Accepted { .. }
        | State::Delivered { .. }
        | State::Read { .. }
        | State::Failed { .. }
        | State::Cancelled { .. }
        | State::Suppressed { .. }
        | State::Received => false,
    }
}

/// A whole source: nothing more of it is planned, and what waits is cancelled.
///
/// # Errors
/// When the table does not answer.
pub async fn source(
    ctx: &Context,
    org: OrgId,
    batch: &Batch,
    why: Withdrawal,
) -> Result<(), StoreError> {
    let store: &Store = &ctx.store;
    let import = store.import(org, batch.source).await?;
    if import.is_some_and(|import| import.failed.is_none()) {
        store.withdraw_source(org, batch.source, why.detail()).await?;
    }
    for (_, page) in store.pages(org, batch.source, 0, PAGES).await? {
        let ids: Vec<_> = page.entries.iter().map(|entry| entry.message).collect();
        for message in store.messages(org, &ids, true, false).await? {
            if message.state == State::Scheduled {
                one(ctx, org, message.id, why).await?;
            }
        }
    }
    Ok(())
}

/// All batches of a campaign that `are` to go; false when time ran out.
///
/// # Errors
/// When the table does not answer.
pub async fn sources(
    ctx: &Context,
    (org, id): (OrgId, CampaignId),
    why: Withdrawal,
    are: impl Fn(&Batch) -> bool,
    deadline: Timestamp,
) -> Result<bool, StoreError> {
    for batch in ctx.store.batches(org, id).await?.iter().filter(|batch| are(batch)) {
        if ctx.clock.now() >= deadline {
            return Ok(false);
        }
        source(ctx, org, batch, why).await?;
    }
    Ok(true)
}
