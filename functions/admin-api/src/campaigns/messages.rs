//! `GET /v1/campaigns/{id}/messages`: the messages that are planned, by its
//! sources, the last one first.

use std::sync::Arc;

use axum::extract::State;
use carillon_domain::message::Status;
use carillon_domain::{CampaignId, ImportId, MessageId, OrgId};
use carillon_runtime::Context;
use schemars::JsonSchema;
use serde::Deserialize;

use super::found;
use crate::answers::Json;
use crate::auth::Caller;
use crate::extract::{Id, Params};
use crate::lists::{self, Limit, Page, paged};
use crate::problem::Problem;
use crate::view::message::Message;

/// Pages of one source; a batch has few.
const PAGES: i32 = 10;
/// Sources looked at in one request; a narrow filter answers early.
const MOST: usize = 50;

/// Which messages.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    status: Option<Status>,
}
paged!(Query);

/// `GET /v1/campaigns/{id}/messages`: its messages, those planned last first.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<CampaignId>,
    params: Params<Query>,
) -> Result<Json<Page<Message>>, Problem> {
    let campaign = found(&ctx, &caller, id).await?;
    let limit = lists::limit(&params);
    let mut batches = ctx.store.batches(campaign.org, campaign.id).await?;
    batches.reverse();
    // Behind which message of which source.
    let (mut place, mut skip) = match lists::cursor(&params)?.as_deref() {
        None => (0, 0),
        Some([source, skip]) => {
            let source: ImportId = source.parse().map_err(|_| lists::invalid_cursor())?;
            let place = batches.iter().position(|b| b.source == source);
            let skip = skip.parse::<usize>().map_err(|_| lists::invalid_cursor())?;
            (place.ok_or_else(lists::invalid_cursor)?, skip)
        }
        Some(_) => return Err(lists::invalid_cursor()),
    };
    let now = ctx.clock.now();
    let mut data = Vec::new();
    let mut next = None;
    let last = batches.len().min(place + MOST);
    while let Some(batch) = batches.get(place) {
        if place >= last {
            next = Some([batch.source.to_string(), "0".to_owned()]);
            break;
        }
        let ids = ids_of(&ctx, campaign.org, batch.source).await?;
        let messages = ctx.store.messages(campaign.org, &ids, false, true).await?;
        for (seen, m) in messages.iter().enumerate().skip(skip) {
            if data.len() == limit {
                next = Some([batch.source.to_string(), seen.to_string()]);
                break;
            }
            if params.status.is_none_or(|status| status == m.status(now)) {
                data.push(Message::of(m, now));
            }
        }
        if next.is_some() {
            break;
        }
        skip = 0;
        place += 1;
    }
    Ok(Json(Page::of(&params, data, next.as_ref().map(<[String; 2]>::as_slice))))
}

async fn ids_of(ctx: &Context, org: OrgId, source: ImportId) -> Result<Vec<MessageId>, Problem> {
    let pages = ctx.store.pages(org, source, 0, PAGES).await?;
    Ok(pages.into_iter().flat_map(|(_, page)| page.entries).map(|entry| entry.message).collect())
}
