//! `/v1/dead-letters`: what has been given up. A person looks, and then lets it
//! be tried again (redrive) or is done with it (drop). Both may be repeated after
//! a crash at any point.

mod callbacks;
mod packs;
mod rows;

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::State;
use carillon_domain::ids::InvalidId;
use carillon_domain::{Action, LetterId, OrgId, PackId, access};
use carillon_runtime::Context;
use carillon_store::{Cause, Letter, keys};
use schemars::JsonSchema;
use serde::Serialize;

use crate::answers::{Accepted, Json};
use crate::auth::Caller;
use crate::extract::{Id, Params};
use crate::lists::{self, Page, PageQuery};
use crate::problem::Problem;
use crate::view::dead_letter::{DeadLetter, Dropped, Redriven};
use crate::{first_organization, months};

/// Empty months that one request walks back.
const MONTHS: usize = 36;

/// `GET /v1/dead-letters`: what was given up, newest first.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params<PageQuery>,
) -> Result<Json<Page<DeadLetter>>, Problem> {
    let limit = lists::limit(&params);
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
    // What names no organization may be older than the caller's.
    let made_first = if of.contains(&None) { first_organization::id() } else { caller.org };
    let oldest = months::oldest(&ctx, made_first, None).await?;
    let mut data = Vec::new();
    for _ in 0..MONTHS {
        loop {
            let most = limit - data.len();
            let found = ctx.store.dead_letters(&of, &month, before.as_deref(), most).await?;
            let Some((last, _)) = found.last() else { break };
            before = Some(last.clone());
            data.extend(
                found.iter().filter_map(|(_, letter)| Some(DeadLetter::of(letter.as_ref()?))),
            );
            if data.len() == limit {
                let next = [month, before.unwrap_or_default()];
                return Ok(Json(Page::of(&params, data, Some(&next))));
            }
        }
        if oldest.as_ref().is_some_and(|oldest| *oldest >= month) {
            return Ok(Json(Page::of(&params, data, None)));
        }
        month = months::previous(&month).ok_or_else(lists::invalid_cursor)?;
        before = None;
    }
    // Older months are there.
    Ok(Json(Page::of(&params, data, Some(&[month, "~".to_owned()]))))
}

/// `POST /v1/dead-letters/{id}/redrive`: tried again, as if nothing had been
/// tried.
pub async fn redrive(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<DeadId>,
) -> Result<Accepted<Redriven>, Problem> {
    let answer = match id {
        DeadId::Pack(id) => packs::redrive(&ctx, &caller, id).await?,
        DeadId::Letter(id) => {
            let letter = find(&ctx, &caller, id).await?;
            match &letter.cause {
                Cause::Callback { body } => callbacks::redrive(&ctx, &letter, body).await?,
                Cause::Row { key, due } => rows::redrive(&ctx, &letter, key, due).await?,
            }
            Redriven::of(DeadId::Letter(id), None)
        }
    };
    Ok(Accepted(answer))
}

/// `POST /v1/dead-letters/{id}/drop`: nothing is tried again. What has not left
/// a pack is cancelled.
pub async fn drop(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<DeadId>,
) -> Result<Json<Dropped>, Problem> {
    let answer = match id {
        DeadId::Pack(id) => packs::drop(&ctx, &caller, id).await?,
        DeadId::Letter(id) => {
            let letter = find(&ctx, &caller, id).await?;
            match &letter.cause {
                Cause::Callback { .. } => callbacks::drop(&ctx, &letter).await?,
                Cause::Row { key, .. } => rows::drop(&ctx, &caller, &letter, key).await?,
            }
            Dropped::letter(id)
        }
    };
    Ok(Json(answer))
}

/// What a dead letter is known by.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(untagged)]
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
