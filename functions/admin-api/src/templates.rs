//! `/v1/templates`: versioned; a send pins the version it was rendered from.

mod check;
mod fields;
pub mod first;
pub mod library;
pub mod list;
pub mod preview;

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use carillon_domain::content::TemplateContent;
use carillon_domain::{Channel, OrgId, Purpose, TemplateId};
use carillon_runtime::{Context, random};
use carillon_store::{Deleted, NewTemplate, StoredTemplate};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use self::fields::Body;
use crate::answers::{Created, Json, NoContent};
use crate::audit::note;
use crate::auth::Caller;
use crate::etag::{self, Tag, Tagged};
use crate::extract::{self, Id, Params};
use crate::idempotency;
use crate::lists::{self, Page, PageQuery};
use crate::problem::{FieldError, Problem};
use crate::sequences;
use crate::view::template::Template as Shown;

/// A template to store.
#[derive(Deserialize, JsonSchema)]
#[schemars(
    rename = "NewTemplate",
    extend("required" = ["key"]),
    example = example(),
    example = registered_example(),
    example = campaign_example(),
    example = voice_example()
)]
pub struct New(Body);

/// What is to change of a template; `null` clears.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "TemplatePatch", example = patch_example())]
pub struct Patch(Body);

fn example() -> Value {
    json!({
        "key": "class_reminder", "name": "Class reminder", "channel": "sms",
        "body": "Hi {{ name }}, your class begins at {{ time }}.", "language": "en",
        "translations": {"de": "Hallo {{ name }}, dein Kurs beginnt um {{ time }}."},
        "variables": [{"key": "name", "label": "Customer name"}, {"key": "time"}],
    })
}

fn registered_example() -> Value {
    json!({
        "key": "booking_confirmed", "channel": "sms", "kind": "dlt",
        "body": "Dear {#var#}, your booking {#var#} is confirmed.",
        "dlt_template_id": "1107160000000000001", "sender_id": "CARLLN",
        "category": "service_implicit",
        "variables": [{"key": "name", "label": "Customer name"}, {"key": "time"}],
    })
}

fn campaign_example() -> Value {
    json!({
        "key": "meetup_invitation", "kind": "whatsapp_campaign", "campaign_name": "nov_meetup",
        "body": "Hi {{ name }}, see you on {{ day }}.",
        "variables": [{"key": "name"}, {"key": "day", "label": "Day of the meetup"}],
    })
}

fn voice_example() -> Value {
    json!({
        "key": "session_call", "kind": "voice",
        "body": "Hello {{ name }}, your session is at {{ time }}. Press 1 to confirm.",
        "keys": {"1": {"answer": "confirm", "say": "Thank you."}, "2": {"answer": "reschedule"}},
    })
}

/// Finds `key`, `key@version`, or an id.
pub async fn find(
    ctx: &Context,
    org: OrgId,
    name: &str,
) -> Result<Option<StoredTemplate>, Problem> {
    let (name, version) = match name.split_once('@') {
        Some((name, version)) => match version.parse::<u32>() {
            Ok(version) => (name, Some(version)),
            Err(_) => return Ok(None),
        },
        None => (name, None),
    };
    let found = match name.parse::<TemplateId>() {
        Ok(id) => ctx.store.template(org, id).await?,
        Err(_) => ctx.store.template_by_key(org, name).await?,
    };
    match (found, version) {
        (Some(head), Some(version)) => {
            Ok(ctx.store.template_version(org, head.id, version).await?)
        }
        (head, _) => Ok(head),
    }
}

/// What a message of these is sent as: what was asked for, or what they are
/// registered for. What is registered for promotion is sent as nothing else.
pub fn purpose_of<'a>(
    asked: Option<Purpose>,
    contents: impl IntoIterator<Item = &'a TemplateContent>,
    wrong: &mut Vec<FieldError>,
) -> Option<Purpose> {
    let mut registered = contents.into_iter().filter_map(TemplateContent::purpose);
    let is_promotional = registered.any(|purpose| purpose == Purpose::Promotional);
    if is_promotional && asked == Some(Purpose::Transactional) {
        let detail = "The template is registered for promotion, and goes by its rules; send it as \
                      promotional, or leave “purpose” out.";
        wrong.push(FieldError::new("purpose", "purpose_of_template", detail));
    }
    asked.or_else(|| is_promotional.then_some(Purpose::Promotional))
}

fn patch_example() -> Value {
    json!({"body": "Hi {{ name }}, your session begins at {{ time }}. Bring a towel."})
}

/// `POST /v1/templates`: stores a text to send by its key.
pub async fn create(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    headers: HeaderMap,
    extract::Json { value: New(value), raw }: extract::Json<New>,
) -> Result<Created<Shown>, Problem> {
    let once = idempotency::key(&headers, None)?;
    let now = ctx.clock.now();
    let mut template = StoredTemplate {
        // The repeat of a request that was cut off finds what that one had made.
        id: match &once {
            Some(once) => TemplateId::from_hash(&[caller.org.as_bytes(), once.as_bytes(), &raw]),
            None => TemplateId::from_bytes(random::bytes()),
        },
        key: String::new(),
        version: 1,
        channel: Channel::Sms,
        name: None,
        strategy: None,
        content: TemplateContent::text(""),
        is_active: true,
        created_by: caller.id.clone(),
        created_at: now,
        updated_at: now,
    };
    value.apply(&mut template, true)?;
    match ctx.store.put_template(caller.org, &template).await? {
        NewTemplate::Stored => Ok(Created(Shown::of(&template))),
        NewTemplate::Taken => {
            let own = ctx.store.template_version(caller.org, template.id, 1).await?;
            if let Some(own) = own.filter(|_| once.is_some()) {
                return Ok(Created(Shown::of(&own)));
            }
            let detail = format!(
                "There is a template “{}” already; PATCH it for a new version.",
                template.key
            );
            Err(Problem::conflict("template_key_taken", detail))
        }
    }
}

/// `GET /v1/templates/{id}`: a template at its newest version.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<TemplateId>,
) -> Result<Tagged<Shown>, Problem> {
    let template = ctx.store.template(caller.org, id).await?;
    let template = template.ok_or_else(|| Problem::not_found("template"))?;
    Ok(Tagged(tag(&template), Shown::of(&template)))
}

/// `PATCH /v1/templates/{id}`: makes the next version.
pub async fn update(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<TemplateId>,
    headers: HeaderMap,
    extract::Json { value: Patch(value), .. }: extract::Json<Patch>,
) -> Result<Tagged<Shown>, Problem> {
    let template = ctx.store.template(caller.org, id).await?;
    let mut template = template.ok_or_else(|| Problem::not_found("template"))?;
    tag(&template).check(&headers)?;
    note::before(&Shown::of(&template));
    value.apply(&mut template, false)?;
    template.version += 1;
    template.updated_at = ctx.clock.now();
    match ctx.store.put_template(caller.org, &template).await? {
        NewTemplate::Stored => Ok(Tagged(tag(&template), Shown::of(&template))),
        NewTemplate::Taken => Err(changed(&headers)),
    }
}

/// `DELETE /v1/templates/{id}`: deletes a template that no sequence uses. What was written from it is sent all
/// the same; its key is free again.
pub async fn delete(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<TemplateId>,
    headers: HeaderMap,
) -> Result<NoContent, Problem> {
    let template = ctx.store.template(caller.org, id).await?;
    let template = template.ok_or_else(|| Problem::not_found("template"))?;
    tag(&template).check(&headers)?;
    note::before(&Shown::of(&template));
    match ctx.store.delete_template(caller.org, &template).await? {
        Deleted::Done => Ok(NoContent),
        Deleted::Changed => Err(changed(&headers)),
        Deleted::InUse(users) => {
            let names = sequences::names(&ctx, caller.org, &users).await?;
            let detail = format!(
                "It is used by {names}; take it out there first, or switch it off (“is_active”)."
            );
            Err(Problem::conflict("template_in_use", detail))
        }
    }
}

/// `GET /v1/templates/{id}/versions`: all of its versions, newest first. They never change.
pub async fn versions(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<TemplateId>,
    params: Params<PageQuery>,
) -> Result<Json<Page<Shown>>, Problem> {
    let (limit, before) = lists::by_id::<u32>(&params)?;
    let template = ctx.store.template(caller.org, id).await?;
    let template = template.ok_or_else(|| Problem::not_found("template"))?;
    let newest = before.map_or(template.version, |before| before.saturating_sub(1));
    let found = ctx.store.template_versions(caller.org, id, newest, limit).await?;
    let next = found.last().map(|t| t.version).filter(|version| *version > 1);
    Ok(Json(Page::by_id(&params, found.iter().map(Shown::of).collect(), next)))
}

fn changed(headers: &HeaderMap) -> Problem {
    if etag::is_conditional(headers) {
        return etag::changed();
    }
    let detail = "Someone else changed this template just now; read it again.";
    Problem::conflict("template_changed", detail)
}

fn tag(t: &StoredTemplate) -> Tag {
    Tag::of(&(t.id, t.version))
}
