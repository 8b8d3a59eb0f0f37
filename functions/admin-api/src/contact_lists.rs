//! `/v1/lists`: contacts picked by hand.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use carillon_domain::{ContactId, ListId};
use carillon_runtime::{Context, random};
use carillon_store::{ListChanged, StoredList};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answers::{Created, Json, NoContent};
use crate::audit::note;
use crate::auth::Caller;
use crate::etag::{self, Tag, Tagged};
use crate::extract::{self, Id, Params};
use crate::idempotency;
use crate::lists::{self, Page, PageQuery};
use crate::names::{LONGEST_NAME, read_name};
use crate::problem::{FieldError, Problem};
use crate::view::contact::Contact as ShownContact;

/// Contacts that one request adds or takes.
const MOST: usize = 200;
/// Members of a deleted list that one request clears; what is left counts for
/// nothing.
const CLEARED: usize = 5_000;

/// A list to make, or its new name.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewList", example = example())]
pub struct Fields {
    #[schemars(length(min = 1, max = LONGEST_NAME))]
    name: String,
}

fn example() -> Value {
    json!({"name": "Autumn regulars"})
}

/// Who is added or taken.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ListMembers", example = members_example())]
pub struct Members {
    #[schemars(length(min = 1, max = MOST))]
    contact_ids: Vec<String>,
}

fn members_example() -> Value {
    json!({"contact_ids": [ContactId::from_hash(&[b"regular"])]})
}

/// Contacts picked by hand.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "List")]
pub struct View {
    id: ListId,
    name: String,
    /// Contacts in it.
    count: u64,
    created_by: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<StoredList> for View {
    fn from(l: StoredList) -> Self {
        Self {
            id: l.id,
            name: l.name,
            count: l.count,
            created_by: l.created_by,
            created_at: l.created_at,
            updated_at: l.updated_at,
        }
    }
}

/// What a change of members came to.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ListChange")]
pub struct Changed {
    id: ListId,
    /// Contacts in it now.
    count: u64,
    /// Contacts that were not in it before; those that were are passed over.
    added: usize,
    /// Contacts that are in it no more.
    removed: usize,
}

/// `POST /v1/lists`: makes an empty list.
pub async fn create(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    headers: HeaderMap,
    extract::Json { value, raw }: extract::Json<Fields>,
) -> Result<Created<View>, Problem> {
    let once = idempotency::key(&headers, None)?;
    let now = ctx.clock.now();
    let list = StoredList {
        // The repeat of a request that was cut off finds what that one had made.
        id: match &once {
            Some(once) => ListId::from_hash(&[caller.org.as_bytes(), once.as_bytes(), &raw]),
            None => ListId::from_bytes(random::bytes()),
        },
        name: name(&value)?,
        count: 0,
        created_by: caller.id.clone(),
        created_at: now,
        updated_at: now,
    };
    ctx.store.insert_list(caller.org, &list).await?;
    Ok(Created(found(&ctx, &caller, list.id).await?.into()))
}

/// `GET /v1/lists`: all of them.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params<PageQuery>,
) -> Result<Json<Page<View>>, Problem> {
    let (limit, after) = lists::by_id::<ListId>(&params)?;
    let found = ctx.store.lists(caller.org, after, lists::wanted(limit)).await?;
    let next = (found.len() == limit).then(|| found.last().map(|l| l.id)).flatten();
    Ok(Json(Page::by_id(&params, found.into_iter().map(View::from).collect(), next)))
}

/// `GET /v1/lists/{id}`: a list.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<ListId>,
) -> Result<Tagged<View>, Problem> {
    let list = found(&ctx, &caller, id).await?;
    Ok(Tagged(tag(&list), list.into()))
}

/// `PATCH /v1/lists/{id}`: renames a list.
pub async fn update(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<ListId>,
    headers: HeaderMap,
    extract::Json { value, .. }: extract::Json<Fields>,
) -> Result<Tagged<View>, Problem> {
    let new = name(&value)?;
    let before = found(&ctx, &caller, id).await?;
    tag(&before).check(&headers)?;
    note::before(&View::from(before.clone()));
    let (seen, now) = (before.name.as_str(), ctx.clock.now());
    if !ctx.store.rename_list(caller.org, id, (seen, &new), now).await? {
        return Err(match etag::is_conditional(&headers) {
            true => etag::changed(),
            false => {
                let detail = "Someone else renamed this list just now; read it again.";
                Problem::conflict("list_changed", detail)
            }
        });
    }
    let list = found(&ctx, &caller, id).await?;
    Ok(Tagged(tag(&list), list.into()))
}

/// `DELETE /v1/lists/{id}`: the list goes, its contacts stay.
pub async fn remove(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<ListId>,
) -> Result<NoContent, Problem> {
    let list = found(&ctx, &caller, id).await?;
    note::before(&View::from(list));
    ctx.store.delete_list(caller.org, id).await?;
    let mut cleared = 0;
    while cleared < CLEARED {
        match ctx.store.clear_list(caller.org, id, lists::wanted(MOST)).await? {
            0 => break,
            some => cleared += some,
        }
    }
    Ok(NoContent)
}

/// `GET /v1/lists/{id}/members`: the contacts of a list.
pub async fn members(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<ListId>,
    params: Params<PageQuery>,
) -> Result<Json<Page<ShownContact>>, Problem> {
    found(&ctx, &caller, id).await?;
    let (limit, after) = lists::by_id::<ContactId>(&params)?;
    let ids = ctx.store.list_members(caller.org, id, after, lists::wanted(limit)).await?;
    let contacts = ctx.store.contacts(caller.org, &ids, false).await?;
    let data = ids.iter().filter_map(|id| contacts.get(id)).map(ShownContact::of).collect();
    let next = ids.last().filter(|_| ids.len() == limit);
    Ok(Json(Page::by_id(&params, data, next)))
}

/// `POST /v1/lists/{id}/members`: adds contacts.
pub async fn add(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<ListId>,
    extract::Json { value, .. }: extract::Json<Members>,
) -> Result<Json<Changed>, Problem> {
    found(&ctx, &caller, id).await?;
    let asked = read_ids(&value)?;
    let contacts = ctx.store.contacts(caller.org, &asked, true).await?;
    let mut wrong = Vec::new();
    for (place, asked) in asked.iter().enumerate() {
        if !contacts.contains_key(asked) {
            wrong.push(unknown(place));
        }
    }
    if !wrong.is_empty() {
        return Err(Problem::fields(wrong));
    }
    // Who was merged is in it as the person he is now.
    let ids: Vec<_> = asked.iter().filter_map(|id| contacts.get(id)).map(|c| c.id).collect();
    let changed = ctx.store.add_to_list(caller.org, id, &ids, ctx.clock.now()).await?;
    let ListChanged::Done(added) = changed else { return Err(Problem::not_found("list")) };
    let list = found(&ctx, &caller, id).await?;
    Ok(Json(Changed { id, count: list.count, added, removed: 0 }))
}

/// `DELETE /v1/lists/{id}/members`: takes contacts away.
pub async fn take(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<ListId>,
    extract::Json { value, .. }: extract::Json<Members>,
) -> Result<Json<Changed>, Problem> {
    found(&ctx, &caller, id).await?;
    let ids = read_ids(&value)?;
    let changed = ctx.store.take_from_list(caller.org, id, &ids, ctx.clock.now()).await?;
    let ListChanged::Done(removed) = changed else { return Err(Problem::not_found("list")) };
    let list = found(&ctx, &caller, id).await?;
    Ok(Json(Changed { id, count: list.count, added: 0, removed }))
}

async fn found(ctx: &Context, caller: &Caller, id: ListId) -> Result<StoredList, Problem> {
    let list = ctx.store.list(caller.org, id).await?;
    list.ok_or_else(|| Problem::not_found("list"))
}

fn name(fields: &Fields) -> Result<String, Problem> {
    let mut wrong = Vec::new();
    read_name("name", &fields.name, &mut wrong).ok_or_else(|| Problem::fields(wrong))
}

/// Of what people change; members have their own count.
fn tag(list: &StoredList) -> Tag {
    Tag::of(&(list.id, &list.name))
}

fn read_ids(members: &Members) -> Result<Vec<ContactId>, Problem> {
    let asked = &members.contact_ids;
    if !(1..=MOST).contains(&asked.len()) {
        let detail = format!("Name 1 to {MOST} contacts in one request.");
        return Err(Problem::field("contact_ids", "invalid_value", detail));
    }
    let read = |(place, id): (usize, &String)| id.parse().map_err(|_| unknown(place));
    let (ids, wrong): (Vec<_>, Vec<_>) =
        asked.iter().enumerate().map(read).partition(Result::is_ok);
    let wrong: Vec<FieldError> = wrong.into_iter().filter_map(Result::err).collect();
    if wrong.is_empty() {
        Ok(ids.into_iter().flatten().collect())
    } else {
        Err(Problem::fields(wrong))
    }
}

fn unknown(place: usize) -> FieldError {
    let detail = "There is no such contact in this organization; check the id.";
    FieldError::new(format!("contact_ids[{place}]"), "unknown_contact", detail)
}
