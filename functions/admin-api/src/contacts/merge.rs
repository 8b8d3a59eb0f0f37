//! `POST /v1/contacts/{id}/merge`: two contacts are one person. Memberships of
//! lists and places in workshops move first, each by itself; then, all or none, the fields, the numbers
//! and the other's id, which from then on leads here. A repeat after a crash does
//! what is left, and one after the end answers the same.

use std::sync::Arc;

use axum::extract::State;
use carillon_domain::{Contact, ContactId, OrgId};
use carillon_runtime::broadcast::merge as workshops;
use carillon_runtime::{Context, booking, random};
use carillon_store::{ContactSaved, FoundContact, ListChanged, StoreError};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ROUNDS, found, shown};
use crate::answers::Json;
use crate::audit::note;
use crate::auth::Caller;
use crate::extract::{self, Id};
use crate::problem::Problem;
use crate::view::contact::Contact as Shown;

/// Lists that move with a contact.
const MOST_LISTS: i32 = 1_000;

/// Who is the same person.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ContactMerge", example = example())]
pub struct Merge {
    /// The contact that becomes part of this one. Its id answers 404 from then
    /// on, and names this one.
    #[schemars(with = "ContactId")]
    contact_id: String,
}

fn example() -> Value {
    json!({"contact_id": ContactId::from_hash(&[b"duplicate"])})
}

/// `POST /v1/contacts/{id}/merge`: makes another contact part of this one. What
/// this one has stays; what it lacks it gets from the other, with its labels,
/// lists and numbers.
pub async fn merge(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<ContactId>,
    extract::Json { value, .. }: extract::Json<Merge>,
) -> Result<Json<Shown>, Problem> {
    let unknown = || {
        let detail = "There is no such contact in this organization; check the id.";
        Problem::field("contact_id", "unknown_contact", detail)
    };
    let other_id: ContactId = value.contact_id.parse().map_err(|_| unknown())?;
    if other_id == id {
        let detail = "A contact cannot be merged into itself; name another.";
        return Err(Problem::field("contact_id", "same_contact", detail));
    }
    let secret = ctx.address_secret().await?;
    for _ in 0..ROUNDS {
        let before = found(&ctx, &caller, id).await?;
        note::before(&Shown::of(&before));
        let other = match ctx.store.contact(caller.org, other_id).await? {
            Some(FoundContact::Contact(other)) => *other,
            Some(FoundContact::MergedInto(into)) if into == id => {
                workshops::places(&ctx, caller.org, other_id, id).await?;
                carillon_runtime::contact::changed(&ctx, &before).await?;
                return Ok(Json(shown(&ctx, &before).await?));
            }
            Some(FoundContact::MergedInto(_)) | None => return Err(unknown()),
        };
        let mut after: Contact = before.clone();
        after
            .absorb(&other)
            .map_err(|e| Problem::conflict(e.code(), format!("{e} Take some away first.")))?;
        after.updated_at = ctx.clock.now();
        move_lists(&ctx, caller.org, other_id, id).await?;
        booking::client_merges(&ctx, caller.org, other_id, id).await?;
        workshops::places(&ctx, caller.org, other_id, id).await?;
        let both = (&before, &other);
        let token = random::token();
        let merged = ctx.store.merge_contacts(&secret, both, &mut after, &token).await?;
        if merged == ContactSaved::Done {
            carillon_runtime::contact::changed(&ctx, &after).await?;
            return Ok(Json(shown(&ctx, &after).await?));
        }
    }
    Err(StoreError::Contended("a contact").into())
}

async fn move_lists(
    ctx: &Context,
    org: OrgId,
    from: ContactId,
    to: ContactId,
) -> Result<(), Problem> {
    let now = ctx.clock.now();
    for list in ctx.store.lists_of(org, from, MOST_LISTS).await? {
        if ctx.store.add_to_list(org, list, &[to], now).await? != ListChanged::NoList {
            ctx.store.take_from_list(org, list, &[from], now).await?;
        }
    }
    Ok(())
}
