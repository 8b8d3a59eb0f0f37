//! `/v1/segments`: saved filters over contacts.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use carillon_domain::SegmentId;
use carillon_domain::segment::{self, Rule};
use carillon_runtime::segment::SegmentError;
use carillon_runtime::{Context, random, segment as evaluate};
use carillon_store::StoredSegment;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

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

/// Contacts that one request looks at; fewer where each takes a look at its
/// messages.
const MOST: usize = 10_000;
const MOST_WITH_HISTORY: usize = 1_000;

/// A filter to save.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewSegment", example = example())]
pub struct New {
    #[schemars(length(min = 1, max = LONGEST_NAME))]
    name: String,
    /// One rule. `{"and": […]}`, `{"or": […]}` and `{"not": {…}}` put rules
    /// together; the others are `{"label": "vip"}`, `{"field": "status", "is":
    /// "lead"}` (or `contains`, `exists`, `above`, `below`, `after`, `before`; an
    /// attribute is `attributes.city`), `{"received": {"template", "after",
    /// "before"}}`, `{"replied": {"after", "before"}}` and `{"registered":
    /// {"workshop_id"}}`.
    rules: Map<String, Value>,
}

fn example() -> Value {
    json!({
        "name": "Leads in Sydney who did not answer",
        "rules": {"and": [
            {"field": "status", "is": "lead"},
            {"field": "attributes.city", "is": "Sydney"},
            {"received": {"after": "2026-11-01T00:00:00Z"}},
            {"not": {"replied": {"after": "2026-11-01T00:00:00Z"}}},
        ]},
    })
}

/// What is to change of a segment.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SegmentPatch", example = patch_example())]
pub struct Patch {
    #[schemars(length(min = 1, max = LONGEST_NAME))]
    name: Option<String>,
    /// All of them anew.
    rules: Option<Map<String, Value>>,
}

fn patch_example() -> Value {
    json!({"rules": {"label": "vip"}})
}

/// A saved filter over contacts.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Segment")]
pub struct View {
    id: SegmentId,
    name: String,
    rules: Value,
    created_by: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<StoredSegment> for View {
    fn from(s: StoredSegment) -> Self {
        Self {
            id: s.id,
            name: s.name,
            rules: s.rules,
            created_by: s.created_by,
            created_at: s.created_at,
            updated_at: s.updated_at,
        }
    }
}

/// How many contacts a segment has, or a part of them.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SegmentCount")]
pub struct Count {
    id: SegmentId,
    /// Contacts for whom the rules hold, of those that were looked at.
    count: usize,
    looked_at: usize,
    /// Where there are more to look at: for `?cursor=`, and their count is to be
    /// added to this.
    next_cursor: Option<String>,
}

/// Which part is counted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CountQuery {
    /// `next_cursor` of the count before.
    cursor: Option<String>,
}

impl lists::Paged for CountQuery {
    fn limit(&self) -> Option<lists::Limit> {
        None
    }

    fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }
}

/// `POST /v1/segments`: saves a filter.
pub async fn create(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    headers: HeaderMap,
    extract::Json { value, raw }: extract::Json<New>,
) -> Result<Created<View>, Problem> {
    let once = idempotency::key(&headers, None)?;
    let now = ctx.clock.now();
    let (name, rules) = checked(Some(&value.name), Some(value.rules))?;
    let segment = StoredSegment {
        // The repeat of a request that was cut off finds what that one had made.
        id: match &once {
            Some(once) => SegmentId::from_hash(&[caller.org.as_bytes(), once.as_bytes(), &raw]),
            None => SegmentId::from_bytes(random::bytes()),
        },
        name: name.unwrap_or_default(),
        rules: rules.unwrap_or_default(),
        created_by: caller.id.clone(),
        created_at: now,
        updated_at: now,
        version: 1,
    };
    ctx.store.insert_segment(caller.org, &segment).await?;
    Ok(Created(found(&ctx, &caller, segment.id).await?.into()))
}

/// `GET /v1/segments`: all of them.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params<PageQuery>,
) -> Result<Json<Page<View>>, Problem> {
    let (limit, after) = lists::by_id::<SegmentId>(&params)?;
    let found = ctx.store.segments(caller.org, after, lists::wanted(limit)).await?;
    let next = (found.len() == limit).then(|| found.last().map(|s| s.id)).flatten();
    Ok(Json(Page::by_id(&params, found.into_iter().map(View::from).collect(), next)))
}

/// `GET /v1/segments/{id}`: a segment.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<SegmentId>,
) -> Result<Tagged<View>, Problem> {
    let segment = found(&ctx, &caller, id).await?;
    Ok(Tagged(tag(&segment), segment.into()))
}

/// `PATCH /v1/segments/{id}`: changes name or rules.
pub async fn update(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<SegmentId>,
    headers: HeaderMap,
    extract::Json { value, .. }: extract::Json<Patch>,
) -> Result<Tagged<View>, Problem> {
    let (name, rules) = checked(value.name.as_deref(), value.rules)?;
    let mut segment = found(&ctx, &caller, id).await?;
    tag(&segment).check(&headers)?;
    note::before(&View::from(segment.clone()));
    segment.name = name.unwrap_or(segment.name);
    segment.rules = rules.unwrap_or(segment.rules);
    segment.version += 1;
    segment.updated_at = ctx.clock.now();
    if ctx.store.save_segment(caller.org, &segment).await? {
        return Ok(Tagged(tag(&segment), segment.into()));
    }
    if etag::is_conditional(&headers) {
        return Err(etag::changed());
    }
    let detail = "Someone else changed this segment just now; read it again.";
    Err(Problem::conflict("segment_changed", detail))
}

/// `DELETE /v1/segments/{id}`: the filter goes, its contacts stay.
pub async fn remove(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<SegmentId>,
) -> Result<NoContent, Problem> {
    let segment = found(&ctx, &caller, id).await?;
    note::before(&View::from(segment));
    ctx.store.delete_segment(caller.org, id).await?;
    Ok(NoContent)
}

/// `GET /v1/segments/{id}/count`: how many contacts it has. Of very many only a
/// part is counted, with a cursor to go on from.
pub async fn count(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<SegmentId>,
    params: Params<CountQuery>,
) -> Result<Json<Count>, Problem> {
    let rule = rule(&found(&ctx, &caller, id).await?)?;
    let after = after(&params)?;
    let bound = (usize::MAX, most(&rule));
    let found = evaluate::page(&ctx, caller.org, &rule, after, bound).await?;
    let next = found.next.map(|place| params.seal.close(&[place]));
    let (count, looked_at) = (found.contacts.len(), found.looked_at);
    Ok(Json(Count { id, count, looked_at, next_cursor: next }))
}

/// `GET /v1/segments/{id}/preview`: the contacts it has. A page may have fewer
/// than asked for, where few of many are found.
pub async fn preview(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<SegmentId>,
    params: Params<PageQuery>,
) -> Result<Json<Page<ShownContact>>, Problem> {
    let rule = rule(&found(&ctx, &caller, id).await?)?;
    let after = after(&params)?;
    let bound = (lists::limit(&params), most(&rule));
    let found = evaluate::page(&ctx, caller.org, &rule, after, bound).await?;
    let next = found.next.map(|place| [place]);
    let data = found.contacts.iter().map(ShownContact::of).collect();
    Ok(Json(Page::of(&params, data, next.as_ref().map(<[String; 1]>::as_slice))))
}

async fn found(ctx: &Context, caller: &Caller, id: SegmentId) -> Result<StoredSegment, Problem> {
    let segment = ctx.store.segment(caller.org, id).await?;
    segment.ok_or_else(|| Problem::not_found("segment"))
}

fn tag(s: &StoredSegment) -> Tag {
    Tag::of(&(s.id, s.version))
}

fn after(params: &Params<impl lists::Paged>) -> Result<Option<String>, Problem> {
    match lists::cursor(params)? {
        None => Ok(None),
        Some(parts) => {
            let [place] = <[String; 1]>::try_from(parts).map_err(|_| lists::invalid_cursor())?;
            Ok(Some(place))
        }
    }
}

fn most(rule: &Rule) -> usize {
    let needs = rule.needs();
    if needs.messages || needs.registrations { MOST_WITH_HISTORY } else { MOST }
}

/// They were checked when they were stored; a release may know more than the one
/// before it.
fn rule(s: &StoredSegment) -> Result<Rule, Problem> {
    segment::read(&s.rules).map_err(|e| {
        let detail = format!("The rules cannot be read any more ({}); write them anew.", e.place);
        Problem::conflict("unreadable_rules", detail)
    })
}

fn checked(
    name: Option<&str>,
    rules: Option<Map<String, Value>>,
) -> Result<(Option<String>, Option<Value>), Problem> {
    let mut wrong = Vec::new();
    let name = name.and_then(|name| read_name("name", name, &mut wrong));
    let rules = rules.map(Value::Object);
    if let Some(Err(e)) = rules.as_ref().map(segment::read) {
        wrong.push(FieldError::new(e.place, "invalid_rule", e.detail));
    }
    if wrong.is_empty() { Ok((name, rules)) } else { Err(Problem::fields(wrong)) }
}

impl From<SegmentError> for Problem {
    fn from(error: SegmentError) -> Self {
        match error {
            SegmentError::Store(error) => error.into(),
            SegmentError::Installation(error) => error.into(),
        }
    }
}
