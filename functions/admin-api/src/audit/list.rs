//! `GET /v1/audit-log`: newest first, month by month.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use carillon_domain::audit::{Entry, Outcome};
use carillon_domain::{AuditId, OrgId, Role};
use carillon_runtime::Context;
use carillon_store::keys;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::auth::Caller;
use crate::extract::Params;
use crate::lists::{self, Page};
use crate::messages::list::{moment, previous};
use crate::problem::Problem;

pub const FILTERS: [&str; 7] =
    ["actor", "action", "resource_type", "resource_id", "outcome", "from", "to"];
/// Rows read at a time.
const ROWS: i32 = 100;
/// Rows looked at in one request; a filter that matches little answers early,
/// with a cursor to go on from.
const MOST_ROWS: usize = 2_000;
/// Entries are kept for 400 days.
const MONTHS: usize = 15;

/// An entry as it is shown.
#[derive(Debug, Serialize)]
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
    outcome: &'static str,
    /// Of the answer.
    status: Option<u16>,
    /// Of the problem, where it was one.
    code: Option<String>,
    /// The client's address.
    client: Option<String>,
    request_id: String,
    /// The fields that changed; numbers and addresses are masked, secrets are
    /// left out.
    before: Option<Map<String, Value>>,
    after: Option<Map<String, Value>>,
}

#[derive(Debug, Serialize)]
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
            outcome: e.outcome.as_str(),
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
pub struct Filter {
    actor: Option<String>,
    action: Option<String>,
    resource_type: Option<String>,
    resource_id: Option<String>,
    outcome: Option<Outcome>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Filter {
    pub fn read(params: &Params) -> Result<Self, Problem> {
        let own = |name: &str| params.get(name).map(str::to_owned);
        Ok(Self {
            actor: own("actor"),
            action: own("action"),
            resource_type: own("resource_type"),
            resource_id: own("resource_id"),
            outcome: params.read("outcome", Outcome::parse)?,
            from: params.read("from", |text| moment(text, false))?,
            to: params.read("to", |text| moment(text, true))?,
        })
    }

    fn takes(&self, e: &Entry) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        is(&self.actor, &e.actor)
            && is(&self.action, &e.action)
            && is(&self.resource_type, &e.resource_type)
            && (self.resource_id.is_none() || self.resource_id == e.resource_id)
            && self.outcome.is_none_or(|wanted| wanted == e.outcome)
            && self.from.is_none_or(|from| e.at >= from)
            && self.to.is_none_or(|to| e.at < to)
    }

    /// Where a walk begins: behind the newest that it may show.
    pub fn start(&self, now: Timestamp) -> Place {
        let to = self.to.map_or(now, |to| to.min(now));
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
    fn read(params: &Params) -> Result<Option<Self>, Problem> {
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
    let oldest = filter.from.map(keys::month);
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
            break;
        }
        let month = previous(&place.month).ok_or_else(lists::invalid_cursor)?;
        place = Place { month, before: None };
    }
    Ok((found, None))
}

/// `GET /v1/audit-log`
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params,
) -> Result<Json<Page<View>>, Problem> {
    params.only(&[&FILTERS[..], &["limit", "cursor"]].concat())?;
    let filter = Filter::read(&params)?;
    let limit = lists::limit(&params)?;
    let place = Place::read(&params)?.unwrap_or_else(|| filter.start(ctx.clock.now()));
    let (entries, next) = walk(&ctx, caller.org, &filter, place, limit).await?;
    Ok(Json(Page {
        data: entries.into_iter().map(View::from).collect(),
        next_cursor: next.map(|place| lists::next(&params, &place.parts())),
    }))
}
