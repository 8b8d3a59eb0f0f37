//! `/v1/contacts`: people who may get messages.

pub mod data;
pub mod export;
pub mod fields;
pub mod import;
pub mod labels;
pub mod list;
pub mod merge;
pub mod timeline;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use carillon_domain::consent::Consent;
use carillon_domain::{Contact, ContactId};
use carillon_runtime::broadcast::join;
use carillon_runtime::{Context, booking, random};
use carillon_store::{ContactDeleted, ContactSaved, FoundContact, StoreError};

use crate::answers::{Created, NoContent};
use crate::audit::note;
use crate::auth::Caller;
use crate::bookings;
use crate::etag::{Tag, Tagged};
use crate::extract::{Id, Json};
use crate::idempotency;
use crate::problem::Problem;
use crate::view::contact::Contact as Shown;

/// How often a change that met another is tried again.
const ROUNDS: usize = 20;
/// Lists that a deleted contact is taken from.
const MOST_LISTS: i32 = 1_000;

/// `POST /v1/contacts`: stores a person. A number, and an external id, belong to
/// one contact.
pub async fn create(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    headers: HeaderMap,
    Json { value: fields::New(body), raw }: Json<fields::New>,
) -> Result<Created<Shown>, Problem> {
    let once = idempotency::key(&headers, None)?;
    let now = ctx.clock.now();
    let id = match &once {
        // The repeat of a request that was cut off finds what that one had made.
        Some(once) => ContactId::from_hash(&[caller.org.as_bytes(), once.as_bytes(), &raw]),
        None => ContactId::from_bytes(random::bytes()),
    };
    let mut contact = Contact::new(id, caller.org, &caller.id, now);
    let settings = ctx.store.settings(caller.org).await?;
    let said = body.apply(&mut contact, &settings, now)?;
    let secret = ctx.address_secret().await?;
    let saved = ctx.store.save_contact(&secret, None, &mut contact, &random::token()).await?;
    let contact = match saved {
        ContactSaved::Done => contact,
        ContactSaved::Changed(Some(own)) if once.is_some() => *own,
        ContactSaved::Changed(_) => return Err(StoreError::Contended("a contact").into()),
        taken => return Err(is_taken(taken)),
    };
    record(&ctx, &contact, &said).await?;
    Ok(Created(shown(&ctx, &contact).await?))
}

/// `GET /v1/contacts/{id}`: a person, with what he agreed to.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<ContactId>,
) -> Result<Tagged<Shown>, Problem> {
    let contact = found(&ctx, &caller, id).await?;
    Ok(Tagged(tag(&contact), shown(&ctx, &contact).await?))
}

/// `PATCH /v1/contacts/{id}`: changes some fields.
pub async fn update(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<ContactId>,
    headers: HeaderMap,
    Json { value: fields::Patch(body), .. }: Json<fields::Patch>,
) -> Result<Tagged<Shown>, Problem> {
    let settings = ctx.store.settings(caller.org).await?;
    let now = ctx.clock.now();
    let mut said = Vec::new();
    let contact = change(&ctx, &caller, id, |contact| {
        tag(contact).check(&headers)?;
        said = body.clone().apply(contact, &settings, now)?;
        Ok(())
    })
    .await?;
    // Also for who repeats a request that was cut off here.
    carillon_runtime::contact::changed(&ctx, &contact).await?;
    record(&ctx, &contact, &said).await?;
    Ok(Tagged(tag(&contact), shown(&ctx, &contact).await?))
}

/// `DELETE /v1/contacts/{id}`: takes a person off the books. Messages stay; to
/// forget a person, `DELETE /v1/contacts/{id}/data`.
pub async fn remove(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<ContactId>,
) -> Result<NoContent, Problem> {
    let secret = ctx.address_secret().await?;
    for _ in 0..ROUNDS {
        let contact = found(&ctx, &caller, id).await?;
        note::before(&Shown::of(&contact));
        join::leave_all(&ctx, &contact).await?;
        for list in ctx.store.lists_of(caller.org, id, MOST_LISTS).await? {
            ctx.store.take_from_list(caller.org, list, &[id], ctx.clock.now()).await?;
        }
        let woken = booking::client_changes(&ctx, caller.org, id).await?;
        if ctx.store.delete_contact(&secret, &contact).await? == ContactDeleted::Done {
            bookings::client_changed(&ctx, caller.org, woken).await;
            return Ok(NoContent);
        }
    }
    Err(StoreError::Contended("a contact").into())
}

/// Reads a contact, changes it, and stores it if that made a difference; from
/// the beginning when somebody else was first.
pub async fn change(
    ctx: &Context,
    caller: &Caller,
    id: ContactId,
    mut apply: impl FnMut(&mut Contact) -> Result<(), Problem>,
) -> Result<Contact, Problem> {
    let secret = ctx.address_secret().await?;
    for _ in 0..ROUNDS {
        let before = found(ctx, caller, id).await?;
        note::before(&Shown::of(&before));
        let mut after = before.clone();
        apply(&mut after)?;
        if after.says_the_same(&before) {
            return Ok(before);
        }
        after.updated_at = ctx.clock.now();
        let token = random::token();
        if after.phone != before.phone {
            booking::client_changes(ctx, caller.org, id).await?;
        }
        match ctx.store.save_contact(&secret, Some(&before), &mut after, &token).await? {
            ContactSaved::Done => return Ok(after),
            ContactSaved::Changed(_) => {}
            taken => return Err(is_taken(taken)),
        }
    }
    Err(StoreError::Contended("a contact").into())
}

/// # Errors
/// 404; it says so when the contact is part of another.
pub async fn found(ctx: &Context, caller: &Caller, id: ContactId) -> Result<Contact, Problem> {
    match ctx.store.contact(caller.org, id).await? {
        Some(FoundContact::Contact(contact)) => Ok(*contact),
        Some(FoundContact::MergedInto(other)) => {
            let detail = format!("This contact was merged into {other}; use that id.");
            Err(Problem::new(StatusCode::NOT_FOUND, "contact_merged", detail))
        }
        None => Err(Problem::not_found("contact")),
    }
}

fn is_taken(saved: ContactSaved) -> Problem {
    let (field, what, id) = match saved {
        ContactSaved::PhoneTaken(id) => ("phone", "number", id),
        ContactSaved::ExternalIdTaken(id) => ("external_id", "external id", id),
        ContactSaved::Done | ContactSaved::Changed(_) => {
            return StoreError::Contended("a contact").into();
        }
    };
    let detail = format!("The contact {id} has this {what}; PATCH that one, or merge the two.");
    Problem::conflict("contact_exists", detail).of_field(field)
}

fn tag(c: &Contact) -> Tag {
    Tag::of(&(c.id, c.version))
}

/// Keeps what the person said. What was said later stays.
async fn record(ctx: &Context, c: &Contact, said: &[Consent]) -> Result<(), Problem> {
    let Some(phone) = c.phone.as_ref().filter(|_| !said.is_empty()) else { return Ok(()) };
    let key = ctx.address_key(c.org, phone.as_str()).await?;
    for consent in said {
        ctx.store.put_consent(c.org, key, phone.as_str(), consent).await?;
    }
    Ok(())
}

/// With what the person agreed to, as of now.
async fn shown(ctx: &Context, c: &Contact) -> Result<Shown, Problem> {
    let Some(phone) = &c.phone else { return Ok(Shown::with_consents(c, &[])) };
    let key = ctx.address_key(c.org, phone.as_str()).await?;
    let gates = ctx.store.all_gates_of(c.org, key).await?;
    let consents: Vec<_> = gates.into_iter().flat_map(|(_, rows)| rows.consents).collect();
    Ok(Shown::with_consents(c, &consents))
}
