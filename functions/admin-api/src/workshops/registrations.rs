//! `/v1/workshops/{id}/registrations`: who comes. A contact is registered once;
//! who leaves and joins again has another number, and the messages still ahead.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use carillon_domain::workshop::{Left, MAX_REGISTRATIONS, Registration, Why, Workshop};
use carillon_domain::{Contact, ContactId, WorkshopId};
use carillon_runtime::broadcast::withdraw;
use carillon_runtime::{Context, random};
use carillon_store::{StoreError, TOGETHER};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ROUNDS, found};
use crate::answers::Json;
use crate::auth::Caller;
use crate::extract::{self, Id, Params};
use crate::lists::{self, Page, PageQuery};
use crate::problem::{FieldError, Problem};
use crate::view::workshop::Registration as Shown;

/// Contacts in one request.
const MOST: usize = 500;

/// Whom it is about.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Registrants", example = example())]
pub struct Request {
    #[schemars(with = "Vec<ContactId>", length(min = 1, max = MOST))]
    contact_ids: Vec<String>,
}

fn example() -> Value {
    json!({"contact_ids": ["con_0000000000000000"]})
}

/// What came of it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Registered")]
pub struct Answer {
    /// So many were not registered before.
    pub registered: usize,
    pub already_registered: usize,
    /// Everybody that was named, once.
    pub data: Vec<Place>,
}

/// Somebody's place in a workshop.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RegistrationPlace")]
pub struct Place {
    pub contact_id: ContactId,
    /// Unlike that of anybody else, and of an earlier registration.
    pub number: u32,
}

/// `POST /v1/workshops/{id}/registrations`: registers contacts. What is already
/// registered stays so; who joins while sequences run gets the steps still ahead.
pub async fn add(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<WorkshopId>,
    extract::Json { value, .. }: extract::Json<Request>,
) -> Result<Json<Answer>, Problem> {
    found(&ctx, &caller, id).await?;
    let ids = contacts_of(&ctx, &caller, &value).await?;
    Ok(Json(register(&ctx, &caller, id, &ids).await?))
}

/// Registers contacts that exist.
///
/// # Errors
/// 404 when the workshop is gone, 409 when it is full.
pub async fn register(
    ctx: &Context,
    caller: &Caller,
    id: WorkshopId,
    ids: &[ContactId],
) -> Result<Answer, Problem> {
    let mut answer =
        Answer { registered: 0, already_registered: 0, data: Vec::with_capacity(ids.len()) };
    for part in ids.chunks(TOGETHER) {
        let (new, places) = register_part(ctx, caller, id, part).await?;
        answer.registered += new;
        answer.already_registered += part.len() - new;
        answer.data.extend(part.iter().filter_map(|contact_id| {
            Some(Place { contact_id: *contact_id, number: *places.get(contact_id)? })
        }));
    }
    Ok(answer)
}

async fn register_part(
    ctx: &Context,
    caller: &Caller,
    id: WorkshopId,
    ids: &[ContactId],
) -> Result<(usize, HashMap<ContactId, u32>), Problem> {
    let now = ctx.clock.now();
    for _ in 0..ROUNDS {
        let mut w = found(ctx, caller, id).await?;
        let places = ctx.store.places(caller.org, id, ids).await?;
        let mut numbers: HashMap<ContactId, u32> =
            places.iter().filter(|(_, p)| p.is_active).map(|(c, p)| (*c, p.number)).collect();
        let new: Vec<Registration> = ids
            .iter()
            .filter(|contact| !numbers.contains_key(contact))
            .map(|contact| w.register(*contact, now))
            .collect();
        if new.is_empty() {
            return Ok((0, numbers));
        }
        if w.registrations > MAX_REGISTRATIONS {
            let detail = format!("A workshop gives {MAX_REGISTRATIONS} numbers to registrations.");
            return Err(Problem::conflict("workshop_full", detail));
        }
        numbers.extend(new.iter().map(|r| (r.contact, r.number)));
        touch(&mut w, now);
        if ctx.store.save_registrations(&mut w, &new, &random::token()).await? {
            return Ok((new.len(), numbers));
        }
    }
    Err(StoreError::Contended("a workshop").into())
}

/// What came of leaving.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Unregistered")]
pub struct Gone {
    pub left: usize,
    pub not_registered: usize,
}

/// `DELETE /v1/workshops/{id}/registrations`: these contacts do not come; what is
/// pending for them is withdrawn.
pub async fn remove(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<WorkshopId>,
    extract::Json { value, .. }: extract::Json<Request>,
) -> Result<Json<Gone>, Problem> {
    found(&ctx, &caller, id).await?;
    let ids = ids_of(&value)?;
    let mut left = 0;
    for part in ids.chunks(TOGETHER) {
        left += leave_part(&ctx, &caller, id, part).await?;
    }
    Ok(Json(Gone { left, not_registered: ids.len() - left }))
}

async fn leave_part(
    ctx: &Context,
    caller: &Caller,
    id: WorkshopId,
    ids: &[ContactId],
) -> Result<usize, Problem> {
    let now = ctx.clock.now();
    for _ in 0..ROUNDS {
        let mut w = found(ctx, caller, id).await?;
        let places = ctx.store.places(caller.org, id, ids).await?;
        let mut gone = Vec::new();
        for place in places.values().filter(|p| p.is_active) {
            if let Some(r) = ctx.store.registration(caller.org, id, place.number).await? {
                gone.push(Registration { left: Some(Left { at: now, why: Why::Left }), ..r });
            }
        }
        if gone.is_empty() {
            return Ok(0);
        }
        w.touch(now);
        if ctx.store.save_registrations(&mut w, &gone, &random::token()).await? {
            let numbers: Vec<_> = gone.iter().map(|r| r.number).collect();
            withdraw_now(ctx, &w, &numbers).await;
            return Ok(gone.len());
        }
    }
    Err(StoreError::Contended("a workshop").into())
}

/// At once what can be; the reconciler does the rest, and all of it if this is
/// cut off.
async fn withdraw_now(ctx: &Context, w: &Workshop, numbers: &[u32]) {
    for number in numbers {
        if let Err(error) = withdraw::registration(ctx, w, *number).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "left for the reconciler");
            return;
        }
    }
}

/// A contact's number was changed: what is pending for him is planned anew for
/// the new one, under another number of the workshop.
///
/// # Errors
/// When the table does not answer. To be repeated: what was done is found.
pub async fn number_changed(
    ctx: &Context,
    caller: &Caller,
    contact: &Contact,
) -> Result<(), Problem> {
    let mut after = None;
    loop {
        let page = ctx.store.workshops_of(caller.org, contact.id, after, 50).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(*last);
        for (id, place) in page {
            if place.is_active {
                join_anew(ctx, caller, id, contact.id).await?;
            }
        }
    }
}

async fn join_anew(
    ctx: &Context,
    caller: &Caller,
    id: WorkshopId,
    contact: ContactId,
) -> Result<(), Problem> {
    let now = ctx.clock.now();
    for _ in 0..ROUNDS {
        let Some(mut w) = ctx.store.workshop(caller.org, id).await? else { return Ok(()) };
        if w.deleted_at.is_some() || w.campaigns.is_empty() {
            // Nothing was planned: the number is read when something is.
            return Ok(());
        }
        let place = ctx.store.places(caller.org, id, &[contact]).await?.remove(&contact);
        let Some(place) = place.filter(|p| p.is_active) else { return Ok(()) };
        let before = ctx.store.registration(caller.org, id, place.number).await?;
        let Some(before) = before else { return Ok(()) };
        let number = before.number;
        let left = Some(Left { at: now, why: Why::NumberChanged });
        let changed = [Registration { left, ..before }, w.register(contact, now)];
        w.touch(now);
        if ctx.store.save_registrations(&mut w, &changed, &random::token()).await? {
            withdraw_now(ctx, &w, &[number]).await;
            return Ok(());
        }
    }
    Err(StoreError::Contended("a workshop").into())
}

/// `GET /v1/workshops/{id}/registrations`: who is registered, in the order in
/// which they came.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<WorkshopId>,
    params: Params<PageQuery>,
) -> Result<Json<Page<Shown>>, Problem> {
    let w = found(&ctx, &caller, id).await?;
    let limit = lists::limit(&params);
    let mut next = match lists::cursor(&params)?.as_deref() {
        None => 1,
        Some([number]) => number.parse().map_err(|_| lists::invalid_cursor())?,
        Some(_) => return Err(lists::invalid_cursor()),
    };
    let mut data = Vec::new();
    while data.len() < limit && next <= w.registrations {
        let span = (next, w.registrations);
        let part = ctx.store.registrations(caller.org, id, span, lists::wanted(limit)).await?;
        let Some(last) = part.last() else { break };
        next = last.number + 1;
        for r in part.iter().filter(|r| r.is_active()) {
            if data.len() == limit {
                next = r.number;
                break;
            }
            data.push(Shown::of(r));
        }
    }
    let place = (next <= w.registrations && data.len() == limit).then(|| [next.to_string()]);
    Ok(Json(Page::of(&params, data, place.as_ref().map(<[String; 1]>::as_slice))))
}

/// What is running plans for whoever is new.
fn touch(w: &mut Workshop, now: jiff::Timestamp) {
    if !w.campaigns.is_empty() {
        w.touch(now);
    }
}

fn ids_of(request: &Request) -> Result<Vec<ContactId>, Problem> {
    let ids = &request.contact_ids;
    if ids.is_empty() || ids.len() > MOST {
        let detail = format!("Name 1 to {MOST} contacts; send more in further requests.");
        return Err(Problem::field("contact_ids", "invalid_value", detail));
    }
    let mut read = Vec::with_capacity(ids.len());
    let mut wrong = Vec::new();
    for (place, id) in ids.iter().enumerate() {
        match id.parse::<ContactId>() {
            Ok(id) if read.contains(&id) => {}
            Ok(id) => read.push(id),
            Err(_) => wrong.push(unknown(place)),
        }
    }
    if wrong.is_empty() { Ok(read) } else { Err(Problem::fields(wrong)) }
}

/// The contacts, as those that they are part of now; each once.
async fn contacts_of(
    ctx: &Context,
    caller: &Caller,
    request: &Request,
) -> Result<Vec<ContactId>, Problem> {
    let ids = ids_of(request)?;
    let contacts = ctx.store.contacts(caller.org, &ids, true).await?;
    let mut found = Vec::with_capacity(ids.len());
    let mut wrong = Vec::new();
    for (place, id) in ids.iter().enumerate() {
        match contacts.get(id) {
            Some(contact) if found.contains(&contact.id) => {}
            Some(contact) => found.push(contact.id),
            None => wrong.push(unknown(place)),
        }
    }
    if wrong.is_empty() { Ok(found) } else { Err(Problem::fields(wrong)) }
}

fn unknown(place: usize) -> FieldError {
    let detail = "There is no such contact in this organization; nobody was registered.";
    FieldError::new(format!("contact_ids[{place}]"), "unknown_contact", detail)
}
