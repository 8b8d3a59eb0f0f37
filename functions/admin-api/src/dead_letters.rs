//! `/v1/dead-letters`: what has been given up. A person looks, and then lets it
//! be tried again (redrive) or is done with it (drop). Both may be repeated after
//! a crash at any point.

mod callbacks;
mod packs;
mod rows;

use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use carillon_domain::ids::InvalidId;
use carillon_domain::pack::Pack;
use carillon_domain::{Action, LetterId, OrgId, PackId, access};
use carillon_runtime::Context;
use carillon_store::{Cause, DeadLetter, Letter, keys};
use serde_json::{Value, json};

use crate::auth::Caller;
use crate::extract::{Id, Params};
use crate::messages::list::previous;
use crate::problem::Problem;
use crate::{lists, view};

/// How far back they are looked for, in months.
const MONTHS: usize = 36;

/// `GET /v1/dead-letters`, newest first.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params,
) -> Result<Json<Value>, Problem> {
    params.only(&["limit", "cursor"])?;
    let limit = lists::limit(&params)?;
    let (mut month, mut before) = match lists::cursor(&params)? {
        None => {
            callbacks::take_up(&ctx).await?;
            (keys::month(ctx.clock.now()), None)
        }
        Some(parts) => {
            let [month, before] =
                <[String; 2]>::try_from(parts).map_err(|_| lists::invalid_cursor())?;
            (month, Some(before))
        }
    };
    let of = visible_to(&caller);
    let mut data = Vec::new();
    for _ in 0..MONTHS {
        loop {
            let most = limit - data.len();
            let found = ctx.store.dead_letters(&of, &month, before.as_deref(), most).await?;
            let Some((last, _)) = found.last() else { break };
            before = Some(last.clone());
            data.extend(found.iter().filter_map(|(_, letter)| Some(shown(letter.as_ref()?))));
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

/// `POST /v1/dead-letters/{id}/redrive`: tried again, as if nothing had been
/// tried.
pub async fn redrive(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<DeadId>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let answer = match id {
        DeadId::Pack(id) => packs::redrive(&ctx, &caller, id).await?,
        DeadId::Letter(id) => {
            let letter = find(&ctx, &caller, id).await?;
            match &letter.cause {
                Cause::Callback { body } => callbacks::redrive(&ctx, &letter, body).await?,
                Cause::Row { key, due } => rows::redrive(&ctx, &letter, key, due).await?,
            }
            json!({"id": id, "status": "redriven"})
        }
    };
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

/// `POST /v1/dead-letters/{id}/drop`: nothing is tried again. What has not left
/// a pack is cancelled.
pub async fn drop(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<DeadId>,
) -> Result<Json<Value>, Problem> {
    let answer = match id {
        DeadId::Pack(id) => packs::drop(&ctx, &caller, id).await?,
        DeadId::Letter(id) => {
            let letter = find(&ctx, &caller, id).await?;
            match &letter.cause {
                Cause::Callback { .. } => callbacks::drop(&ctx, &letter).await?,
                Cause::Row { key, .. } => rows::drop(&ctx, &caller, &letter, key).await?,
            }
            json!({"id": id, "status": "dropped"})
        }
    };
    Ok(Json(answer))
}

/// What a dead letter is known by.
#[derive(Debug, Clone, Copy)]
pub enum DeadId {
    Pack(PackId),
    Letter(LetterId),
}

impl FromStr for DeadId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        text.parse().map(Self::Pack).or_else(|_| text.parse().map(Self::Letter))
    }
}

/// Whose dead letters a caller sees: his organization's, and those that name no
/// organization if the installation is his business.
fn visible_to(caller: &Caller) -> Vec<Option<OrgId>> {
    let nobodys = access::allows(caller.role, Action::ManageInstallation).then_some(None);
    std::iter::once(Some(caller.org)).chain(nobodys).collect()
}

async fn find(ctx: &Context, caller: &Caller, id: LetterId) -> Result<Letter, Problem> {
    for org in visible_to(caller) {
        if let Some(letter) = ctx.store.letter(org, id).await? {
            return Ok(letter);
        }
    }
    Err(Problem::not_found("dead letter"))
}

fn not_given_up() -> Problem {
    let detail = "It is not given up any more: someone has redriven or dropped it.";
    Problem::conflict("not_given_up", detail)
}

fn shown(letter: &DeadLetter) -> Value {
    match letter {
        DeadLetter::Pack(pack) => shown_pack(pack),
        DeadLetter::Letter(letter) => {
            let mut shown = match &letter.cause {
                Cause::Callback { body } => callbacks::shown(body),
                Cause::Row { key, .. } => rows::shown(key),
            };
            shown["id"] = json!(letter.id);
            shown["reason"] = json!(letter.reason);
            shown["given_up_at"] = json!(view::time(letter.at));
            shown
        }
    }
}

fn shown_pack(pack: &Pack) -> Value {
    json!({
        "id": pack.id,
        "kind": "pack",
        "messages": pack.size(),
        "reason": pack.given_up.as_ref().map(|g| &g.reason),
        "given_up_at": pack.given_up.as_ref().map(|g| view::time(g.at)),
        "import_id": pack.source,
        "channel": pack.channel,
    })
}
