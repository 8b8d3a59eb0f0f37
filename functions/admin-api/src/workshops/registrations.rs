//! `/v1/workshops/{id}/registrations`: who comes. A contact is registered once;
//! who leaves and joins again has another number, and the messages still ahead.

use std::sync::Arc;

use axum::extract::State;
use carillon_domain::workshop::MAX_REGISTRATIONS;
use carillon_domain::{AddressKey, ContactId, WorkshopId};
use carillon_runtime::Context;
use carillon_runtime::broadcast::join::{self, Joined};
use carillon_store::TOGETHER;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::found;
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
    let people = people_of(&ctx, &caller, &value).await?;
    Ok(Json(register(&ctx, &caller, id, &people).await?))
}

/// Contacts in the order in which they are registered, each with the key of the
/// number that they have now.
type People = Vec<(ContactId, Option<AddressKey>)>;

async fn register(
    ctx: &Context,
    caller: &Caller,
    id: WorkshopId,
    people: &People,
) -> Result<Answer, Problem> {
    let mut answer =
        Answer { registered: 0, already_registered: 0, data: Vec::with_capacity(people.len()) };
    for part in people.chunks(TOGETHER) {
        let registered = join::register(ctx, (caller.org, id), part).await?;
        let (new, numbers) = match registered {
            Joined::Done { new, numbers } => (new, numbers),
            Joined::Gone => return Err(Problem::not_found("workshop")),
            Joined::Full => {
                let detail =
                    format!("A workshop gives {MAX_REGISTRATIONS} numbers to registrations.");
                return Err(Problem::conflict("workshop_full", detail));
            }
        };
        answer.registered += new;
        answer.already_registered += part.len() - new;
        answer.data.extend(part.iter().filter_map(|(contact_id, _)| {
            Some(Place { contact_id: *contact_id, number: *numbers.get(contact_id)? })
        }));
    }
    Ok(answer)
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
        let gone = join::leave(&ctx, (caller.org, id), part).await?;
        left += gone.ok_or_else(|| Problem::not_found("workshop"))?;
    }
    Ok(Json(Gone { left, not_registered: ids.len() - left }))
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
async fn people_of(ctx: &Context, caller: &Caller, request: &Request) -> Result<People, Problem> {
    let ids = ids_of(request)?;
    let contacts = ctx.store.contacts(caller.org, &ids, true).await?;
    let mut found = People::with_capacity(ids.len());
    let mut wrong = Vec::new();
    for (place, id) in ids.iter().enumerate() {
        match contacts.get(id) {
            Some(contact) if found.iter().any(|(id, _)| *id == contact.id) => {}
            Some(contact) => found.push((contact.id, join::address(ctx, contact).await?)),
            None => wrong.push(unknown(place)),
        }
    }
    if wrong.is_empty() { Ok(found) } else { Err(Problem::fields(wrong)) }
}

fn unknown(place: usize) -> FieldError {
    let detail = "There is no such contact in this organization; nobody was registered.";
    FieldError::new(format!("contact_ids[{place}]"), "unknown_contact", detail)
}
