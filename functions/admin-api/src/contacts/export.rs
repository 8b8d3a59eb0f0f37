//! `POST /v1/contacts/export`: all contacts, or those of a segment, as a file for
//! spreadsheets. The queue processor writes it; when it is done,
//! `GET /v1/exports/{id}` names an address to get it from.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use carillon_domain::contact::export::ContactExport;
use carillon_domain::{ExportId, SegmentId};
use carillon_runtime::files::export_key;
use carillon_runtime::{Context, random};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answers::{Accepted, Json as Shown};
use crate::auth::Caller;
use crate::extract::{Id, Json};
use crate::idempotency;
use crate::problem::Problem;

/// How long the address of a file is good.
const VALID: Duration = Duration::from_secs(900);

/// Which contacts.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewContactExport", example = example())]
pub struct New {
    /// All of them, where it is absent.
    #[schemars(with = "Option<SegmentId>")]
    segment_id: Option<String>,
}

fn example() -> Value {
    json!({})
}

/// A file of contacts.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Export")]
pub struct View {
    id: ExportId,
    status: ExportStatus,
    /// Why it failed.
    error: Option<String>,
    /// Contacts in it so far.
    rows: u32,
    /// Where the file is, for a quarter of an hour; ask again for another address.
    /// The file is kept for a week. Null until it is completed.
    url: Option<String>,
    created_by: String,
    created_at: Timestamp,
    completed_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ExportStatus {
    Running,
    Completed,
    Failed,
}

/// `POST /v1/contacts/export`: writes contacts into a file.
pub async fn create(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    headers: HeaderMap,
    Json { value, raw }: Json<New>,
) -> Result<Accepted<View>, Problem> {
    let once = idempotency::key(&headers, None)?;
    // Said at once and not when it fails.
    ctx.files()?;
    let rules = match &value.segment_id {
        None => None,
        Some(id) => {
            let segment = match id.parse() {
                Ok(id) => ctx.store.segment(caller.org, id).await?,
                Err(_) => None,
            };
            let unknown = "There is no such segment in this organization; check the id.";
            let segment =
                segment.ok_or_else(|| Problem::field("segment_id", "unknown_segment", unknown))?;
            Some(segment.rules)
        }
    };
    let now = ctx.clock.now();
    let export = ContactExport {
        org: caller.org,
        // The repeat of a request that was cut off finds what that one had made.
        id: match &once {
            Some(once) => ExportId::from_hash(&[caller.org.as_bytes(), once.as_bytes(), &raw]),
            None => ExportId::from_bytes(random::bytes()),
        },
        rules,
        after: None,
        rows: 0,
        upload: None,
        parts: Vec::new(),
        failed: None,
        created_by: caller.id.clone(),
        created_at: now,
        done_at: None,
        due: Some(now),
        generation: 0,
        version: 1,
    };
    ctx.store.insert_contact_export(&export).await?;
    Ok(Accepted(view(&ctx, &export).await?))
}

/// `GET /v1/exports/{id}`: how far a file is, and where.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<ExportId>,
) -> Result<Shown<View>, Problem> {
    let export = ctx.store.contact_export(caller.org, id).await?;
    let export = export.ok_or_else(|| Problem::not_found("export"))?;
    Ok(Shown(view(&ctx, &export).await?))
}

async fn view(ctx: &Context, e: &ContactExport) -> Result<View, Problem> {
    let (status, url) = match (&e.failed, e.done_at) {
        (Some(_), _) => (ExportStatus::Failed, None),
        (None, None) => (ExportStatus::Running, None),
        (None, Some(_)) => {
            let key = export_key(e.org, &format!("{}.csv", e.id));
            let when = (ctx.clock.now(), VALID);
            (ExportStatus::Completed, Some(ctx.files()?.get_url(&key, "contacts.csv", when).await?))
        }
    };
    Ok(View {
        id: e.id,
        status,
        error: e.failed.clone(),
        rows: e.rows,
        url,
        created_by: e.created_by.clone(),
        created_at: e.created_at,
        completed_at: e.done_at,
    })
}
