//! How a campaign comes to its end: once its last step was sent and nothing of it
//! waits any more. That is looked at when it may be so, again and again for as long
//! as a message can wait, and said once.

use std::collections::BTreeMap;

use carillon_domain::OrgId;
use carillon_domain::campaign::{Batch, Campaign, Status, Step};
use carillon_domain::settings::Trouble;
use carillon_domain::statistics::Bucket;
use carillon_domain::workshop::Workshop;
use carillon_store::{Store, StoreError};
use jiff::{SignedDuration, Timestamp};

use super::OVER_AFTER;
use crate::{Context, trouble};

/// After the last step, most messages have been taken.
const FIRST_LOOK: SignedDuration = SignedDuration::from_mins(5);
/// For a day there may be more of them.
const NEXT_LOOK: SignedDuration = SignedDuration::from_mins(15);
const DAY: SignedDuration = SignedDuration::from_hours(24);
const LATER_LOOK: SignedDuration = SignedDuration::from_hours(6);
/// Characters of a campaign's name that members are told.
const NAME: usize = 40;

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// It is finished, or nobody asks.
    No,
    At(Timestamp),
    /// Nothing of it waits, or not for long any more: that is to be stored.
    Finished,
}

/// When a planned campaign is to be looked at, and what is seen now.
///
/// # Errors
/// When the table does not answer.
pub async fn look(
    ctx: &Context,
    c: &Campaign,
    steps: &[Step],
    w: &Workshop,
) -> Result<Look, StoreError> {
    if c.completed_at.is_some() || c.status == Status::Cancelled {
        return Ok(Look::No);
    }
    let zone = super::zone(w);
    let times = steps.iter().filter_map(|step| step.moment(w, &zone).ok());
    let Some(last) = times.map(|moment| moment.at).max() else { return Ok(Look::No) };
    let now = ctx.clock.now();
    let first = last + FIRST_LOOK;
    if now < first {
        return Ok(Look::At(first));
    }
    // What is Unknown may be settled, or sent again; some are held for good.
    let is_settling = now < last + DAY;
    if now >= last + OVER_AFTER || waiting(&ctx.store, c, w, is_settling).await? == 0 {
        return Ok(Look::Finished);
    }
    let next = if is_settling { NEXT_LOOK } else { LATER_LOOK };
    Ok(Look::At(now + next))
}

async fn waiting(
    store: &Store,
    c: &Campaign,
    w: &Workshop,
    is_settling: bool,
) -> Result<u64, StoreError> {
    let waits = |bucket: Bucket| match bucket {
        Bucket::Pending => true,
        Bucket::Unknown => is_settling,
        _ => false,
    };
    let batches = store.batches(c.org, c.id).await?;
    let batches: Vec<_> = batches.into_iter().filter(|b| !is_withdrawn(c, b, Some(w))).collect();
    let sources: Vec<_> = batches.iter().map(|b| b.source).collect();
    let mut waiting = 0;
    for (batch, messages) in batches.iter().zip(store.counted_of(c.org, &sources).await?) {
        let open = messages.values().filter(|(_, fact)| waits(fact.bucket));
        waiting += u64::try_from(open.count()).unwrap_or(u64::MAX);
        waiting += not_counted(store, c.org, batch, messages.len()).await?;
    }
    Ok(waiting)
}

/// Tells members who want to know, before it is stored: a repeat tells nobody
/// twice.
///
/// # Errors
/// When the table does not answer.
pub async fn tell(ctx: &Context, c: &Campaign, w: &Workshop) -> Result<(), StoreError> {
    if !trouble::is_wanted(ctx, c.org, Trouble::CampaignFinished).await {
        return Ok(());
    }
    let batches = ctx.store.batches(c.org, c.id).await?;
    let sources: Vec<_> = batches.iter().map(|b| b.source).collect();
    let mut said: BTreeMap<&str, u64> = BTreeMap::new();
    for (batch, messages) in batches.iter().zip(ctx.store.counted_of(c.org, &sources).await?) {
        let is_withdrawn = is_withdrawn(c, batch, Some(w));
        for (_, fact) in messages.values() {
            *said.entry(word(fact.bucket, is_withdrawn)).or_default() += 1;
        }
    }
    // In a text, the sign between title and sequence would make it twice as long.
    let name: String = c.name.replace(" \u{b7} ", ", ").chars().take(NAME).collect();
    let mut what = format!("The campaign \"{name}\" is finished");
    if !said.is_empty() {
        let parts: Vec<_> = said.iter().map(|(word, n)| format!("{n} {word}")).collect();
        what = format!("{what}: {}", parts.join(", "));
    }
    let subject = c.id.to_string();
    trouble::tell(ctx, c.org, Trouble::CampaignFinished, &subject, &format!("{what}.")).await;
    Ok(())
}

const fn word(bucket: Bucket, is_withdrawn: bool) -> &'static str {
    match bucket {
        Bucket::Delivered | Bucket::Read => "delivered",
        Bucket::Sent => "sent",
        Bucket::Failed | Bucket::Undelivered => "failed",
        Bucket::Unknown => "unknown",
        Bucket::Pending if !is_withdrawn => "still waiting",
        Bucket::Pending
        | Bucket::Suppressed
        | Bucket::Cancelled
        | Bucket::Received
        | Bucket::OptedOut => "not sent",
    }
}

/// Nothing of it is sent any more, whoever comes to it first.
#[must_use]
pub fn is_withdrawn(c: &Campaign, batch: &Batch, workshop: Option<&Workshop>) -> bool {
    let is_of_now = |w: &Workshop| {
        w.deleted_at.is_none() && (!c.audience.follows() || w.revision == batch.revision)
    };
    c.status == Status::Cancelled || !workshop.is_some_and(is_of_now)
}

/// Recipients of a batch whose messages rollup has not seen: they are frozen, and
/// either not put yet or just so. Of a source that was withdrawn before it was
/// planned there is nothing to come.
///
/// # Errors
/// When the table does not answer.
pub async fn not_counted(
    store: &Store,
    org: OrgId,
    batch: &Batch,
    counted: usize,
) -> Result<u64, StoreError> {
    let recipients = usize::try_from(batch.recipients).unwrap_or(usize::MAX);
    if counted >= recipients {
        return Ok(0);
    }
    let import = store.import(org, batch.source).await?;
    let Some(import) = import else { return Ok(0) };
    // Of a source that is planned, or was withdrawn, what it has put counts.
    let expected = match (&import.failed, import.is_planned()) {
        (None, false) => batch.recipients,
        (_, true) => import.progress.accepted,
        (Some(_), false) => 0,
    };
    let expected = usize::try_from(expected).unwrap_or(usize::MAX);
    Ok(u64::try_from(expected.saturating_sub(counted)).unwrap_or(0))
}
