//! `GET /v1/messages`: newest first. Without a number the time line is walked,
//! page by page; with one, its own partition.

use std::sync::Arc;

use axum::extract::State;
use carillon_domain::message::{Direction, Message, State as MessageState, Status};
use carillon_domain::{
    CampaignId, Channel, ContactId, MessageId, OrgId, PhoneNumber, ProviderName,
};
use carillon_runtime::Context;
use carillon_store::{TimelineEntry, keys};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

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
    status: Option<Status>,
    channel: Option<Channel>,
    campaign_id: Option<CampaignId>,
    /// Messages to and from a contact's numbers.
    contact_id: Option<ContactId>,
    workshop_id: Option<String>,
    booking_id: Option<String>,
    /// The provider's code of the error.
    error_code: Option<String>,
    /// Made at this time or later, or from the beginning of this day (UTC).
    from: Option<Moment>,
    /// Made until this time, or the end of this day (UTC). A number is
    /// understood too: messages to it and from it.
    to: Option<Until>,
    /// A part of the text, or a number.
    q: Option<String>,
    /// Key or id of a template.
    template: Option<String>,
    related_type: Option<String>,
    related_id: Option<String>,
    /// The key or member that made it.
    created_by: Option<String>,
    direction: Option<Direction>,
    provider: Option<ProviderName>,
    import_id: Option<String>,
}
paged!(Query);

/// Rows looked at in one request; a filter that matches little answers early,
/// with a cursor to go on from.
const MOST_ROWS: usize = 2_000;
/// Time line entries read at a time.
const ENTRIES: i32 = 50;
/// How far back the time line is walked, in months.
const MONTHS: usize = 36;

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
        None => in_timeline(&ctx, caller.org, &filter, cursor, limit).await?,
    };
    let data = messages.iter().map(|m| view::message::Message::of(m, now)).collect();
    Ok(Json(Page::of(&params, data, next.as_deref())))
}

type Found = (Vec<Message>, Option<Vec<String>>);

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

async fn in_timeline(
    ctx: &Context,
    org: OrgId,
    filter: &Filter,
    cursor: Option<Vec<String>>,
    limit: usize,
) -> Result<Found, Problem> {
    let now = ctx.clock.now();
    let newest = filter.to.map_or(now, |to| to.min(now));
    let (mut month, mut before, mut skip) = match cursor {
        None => (keys::month(newest), None, 0),
        Some(parts) => {
            let [month, before, skip] =
                <[String; 3]>::try_from(parts).map_err(|_| lists::invalid_cursor())?;
            (month, Some(before), skip.parse().map_err(|_| lists::invalid_cursor())?)
        }
    };
    let oldest = filter.from.map(keys::month);
    let mut found = Vec::new();
    let mut looked = 0;
    for _ in 0..MONTHS {
        loop {
            let entries = ctx.store.timeline(org, &month, before.as_deref(), ENTRIES).await?;
            if entries.is_empty() {
                break;
            }
            for (place, entry) in entries {
                let ids = ids_of(ctx, org, entry).await?;
                let messages = ctx
                    .store
                    .messages(org, ids.get(skip..).unwrap_or_default(), false, true)
                    .await?;
                for message in messages {
                    looked += 1;
                    if filter.takes(&message, now) {
                        found.push(message);
                        if found.len() == limit {
                            let last = found.last().map(|m| m.id);
                            let done =
                                ids.iter().position(|id| Some(*id) == last).map_or(0, |p| p + 1);
                            // The entry itself comes again; what of it was seen is skipped.
                            let again = format!("{}~", place.sort);
                            return Ok((found, Some(vec![month, again, done.to_string()])));
                        }
                    }
                }
                skip = 0;
                before = Some(place.sort);
            }
            if looked >= MOST_ROWS {
                let before = before.unwrap_or_default();
                return Ok((found, Some(vec![month, before, "0".to_owned()])));
            }
        }
        if oldest.as_ref().is_some_and(|oldest| *oldest >= month) {
            break;
        }
        month = previous(&month).ok_or_else(lists::invalid_cursor)?;
        before = None;
        skip = 0;
    }
    Ok((found, None))
}

async fn ids_of(
    ctx: &Context,
    org: OrgId,
    entry: TimelineEntry,
) -> Result<Vec<MessageId>, Problem> {
    match entry {
        TimelineEntry::Message(id) => Ok(vec![id]),
        TimelineEntry::Page { import, page } => {
            let page = ctx.store.page(org, import, page).await?.unwrap_or_default();
            let doubles = page.sealed.unwrap_or_default();
            let is_double = |place: usize| doubles.iter().any(|d| usize::try_from(*d) == Ok(place));
            let own = page.entries.iter().enumerate().filter(|(place, _)| !is_double(*place));
            Ok(own.map(|(_, e)| e.message).collect())
        }
    }
}

pub use carillon_store::keys::month_before as previous;

/// What the caller wants to see.
#[derive(Default)]
struct Filter {
    /// Set when the list is of one number.
    number: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    status: Option<Status>,
    channel: Option<Channel>,
    direction: Option<Direction>,
    provider: Option<ProviderName>,
    error_code: Option<String>,
    template: Option<String>,
    related_type: Option<String>,
    related_id: Option<String>,
    created_by: Option<String>,
    import_id: Option<String>,
    text: Option<String>,
    campaign: Option<CampaignId>,
    /// Two things that no message has both: nothing matches.
    nothing: bool,
}

impl Filter {
    fn of(query: &Query) -> Self {
        let number =
            |text: &str| PhoneNumber::parse(text, None).ok().map(|n| n.as_str().to_owned());
        let (number_of_to, to) = match &query.to {
            Some(Until::Number(number)) => (Some(number.clone()), None),
            Some(Until::Moment(moment)) => (None, Some(moment.end())),
            None => (None, None),
        };
        let searched = query.q.as_deref().and_then(number);
        let text = query.q.as_ref().filter(|_| searched.is_none()).map(|q| q.to_lowercase());
        let related =
            |kind: &str, id: &Option<String>| id.as_ref().map(|id| (kind.to_owned(), id.clone()));
        let booking = related("booking", &query.booking_id);
        let workshop = related("workshop", &query.workshop_id);
        let both = booking.is_some() && workshop.is_some();
        let subject = booking.or(workshop);
        Self {
            number: number_of_to.or(searched),
            from: query.from.map(|moment| moment.start()),
            to,
            status: query.status,
            channel: query.channel,
            direction: query.direction,
            provider: query.provider,
            error_code: query.error_code.clone(),
            template: query.template.clone(),
            related_type: query
                .related_type
                .clone()
                .or_else(|| subject.as_ref().map(|s| s.0.clone())),
            related_id: query.related_id.clone().or_else(|| subject.map(|s| s.1)),
            created_by: query.created_by.clone(),
            import_id: query.import_id.clone(),
            text,
            campaign: query.campaign_id,
            // A message is related to one thing.
            nothing: both,
        }
    }

    fn takes(&self, m: &Message, now: Timestamp) -> bool {
        let same = |wanted: &Option<String>, is: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| is == Some(wanted))
        };
        let code = match &m.state {
            MessageState::Failed { failure, .. } => Some(failure.code.as_str()),
            _ => None,
        };
        let import = match &m.source {
            carillon_domain::message::Source::Import { id, .. } => Some(id.to_string()),
            carillon_domain::message::Source::Single
            | carillon_domain::message::Source::Person
            | carillon_domain::message::Source::Answer { .. } => None,
        };
        let template = m.content.template.as_ref();
        !self.nothing
            && self.status.is_none_or(|s| s == m.status(now))
            && self.channel.is_none_or(|c| c == m.channel)
            && self.direction.is_none_or(|d| d == m.direction)
            && self.campaign.is_none_or(|c| Some(c) == m.campaign)
            && self.provider.is_none_or(|p| Some(p) == m.provider)
            && self.from.is_none_or(|from| m.created_at >= from)
            && self.to.is_none_or(|to| m.created_at <= to)
            && same(&self.error_code, code)
            && same(&self.related_type, m.related.as_ref().map(|r| r.kind.as_str()))
            && same(&self.related_id, m.related.as_ref().map(|r| r.id.as_str()))
            && same(&self.created_by, Some(&m.created_by))
            && same(&self.import_id, import.as_deref())
            && self.template.as_deref().is_none_or(|wanted| {
                template.is_some_and(|t| t.key == wanted || t.id.to_string() == wanted)
            })
            && self.text.as_deref().is_none_or(|text| {
                m.content.body.to_lowercase().contains(text) || m.address.contains(text)
            })
    }
}
