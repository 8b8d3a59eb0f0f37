//! `GET /v1/audit-log`: newest first, month by month.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use carillon_domain::audit::{Entry, Outcome, Side};
use carillon_domain::{AuditId, OrgId, Role};
use carillon_runtime::Context;
use carillon_store::keys;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::auth::Caller;
use crate::extract::Params;
use crate::lists::{self, Limit, Page, paged};
use crate::months;
use crate::problem::Problem;
use crate::times::Moment;

/// Which entries.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AuditLogQuery")]
pub struct Query {
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// A key or member.
    actor: Option<String>,
    /// Such as `template.update`.
    action: Option<String>,
    /// Such as `template`.
    resource_type: Option<String>,
    resource_id: Option<String>,
    outcome: Option<Outcome>,
    /// At this time or later, or from the beginning of this day (UTC).
    from: Option<Moment>,
    /// Before this time, or until the end of this day (UTC).
    to: Option<Moment>,
}
paged!(Query);

impl Query {
    fn filter(&self) -> Filter {
        Filter {
            actor: self.actor.clone(),
            action: self.action.clone(),
            resource_type: self.resource_type.clone(),
            resource_id: self.resource_id.clone(),
            outcome: self.outcome,
            from: self.from,
            to: self.to,
        }
    }
}

/// Rows read at a time.
const ROWS: i32 = 100;
/// Rows looked at in one request; a filter that matches little answers early,
/// with a cursor to go on from.
const MOST_ROWS: usize = 2_000;
/// Empty months that one request walks back.
const MONTHS: usize = 36;

/// An entry as it is shown.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AuditEntry")]
pub struct View {
    id: AuditId,
    at: Timestamp,
    /// `key_…` or `mem_…`.
    actor: String,
    role: Role,
    /// What was done, such as `template.update`.
    action: String,
    resource: Resource,
    /// `done`, `denied` (not his), `rejected` (wrong or too late; nothing was
    /// changed), `failed` (something of ours did not answer), `begun` (its end
    /// is not known).
    outcome: Outcome,
    /// Of the answer.
    status: Option<u16>,
    /// Of the problem, where it was one.
    code: Option<String>,
    /// The client's address.
    client: Option<String>,
    request_id: String,
    /// The fields that changed; numbers and addresses are masked, secrets are
    /// left out.
    before: Side,
    after: Side,
}

/// What it was done to.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AuditResource")]
struct Resource {
    r#type: String,
    id: Option<String>,
}

impl From<Entry> for View {
    fn from(e: Entry) -> Self {
        Self {
            id: e.id,
            at: e.at,
            actor: e.actor,
            role: e.role,
            action: e.action,
            resource: Resource { r#type: e.resource_type, id: e.resource_id },
            outcome: e.outcome,
            status: e.status,
            code: e.code,
            client: e.client,
            request_id: e.request_id,
            before: e.before,
            after: e.after,
        }
    }
}

/// What the caller wants to see.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// A key or member.
    actor: Option<String>,
    /// Such as `template.update`.
    action: Option<String>,
    /// Such as `template`.
    resource_type: Option<String>,
    resource_id: Option<String>,
    outcome: Option<Outcome>,
    /// At this time or later, or from the beginning of this day (UTC).
    from: Option<Moment>,
    /// Before this time, or until the end of this day (UTC).
    to: Option<Moment>,
}

impl Filter {
    fn takes(&self, e: &Entry) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        is(&self.actor, &e.actor)
            && is(&self.action, &e.action)
            && is(&self.resource_type, &e.resource_type)
            && (self.resource_id.is_none() || self.resource_id == e.resource_id)
            && self.outcome.is_none_or(|wanted| wanted == e.outcome)
            && self.from.is_none_or(|from| e.at >= from.start())
            && self.to.is_none_or(|to| e.at < to.end())
    }

    /// Where a walk begins: behind the newest that it may show.
    pub fn start(&self, now: Timestamp) -> Place {
        let to = self.to.map_or(now, |to| to.end().min(now));
        Place { month: keys::month(to), before: None }
    }
}

/// Where a walk goes on: behind this entry of this month.
#[derive(Debug, Clone)]
pub struct Place {
    month: String,
    before: Option<AuditId>,
}

impl Place {
    fn read(params: &Params<Query>) -> Result<Option<Self>, Problem> {
        let Some(parts) = lists::cursor(params)? else { return Ok(None) };
        let [month, before] =
            <[String; 2]>::try_from(parts).map_err(|_| lists::invalid_cursor())?;
        let before = match before.as_str() {
            "" => None,
            id => Some(id.parse().map_err(|_| lists::invalid_cursor())?),
        };
        Ok(Some(Self { month, before }))
    }

    fn parts(&self) -> [String; 2] {
        [self.month.clone(), self.before.map(|id| id.to_string()).unwrap_or_default()]
    }
}

/// Up to `limit` entries from a place on, and where to go on.
pub async fn walk(
    ctx: &Context,
    org: OrgId,
    filter: &Filter,
    mut place: Place,
    limit: usize,
) -> Result<(Vec<Entry>, Option<Place>), Problem> {
    let oldest = months::oldest(ctx, org, filter.from.map(Moment::start)).await?;
    let mut found = Vec::new();
    let mut looked = 0;
    for _ in 0..MONTHS {
        loop {
            let rows = ctx.store.audit(org, &place.month, place.before, ROWS).await?;
            if rows.is_empty() {
                break;
            }
            for entry in rows {
                looked += 1;
                // What was noted before stands behind what came of it.
                if place.before == Some(entry.id) {
                    continue;
                }
                place.before = Some(entry.id);
                if filter.takes(&entry) {
                    found.push(entry);
                }
                if found.len() == limit || looked >= MOST_ROWS {
                    return Ok((found, Some(place)));
                }
            }
        }
        if oldest.as_ref().is_some_and(|oldest| *oldest >= place.month) {
            return Ok((found, None));
        }
        let month = months::previous(&place.month).ok_or_else(lists::invalid_cursor)?;
        place = Place { month, before: None };
    }
    // Older months are there.
    Ok((found, Some(place)))
}

/// `GET /v1/audit-log`: what was done and what was refused, newest first.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params<Query>,
) -> Result<Json<Page<View>>, Problem> {
    let filter = params.query.filter();
    let limit = lists::limit(&params);
    let place = Place::read(&params)?.unwrap_or_else(|| filter.start(ctx.clock.now()));
    let (entries, next) = walk(&ctx, caller.org, &filter, place, limit).await?;
    let next = next.map(|place| place.parts());
    let data = entries.into_iter().map(View::from).collect();
    Ok(Json(Page::of(&params, data, next.as_ref().map(<[String; 2]>::as_slice))))
}
