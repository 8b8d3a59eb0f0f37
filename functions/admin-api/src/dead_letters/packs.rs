//! Packs that the sender has given up.

use carillon_domain::message::{Message, State as MessageState};
use carillon_domain::pack::{GivenUp, Pack};
use carillon_domain::transition::{Answered, NotClaimable, Verdict};
use carillon_domain::{MessageId, PackId};
use carillon_runtime::{Context, random};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::{DeadId, not_given_up};
use crate::auth::Caller;
use crate::problem::Problem;
use crate::view::dead_letter::{Dropped, DroppedStatus, Redriven};

/// Messages cancelled side by side.
const IN_FLIGHT: usize = 10;

/// Due again now, as if nothing had been tried. Who has left it is not sent
/// again.
pub async fn redrive(ctx: &Context, caller: &Caller, id: PackId) -> Result<Redriven, Problem> {
    let (pack, _) = find(ctx, caller, id).await?;
    if !ctx.store.redrive_pack(&pack, ctx.clock.now(), &random::token()).await? {
        return Err(not_given_up());
    }
    Ok(Redriven::of(DeadId::Pack(pack.id), Some(pack.size())))
}

/// What has not left the pack is cancelled.
pub async fn drop(ctx: &Context, caller: &Caller, id: PackId) -> Result<Dropped, Problem> {
    let (pack, given_up) = find(ctx, caller, id).await?;
    let page = ctx.store.page(pack.org, pack.source, pack.page).await?.unwrap_or_default();
    // A page that is gone leaves nothing to cancel by; the answer says so.
    let entries = pack.entries(&page).unwrap_or_default();
    let ids: Vec<MessageId> = entries.iter().map(|e| e.message).collect();
    let messages = ctx.store.messages(pack.org, &ids, true, false).await?;
    let found = messages.len();
    let own =
        messages.into_iter().filter(|m| entries.iter().any(|e| e.has(m)) && !m.has_left_its_pack());
    let (now, why) = (ctx.clock.now(), given_up.reason.as_str());
    let left: Vec<Left> = stream::iter(own)
        .map(|message| leave(ctx, caller, message, why, now))
        .buffer_unordered(IN_FLIGHT)
        .try_collect()
        .await?;
    if left.contains(&Left::Stays) {
        let detail = "One of its messages is being sent at this moment; drop it again in a minute.";
        return Err(Problem::conflict("being_sent", detail));
    }
    if !ctx.store.drop_pack(&pack, &random::token()).await? {
        return Err(not_given_up());
    }
    Ok(Dropped {
        id: DeadId::Pack(pack.id),
        status: DroppedStatus::Dropped,
        messages: Some(pack.size()),
        cancelled: Some(left.iter().filter(|left| **left == Left::Cancelled).count()),
        not_found: Some(usize::try_from(pack.size()).unwrap_or(0).saturating_sub(found)),
    })
}

/// How a message leaves a pack that is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Cancelled,
    /// It has come to something else, or waits by itself to be settled.
    Otherwise,
    /// Someone's claim is running.
    Stays,
}

async fn leave(
    ctx: &Context,
    caller: &Caller,
    message: Message,
    why: &str,
    now: Timestamp,
) -> Result<Left, Problem> {
    let change = |m: &mut Message| match m.claimable(now, ctx.sole_worker_since) {
        _ if m.has_left_its_pack() => None,
        // Cut off in a call: it may have arrived, so it is settled, not cancelled.
        Err(NotClaimable::LeaseLost) => {
            let attempt = m.attempt();
            (m.unknown(attempt, Answered::default(), now) == Verdict::Changed)
                .then_some(Left::Otherwise)
        }
        Ok(()) | Err(_) => m.drop_given_up(&caller.id, why, now).ok().map(|()| Left::Cancelled),
    };
    let (org, id, token) = (message.org, message.id, random::token());
    let changed = ctx.store.change_message(org, id, &token, now, change).await?;
    Ok(match changed {
        Some((_, Some(left))) => left,
        Some((m, None)) if matches!(m.state, MessageState::Sending { .. }) => Left::Stays,
        Some((_, None)) | None => Left::Otherwise,
    })
}

async fn find(ctx: &Context, caller: &Caller, id: PackId) -> Result<(Pack, GivenUp), Problem> {
    let pack = ctx.store.pack(caller.org, id).await?;
    let pack = pack.ok_or_else(|| Problem::not_found("dead letter"))?;
    match pack.given_up.clone() {
        Some(given_up) => Ok((pack, given_up)),
        None => Err(not_given_up()),
    }
}
