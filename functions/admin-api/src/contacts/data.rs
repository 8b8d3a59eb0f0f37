//! `/v1/contacts/{id}/data`: all that is stored about a person who is a contact,
//! to be handed out or forgotten. What is stored by number is the work of
//! `/v1/people`; this adds the contact.

use std::sync::Arc;

use axum::extract::State;
use carillon_domain::erasure::Stage;
use carillon_domain::{ContactId, ListId, MessageId};
use carillon_runtime::{Context, person};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{MOST_LISTS, found, shown};
use crate::answers::{Accepted, Json};
use crate::auth::Caller;
use crate::bookings;
use crate::extract::{Id, Params};
use crate::lists::{self, Page, PageQuery};
use crate::messages::list::newest;
use crate::people::{PersonErasure, WORK};
use crate::problem::Problem;
use crate::view;

/// A page of what is stored about a contact.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ContactExport {
    /// With what the person agreed to.
    contact: view::contact::Contact,
    exported_at: Timestamp,
    /// The lists that the contact is in.
    lists: Vec<ListId>,
    /// Sessions, and what the person said of them.
    bookings: Vec<view::booking::Booking>,
    /// What keeps us from writing to the person.
    suppressions: Vec<view::suppression::Suppression>,
    /// In and out, newest first, each with its attempts, events and decisions.
    messages: Vec<view::message::Message>,
    /// For `?cursor=`; null on the last page.
    next_cursor: Option<String>,
}

/// A contact that is forgotten.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ContactErasure {
    id: ContactId,
    /// Of each of the contact's numbers. What this request did not get done is
    /// done without another one.
    numbers: Vec<PersonErasure>,
}

/// `GET /v1/contacts/{id}/data`: all that is stored about a contact, page by page.
pub async fn export(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<ContactId>,
    params: Params<PageQuery>,
) -> Result<Json<ContactExport>, Problem> {
    let contact = found(&ctx, &caller, id).await?;
    let (limit, before) = lists::by_id::<MessageId>(&params)?;
    let now = ctx.clock.now();
    let addresses: Vec<String> = contact.phones().map(|p| p.as_str().to_owned()).collect();
    let ids = newest(&ctx, caller.org, &addresses, before, lists::wanted(limit)).await?;
    let messages = ctx.store.messages(caller.org, &ids, true, true).await?;
    let messages = messages.iter().map(|m| view::message::Message::of(m, now)).collect();
    let last = ids.last().filter(|_| ids.len() == limit);
    let page = Page::by_id(&params, messages, last);
    let mut suppressions = Vec::new();
    for address in &addresses {
        let key = ctx.address_key(caller.org, address).await?;
        let gates = ctx.store.all_gates_of(caller.org, key).await?;
        let found = gates.iter().filter_map(|(_, rows)| rows.suppression.as_ref());
        suppressions.extend(found.map(view::suppression::Suppression::of));
    }
    Ok(Json(ContactExport {
        contact: shown(&ctx, &contact).await?,
        exported_at: now,
        lists: ctx.store.lists_of(caller.org, id, MOST_LISTS).await?,
        bookings: bookings::of_client(&ctx, &caller, id).await?,
        suppressions,
        messages: page.data,
        next_cursor: page.next_cursor,
    }))
}

/// `DELETE /v1/contacts/{id}/data`: forgets a contact: the contact itself, and what
/// is stored by its numbers.
pub async fn erase(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<ContactId>,
) -> Result<Accepted<ContactErasure>, Problem> {
    let contact = found(&ctx, &caller, id).await?;
    let deadline = ctx.clock.now() + WORK;
    let mut numbers = Vec::new();
    for phone in contact.phones() {
        let key = ctx.address_key(caller.org, phone.as_str()).await?;
        // From here on it is done, whoever does it.
        numbers.push(person::ask(&ctx, caller.org, key, &caller.id).await?);
    }
    let mut begun = Vec::new();
    for erasure in numbers {
        begun.push(match erasure.stage {
            Stage::Messages | Stage::Texts | Stage::Gates => {
                person::go_on(&ctx, erasure, deadline).await?
            }
            Stage::Files | Stage::Done => erasure,
        });
    }
    // Who has no number is known by the contact alone.
    person::forget_contact(&ctx, caller.org, id, None).await?;
    let numbers = begun.into_iter().map(PersonErasure::from).collect();
    Ok(Accepted(ContactErasure { id, numbers }))
}
