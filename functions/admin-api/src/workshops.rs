//! `/v1/workshops`: dated events. To move one moves its pending messages; to
//! delete one withdraws them. Either is one write here; the reconciler does what
//! follows from it, and the sender asks before each call.

pub mod checkpoints;
pub mod recipients;
pub mod registrations;
pub mod run_sequence;
pub mod send_now;

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use carillon_domain::workshop::{MAX_GROUP, MAX_GROUPS, MAX_TITLE, Workshop};
use carillon_domain::{TagId, WorkshopId, wall_clock};
use carillon_runtime::{Context, random};
use carillon_store::{Edited, StoreError, TagGone};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answers::{Created, Json, NoContent};
use crate::audit::note;
use crate::auth::Caller;
use crate::etag::{Tag, Tagged};
use crate::extract::{self, Id, Params, present};
use crate::idempotency;
use crate::lists::{self, Limit, Page, paged};
use crate::messages::read_time;
use crate::problem::{FieldError, Problem};
use crate::times::Moment;
use crate::view::workshop::Workshop as Shown;

/// How often a change that met another is tried again.
pub const ROUNDS: usize = 20;

/// A workshop to come.
#[derive(Deserialize, JsonSchema)]
#[schemars(
    rename = "NewWorkshop",
    extend("required" = ["title", "tag_id", "starts_at"]),
    example = example()
)]
pub struct New(Body);

/// What is to change of a workshop.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "WorkshopPatch", example = patch_example())]
pub struct Patch(Body);

/// The fields of a workshop.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WorkshopFields")]
pub struct Body {
    #[schemars(length(min = 1, max = MAX_TITLE))]
    title: Option<String>,
    /// Which kind it is: its sequences.
    #[schemars(with = "Option<TagId>")]
    tag_id: Option<String>,
    /// At most a year ahead. Moved, its pending messages move with it.
    #[schemars(with = "Option<Timestamp>")]
    starts_at: Option<String>,
    /// IANA name: times of day of its steps are on this clock. The
    /// organization's, where it is absent.
    time_zone: Option<String>,
    /// WhatsApp groups that its messages to groups go to.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<Vec<String>>", length(max = MAX_GROUPS))]
    whatsapp_group_ids: Option<Option<Vec<String>>>,
}

fn example() -> Value {
    json!({
        "title": "Crypto for beginners", "tag_id": "tag_0000000000000000",
        "starts_at": "2026-11-28T19:00:00+11:00", "time_zone": "Australia/Sydney",
    })
}

fn patch_example() -> Value {
    json!({"starts_at": "2026-11-29T19:00:00+11:00"})
}

/// Which workshops.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Beginning at this time or later, or from the beginning of this day (UTC).
    from: Option<Moment>,
    /// Beginning before this time, or the end of this day (UTC).
    to: Option<Moment>,
    tag_id: Option<TagId>,
}
paged!(Query);

/// `POST /v1/workshops`: a workshop to come.
pub async fn create(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    headers: HeaderMap,
    extract::Json { value: New(body), raw }: extract::Json<New>,
) -> Result<Created<Shown>, Problem> {
    let once = idempotency::key(&headers, None)?;
    let now = ctx.clock.now();
    let id = match &once {
        // The repeat of a request that was cut off finds what that one had made.
        Some(once) => WorkshopId::from_hash(&[caller.org.as_bytes(), once.as_bytes(), &raw]),
        None => WorkshopId::from_bytes(random::bytes()),
    };
    if once.is_some()
        && let Some(own) = ctx.store.workshop(caller.org, id).await?
    {
        return Ok(Created(Shown::of(&own)));
    }
    let settings = ctx.store.settings(caller.org).await?;
    let mut workshop = Workshop {
        org: caller.org,
        id,
        title: String::new(),
        tag: TagId::from_bytes([0; 10]),
        starts_at: now,
        time_zone: settings.time_zone,
        whatsapp_group_ids: Vec::new(),
        revision: 0,
        edition: 1,
        registrations: 0,
        campaigns: std::collections::BTreeSet::new(),
        deleted_at: None,
        created_by: caller.id.clone(),
        created_at: now,
        updated_at: now,
        due: None,
        generation: 0,
    };
    let tag = body.apply(&mut workshop, true, now)?;
    tag_exists(&ctx, &caller, tag).await?;
    match ctx.store.insert_workshop(&workshop, &random::token()).await? {
        None => Ok(Created(Shown::of(&workshop))),
        Some(TagGone) => Err(no_tag()),
    }
}

/// `GET /v1/workshops`: by their start.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params<Query>,
) -> Result<Json<Page<Shown>>, Problem> {
    let span = (params.from.map(Moment::start), params.to.map(Moment::end));
    let mut list = lists::ByPlace::new(&params)?;
    while let Some((after, most)) = list.next() {
        let most = lists::wanted(most);
        let found = ctx.store.workshops(caller.org, span, after.as_deref(), most).await?;
        let of_tag = |w: &Workshop| params.tag_id.is_none_or(|tag| tag == w.tag);
        let found = found.into_iter().map(|(place, w)| (place, w.filter(of_tag))).collect();
        list.add(found, |w| Shown::of(&w));
    }
    Ok(Json(list.page(&params)))
}

/// `GET /v1/workshops/{id}`: one workshop.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<WorkshopId>,
) -> Result<Tagged<Shown>, Problem> {
    let workshop = found(&ctx, &caller, id).await?;
    Ok(Tagged(tag(&workshop), Shown::of(&workshop)))
}

/// `PATCH /v1/workshops/{id}`: changes some fields. Another start or time zone
/// moves what is pending: steps still ahead are sent at their new times.
pub async fn update(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<WorkshopId>,
    headers: HeaderMap,
    extract::Json { value: Patch(body), .. }: extract::Json<Patch>,
) -> Result<Tagged<Shown>, Problem> {
    let now = ctx.clock.now();
    for _ in 0..ROUNDS {
        let before = found(&ctx, &caller, id).await?;
        tag(&before).check(&headers)?;
        note::before(&Shown::of(&before));
        let mut after = before.clone();
        let new_tag = body.apply(&mut after, false, now)?;
        if after == before {
            return Ok(Tagged(tag(&before), Shown::of(&before)));
        }
        if new_tag.is_some_and(|tag| tag != before.tag) {
            tag_exists(&ctx, &caller, new_tag).await?;
        }
        after.edition += 1;
        after.updated_at = now;
        if (after.starts_at, &after.time_zone) != (before.starts_at, &before.time_zone) {
            after.revision += 1;
            if !after.campaigns.is_empty() {
                after.touch(now);
            }
        }
        match ctx.store.edit_workshop(&before, &mut after, &random::token()).await? {
            Edited::Done => return Ok(Tagged(tag(&after), Shown::of(&after))),
            Edited::TagGone => return Err(no_tag()),
            Edited::Changed => {}
        }
    }
    Err(StoreError::Contended("a workshop").into())
}

/// `DELETE /v1/workshops/{id}`: nothing is sent for it any more.
pub async fn remove(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<WorkshopId>,
    headers: HeaderMap,
) -> Result<NoContent, Problem> {
    let now = ctx.clock.now();
    for _ in 0..ROUNDS {
        let before = found(&ctx, &caller, id).await?;
        tag(&before).check(&headers)?;
        note::before(&Shown::of(&before));
        let mut after = Workshop { deleted_at: Some(now), updated_at: now, ..before.clone() };
        after.edition += 1;
        if !after.campaigns.is_empty() {
            after.touch(now);
        }
        match ctx.store.edit_workshop(&before, &mut after, &random::token()).await? {
            Edited::Done => return Ok(NoContent),
            Edited::TagGone | Edited::Changed => {}
        }
    }
    Err(StoreError::Contended("a workshop").into())
}

/// # Errors
/// 404, also for one that was deleted.
pub async fn found(ctx: &Context, caller: &Caller, id: WorkshopId) -> Result<Workshop, Problem> {
    let workshop = ctx.store.workshop(caller.org, id).await?;
    workshop.filter(|w| w.deleted_at.is_none()).ok_or_else(|| Problem::not_found("workshop"))
}

async fn tag_exists(ctx: &Context, caller: &Caller, tag: Option<TagId>) -> Result<(), Problem> {
    let Some(tag) = tag else { return Ok(()) };
    match ctx.store.tag(caller.org, tag).await? {
        Some(_) => Ok(()),
        None => Err(no_tag()),
    }
}

fn no_tag() -> Problem {
    let detail = "There is no such tag in this organization; GET /v1/tags lists them.";
    Problem::field("tag_id", "unknown_tag", detail)
}

fn tag(w: &Workshop) -> Tag {
    Tag::of(&(w.id, w.edition))
}

impl Body {
    /// Answers the tag that it names.
    fn apply(
        &self,
        w: &mut Workshop,
        is_new: bool,
        now: Timestamp,
    ) -> Result<Option<TagId>, Problem> {
        let mut wrong = Vec::new();
        let missing = |field: &str| {
            let detail = format!("A workshop needs “{field}”.");
            FieldError::new(field, "missing_field", detail)
        };
        if is_new {
            for (field, is_there) in [
                ("title", self.title.is_some()),
                ("tag_id", self.tag_id.is_some()),
                ("starts_at", self.starts_at.is_some()),
            ] {
                if !is_there {
                    wrong.push(missing(field));
                }
            }
        }
        if let Some(title) = &self.title {
            let title = title.trim();
            let is_line = !title.chars().any(char::is_control);
            if (1..=MAX_TITLE).contains(&title.chars().count()) && is_line {
                title.clone_into(&mut w.title);
            } else {
                let detail = format!("A title has 1 to {MAX_TITLE} characters on one line.");
                wrong.push(FieldError::new("title", "invalid_title", detail));
            }
        }
        let mut tag = None;
        if let Some(text) = &self.tag_id {
            match text.parse() {
                Ok(id) => {
                    w.tag = id;
                    tag = Some(id);
                }
                Err(_) => {
                    let detail = "A tag's id, such as tag_…; GET /v1/tags lists them.";
                    wrong.push(FieldError::new("tag_id", "unknown_tag", detail));
                }
            }
        }
        if let Some(text) = &self.starts_at {
            // What it is already may have passed.
            if text.parse::<Timestamp>().ok() != Some(w.starts_at) || is_new {
                let at = read_time("starts_at", Some(text), now, &mut wrong);
                w.starts_at = at.unwrap_or(w.starts_at);
            }
        }
        if let Some(name) = &self.time_zone {
            match wall_clock::zone(name) {
                Ok(_) => name.clone_into(&mut w.time_zone),
                Err(error) => {
                    let code = wall_clock::UnknownZone::CODE;
                    wrong.push(FieldError::new("time_zone", code, error.to_string()));
                }
            }
        }
        match &self.whatsapp_group_ids {
            None => {}
            Some(None) => w.whatsapp_group_ids.clear(),
            Some(Some(groups)) => {
                let fits = |group: &String| (1..=MAX_GROUP).contains(&group.chars().count());
                if groups.len() <= MAX_GROUPS && groups.iter().all(fits) {
                    w.whatsapp_group_ids.clone_from(groups);
                } else {
                    let detail =
                        format!("At most {MAX_GROUPS} groups, each by its id at the bridge.");
                    wrong.push(FieldError::new("whatsapp_group_ids", "invalid_value", detail));
                }
            }
        }
        if wrong.is_empty() { Ok(tag) } else { Err(Problem::fields(wrong)) }
    }
}
