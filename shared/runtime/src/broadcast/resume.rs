//! A campaign that was paused goes on: what its pause held up is due now, instead
//! of when it would be looked at again. Best effort: whatever this does not reach
//! comes by itself, minutes later.

use carillon_domain::campaign::Campaign;
use carillon_domain::pack::{Pack, Stage};
use carillon_domain::{Message, OrgId};
use carillon_store::{DueEntry, DueKind, StoreError};
use jiff::Timestamp;

use crate::{Context, random};

/// Reason of what a pause holds up, as it stands on messages.
pub const PAUSED: &str = "campaign_paused";
/// Pages of one source; a batch has few.
const PAGES: i32 = 10;

/// # Errors
/// When the table does not answer: left for the next look.
pub async fn at_once(ctx: &Context, c: &Campaign) -> Result<(), StoreError> {
    let now = ctx.clock.now();
    for batch in ctx.store.batches(c.org, c.id).await? {
        if batch.at > now {
            continue;
        }
        for (number, page) in ctx.store.pages(c.org, batch.source, 0, PAGES).await? {
            for from in (0..page.entries.len()).step_by(ctx.config.tuning.pack_size.max(1)) {
                let from = u32::try_from(from).unwrap_or(u32::MAX);
                let id = Pack::id_of(batch.source, number, from);
                if let Some(pack) = ctx.store.pack(c.org, id).await? {
                    pull_pack(ctx, &pack, now).await?;
                }
            }
            let ids: Vec<_> = page.entries.iter().map(|entry| entry.message).collect();
            for m in ctx.store.messages(c.org, &ids, true, false).await? {
                pull_message(ctx, c.org, &m, now).await?;
            }
        }
    }
    Ok(())
}

/// One that has run and waits; one that has not yet has its own time.
async fn pull_pack(ctx: &Context, pack: &Pack, now: Timestamp) -> Result<(), StoreError> {
    let waits = pack.stage == Stage::Send && pack.generation > 0;
    let Some(at) = pack.due.filter(|due| waits && *due > now) else { return Ok(()) };
    let (kind, lane, generation) = (DueKind::Pack(pack.id), pack.lane, pack.generation);
    let entry = DueEntry { org: pack.org, kind, lane, at, generation };
    ctx.store.lease(&entry, now, &random::token()).await.map(drop)
}

async fn pull_message(
    ctx: &Context,
    org: OrgId,
    m: &Message,
    now: Timestamp,
) -> Result<(), StoreError> {
    let held = m.decisions.last().is_some_and(|d| d.reason == PAUSED);
    let Some(at) = m.due.filter(|due| held && *due > now) else { return Ok(()) };
    let (kind, lane, generation) = (DueKind::Message(m.id), m.lane, m.generation);
    let entry = DueEntry { org, kind, lane, at, generation };
    ctx.store.lease(&entry, now, &random::token()).await.map(drop)
}
