//! `GET /v1/contacts/{id}/timeline`: what there was with a person, newest first:
//! messages in and out, and what stands of what the person said. Each page is read
//! from the person's own partitions, however much others have.

use std::sync::Arc;

use axum::extract::State;
use carillon_domain::{BookingId, ContactId, MessageId, OrgId, WorkshopId};
use carillon_runtime::Context;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::found;
use crate::answers::Json;
use crate::auth::Caller;
use crate::extract::{Id, Params};
use crate::lists::{self, Page, PageQuery};
use crate::messages::list::newest;
use crate::problem::Problem;
use crate::view;

/// Workshops of a person that are told of.
const WORKSHOPS: i32 = 200;

/// Something that there was with a person.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TimelineEntry")]
pub struct Entry {
    at: Timestamp,
    #[serde(flatten)]
    what: What,
}

/// What it was.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "type")]
enum What {
    Message {
        message: Box<view::message::Message>,
    },
    Consent {
        consent: view::consent::Consent,
    },
    Suppression {
        suppression: view::suppression::Suppression,
    },
    /// A session was booked.
    Booking {
        booking_id: BookingId,
        starts_at: Timestamp,
        coach_name: String,
        status: carillon_domain::booking::BookingStatus,
    },
    /// For a workshop; or it is over, and when.
    Registration {
        workshop_id: WorkshopId,
        left_at: Option<Timestamp>,
    },
    /// The contact was stored.
    Created {
        created_by: String,
    },
}

/// `GET /v1/contacts/{id}/timeline`: what there was with a person, newest first.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<ContactId>,
    params: Params<PageQuery>,
) -> Result<Json<Page<Entry>>, Problem> {
    let contact = found(&ctx, &caller, id).await?;
    let limit = lists::limit(&params);
    // Before which moment, and of the messages before which one, it goes on.
    let (shown, before) = place(lists::cursor(&params)?)?;
    let addresses: Vec<String> = contact.phones().map(|p| p.as_str().to_owned()).collect();
    let ids = newest(&ctx, caller.org, &addresses, before, lists::wanted(limit)).await?;
    let mut entries = Vec::new();
    let now = ctx.clock.now();
    for message in ctx.store.messages(caller.org, &ids, false, true).await? {
        let at = at_of(message.id).unwrap_or(message.created_at);
        let shown = view::message::Message::of(&message, now);
        entries.push((at, Some(message.id), What::Message { message: Box::new(shown) }));
    }
    // Messages older than these are on the next page, and so is what lies between.
    let end = ids.last().filter(|_| ids.len() == limit).and_then(|id| at_of(*id));
    let mut others = said(&ctx, caller.org, &addresses).await?;
    others.extend(registrations(&ctx, caller.org, id).await?);
    let created = What::Created { created_by: contact.created_by.clone() };
    let bookings = ctx.store.bookings_of(caller.org, id).await?.into_iter().map(|b| {
        let (booking_id, status) = (b.id, b.status());
        let (starts_at, coach_name) = (b.starts_at, b.coach_name);
        (b.created_at, What::Booking { booking_id, starts_at, coach_name, status })
    });
    let others = others.into_iter().chain(bookings).chain([(contact.created_at, created)]);
    entries.extend(others.map(|(at, what)| (at, None, what)));
    entries.retain(|(at, message, _)| {
        let is_new = message.is_some() || shown.is_none_or(|shown| *at < shown);
        is_new && end.is_none_or(|end| *at >= end)
    });
    entries
        .sort_by_key(|(at, message, _)| std::cmp::Reverse((*at, message.map(|id| id.sort_part()))));
    let mut cut = limit.min(entries.len());
    // What was at the same moment stays together, behind the messages of it.
    while cut < entries.len() && entries[cut].1.is_none() && entries[cut].0 == entries[cut - 1].0 {
        cut += 1;
    }
    let is_more = end.is_some() || entries.len() > cut;
    entries.truncate(cut);
    let last = entries.iter().rev().find_map(|(_, message, _)| *message).or(before);
    let until = entries.last().map(|(at, message, _)| {
        // Behind a message there may be something else of its moment.
        at.as_millisecond() + i64::from(message.is_some())
    });
    let next = until.filter(|_| is_more).map(|until| {
        let last = last.map(|id| id.to_string()).unwrap_or_default();
        [until.to_string(), last]
    });
    let data = entries.into_iter().map(|(at, _, what)| Entry { at, what }).collect();
    Ok(Json(Page::of(&params, data, next.as_ref().map(<[String; 2]>::as_slice))))
}

fn place(cursor: Option<Vec<String>>) -> Result<(Option<Timestamp>, Option<MessageId>), Problem> {
    let Some(parts) = cursor else { return Ok((None, None)) };
    let [until, last] = <[String; 2]>::try_from(parts).map_err(|_| lists::invalid_cursor())?;
    let until = until.parse().ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let last = match last.is_empty() {
        true => None,
        false => Some(last.parse().map_err(|_| lists::invalid_cursor())?),
    };
    Ok((until, last))
}

/// The time in a message's id, by which its list is sorted.
fn at_of(id: MessageId) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(id.at_ms()).ok()?).ok()
}

/// The workshops that the person was ever registered for, as it stands.
async fn registrations(
    ctx: &Context,
    org: OrgId,
    id: ContactId,
) -> Result<Vec<(Timestamp, What)>, Problem> {
    let mut found = Vec::new();
    for (workshop_id, place) in ctx.store.workshops_of(org, id, None, WORKSHOPS).await? {
        if let Some(r) = ctx.store.registration(org, workshop_id, place.number).await? {
            let left_at = r.left.map(|left| left.at);
            found.push((r.at, What::Registration { workshop_id, left_at }));
        }
    }
    Ok(found)
}

/// What stands of what the person said: a few rows of each number.
async fn said(
    ctx: &Context,
    org: OrgId,
    addresses: &[String],
) -> Result<Vec<(Timestamp, What)>, Problem> {
    let mut found = Vec::new();
    for address in addresses {
        let key = ctx.address_key(org, address).await?;
        for (_, rows) in ctx.store.all_gates_of(org, key).await? {
            found.extend(rows.suppression.iter().map(|s| {
                let suppression = view::suppression::Suppression::of(s);
                (s.at, What::Suppression { suppression })
            }));
            found.extend(rows.consents.iter().map(|c| {
                (c.at, What::Consent { consent: view::consent::Consent::of(address, c) })
            }));
        }
    }
    Ok(found)
}
