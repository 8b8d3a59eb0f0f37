//! `/v1/dead-letters`: packs that the sender has given up. A person looks, and
//! then lets them try again (redrive) or cancels what is left of them (drop).
//! Both may be repeated after a crash at any point.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use carillon_domain::message::{Message, State as MessageState};
use carillon_domain::pack::{GivenUp, Pack};
use carillon_domain::transition::{Answered, NotClaimable, Verdict};
use carillon_domain::{MessageId, PackId};
use carillon_runtime::{Context, random};
use carillon_store::keys;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::auth::Caller;
use crate::extract::{Id, Params};
use crate::messages::list::previous;
use crate::problem::Problem;
use crate::{lists, view};

/// How far back they are looked for, in months.
const MONTHS: usize = 36;
/// Messages cancelled side by side.
const IN_FLIGHT: usize = 10;

/// `GET /v1/dead-letters`, newest first.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params,
) -> Result<Json<Value>, Problem> {
    params.only(&["limit", "cursor"])?;
    let limit = lists::limit(&params)?;
    let (mut month, mut before) = match lists::cursor(&params)? {
        None => (keys::month(ctx.clock.now()), None),
        Some(parts) => {
            let [month, before] =
                <[String; 2]>::try_from(parts).map_err(|_| lists::invalid_cursor())?;
            (month, Some(before))
        }
    };
    let mut data = Vec::new();
    for _ in 0..MONTHS {
        loop {
            let most = i32::try_from(limit - data.len()).unwrap_or(i32::MAX);
            let found = ctx.store.dead_packs(caller.org, &month, before.as_deref(), most).await?;
            let Some((last, _)) = found.last() else { break };
            before = Some(last.clone());
            data.extend(found.iter().filter_map(|(_, pack)| Some(letter(pack.as_ref()?))));
            if data.len() == limit {
                let next = [month, before.unwrap_or_default()];
                return Ok(Json(lists::page(&params, data, Some(&next))));
            }
        }
        month = previous(&month).ok_or_else(lists::invalid_cursor)?;
        before = None;
    }
    Ok(Json(lists::page(&params, data, None)))
}

/// `POST /v1/dead-letters/{id}/redrive`: due again now, as if nothing had been
/// tried. Who has left it is not sent again.
pub async fn redrive(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<PackId>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let (pack, _) = find(&ctx, &caller, id).await?;
    if !ctx.store.redrive_pack(&pack, ctx.clock.now(), &random::token()).await? {
        return Err(not_given_up());
    }
    let answer = json!({"id": pack.id, "status": "redriven", "messages": pack.size()});
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

/// `POST /v1/dead-letters/{id}/drop`: what has not left the pack is cancelled.
pub async fn drop(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<PackId>,
) -> Result<Json<Value>, Problem> {
    let (pack, given_up) = find(&ctx, &caller, id).await?;
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
        .map(|message| leave(&ctx, &caller, message, why, now))
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
    Ok(Json(json!({
        "id": pack.id,
        "status": "dropped",
        "messages": pack.size(),
        "cancelled": left.iter().filter(|left| **left == Left::Cancelled).count(),
        "not_found": usize::try_from(pack.size()).unwrap_or(0).saturating_sub(found),
    })))
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

fn not_given_up() -> Problem {
    let detail = "It is not given up any more: someone has redriven or dropped it.";
    Problem::conflict("not_given_up", detail)
}

fn letter(pack: &Pack) -> Value {
    json!({
        "id": pack.id,
        "messages": pack.size(),
        "reason": pack.given_up.as_ref().map(|g| &g.reason),
        "given_up_at": pack.given_up.as_ref().map(|g| view::time(g.at)),
        "import_id": pack.source,
        "channel": pack.channel,
    })
}
