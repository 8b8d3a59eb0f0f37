//! `GET /v1/messages`: newest first. Without a number the time line is walked
//! ([`super::walk`]); with one, its own partition.

use std::sync::Arc;

use axum::extract::State;
use carillon_domain::message::{Direction, Message, Status};
use carillon_domain::{CampaignId, Channel, ContactId, ImportId, MessageId, OrgId, ProviderName};
use carillon_runtime::Context;
use schemars::JsonSchema;
use serde::Deserialize;

use super::filter::Filter;
use super::walk;
use crate::answers::Json;
use crate::auth::Caller;
use crate::extract::Params;
use crate::lists::{self, Limit, Page, paged};
use crate::problem::Problem;
use crate::times::{Moment, Until};
use crate::view;

/// Which messages.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    pub status: Option<Status>,
    pub channel: Option<Channel>,
    pub campaign_id: Option<CampaignId>,
    /// Messages to and from a contact's numbers.
    pub contact_id: Option<ContactId>,
    pub workshop_id: Option<String>,
    pub booking_id: Option<String>,
    /// The provider's code of the error.
    pub error_code: Option<String>,
    /// Made at this time or later, or from the beginning of this day (UTC).
    pub from: Option<Moment>,
    /// Made until this time, or the end of this day (UTC). A number is
    /// understood too: messages to it and from it.
    pub to: Option<Until>,
    /// A part of the text, or a number.
    pub q: Option<String>,
    /// Key or id of a template.
    pub template: Option<String>,
    pub related_type: Option<String>,
    pub related_id: Option<String>,
    /// The key or member that made it.
    pub created_by: Option<String>,
    pub direction: Option<Direction>,
    pub provider: Option<ProviderName>,
    pub import_id: Option<ImportId>,
}
paged!(Query);

/// Rows looked at in one request; a filter that matches little answers early,
/// with a cursor to go on from.
pub const MOST_ROWS: usize = 400;
/// Places read at a time.
pub const ENTRIES: i32 = 50;

/// `GET /v1/messages`: messages out and in, newest first.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params<Query>,
) -> Result<Json<Page<view::message::Message>>, Problem> {
    let limit = lists::limit(&params);
    let cursor = lists::cursor(&params)?;
    let filter = Filter::of(&params.query);
    let now = ctx.clock.now();
    let addresses = match (params.contact_id, &filter.number) {
        (Some(id), _) => {
            let contact = ctx.store.contact_now(caller.org, id).await?;
            contact.map(|c| c.phones().map(|p| p.as_str().to_owned()).collect())
        }
        (None, Some(number)) => Some(vec![number.clone()]),
        (None, None) => None,
    };
    let (messages, next) = match addresses {
        Some(addresses) => {
            with_addresses(&ctx, caller.org, &addresses, &filter, cursor, limit).await?
        }
        None => walk::back(&ctx, caller.org, &filter, cursor, limit).await?,
    };
    let data = messages.iter().map(|m| view::message::Message::of(m, now)).collect();
    Ok(Json(Page::of(&params, data, next.as_deref())))
}

pub type Found = (Vec<Message>, Option<Vec<String>>);

/// Messages to and from a person: of each address its own partition, merged.
async fn with_addresses(
    ctx: &Context,
    org: OrgId,
    addresses: &[String],
    filter: &Filter,
    cursor: Option<Vec<String>>,
    limit: usize,
) -> Result<Found, Problem> {
    let mut before: Option<MessageId> = match cursor.as_deref() {
        None => None,
        Some([id]) => Some(id.parse().map_err(|_| lists::invalid_cursor())?),
        Some(_) => return Err(lists::invalid_cursor()),
    };
    let now = ctx.clock.now();
    let mut found = Vec::new();
    let mut looked = 0;
    loop {
        let ids = newest(ctx, org, addresses, before, ENTRIES).await?;
        if ids.is_empty() {
            return Ok((found, None));
        }
        for message in ctx.store.messages(org, &ids, false, true).await? {
            before = Some(message.id);
            looked += 1;
            if filter.takes(&message, now) {
                found.push(message);
            }
            if found.len() == limit || looked >= MOST_ROWS {
                let next = before.map(|id| vec![id.to_string()]);
                return Ok((found, next));
            }
        }
        before = ids.last().copied();
    }
}

/// The newest messages with these addresses, before one of them; at most `limit`.
pub async fn newest(
    ctx: &Context,
    org: OrgId,
    addresses: &[String],
    before: Option<MessageId>,
    limit: i32,
) -> Result<Vec<MessageId>, Problem> {
    let mut ids = Vec::new();
    for address in addresses {
        let key = ctx.address_key(org, address).await?;
        ids.extend(ctx.store.messages_with(org, key, before, limit).await?);
    }
    ids.sort_by_key(|id| std::cmp::Reverse(id.sort_part()));
    ids.truncate(usize::try_from(limit).unwrap_or(0));
    Ok(ids)
}
