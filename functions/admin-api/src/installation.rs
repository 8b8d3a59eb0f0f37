//! `/v1/installation`: whether this table may send. One that was restored from a
//! backup waits here for somebody who says so.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use carillon_runtime::Context;
use carillon_store::TableMark;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::Caller;
use crate::extract;
use crate::problem::Problem;
use crate::view::installation::{Installation, Release};

/// `GET /v1/installation`: whether this table may send.
pub async fn read(State(ctx): State<Arc<Context>>) -> Result<Json<Installation>, Problem> {
    let mark = ctx.store.table_mark().await?;
    Ok(Json(view(ctx.store.table_name(), mark.as_ref())))
}

/// That somebody means it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = example())]
pub struct Resume {
    /// The name of the table, as `GET /v1/installation` shows it.
    confirm: String,
}

/// `POST /v1/installation/resume`: lets a table send that was restored from a
/// backup.
pub async fn resume(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    extract::Json { value: resume, .. }: extract::Json<Resume>,
) -> Result<Json<Installation>, Problem> {
    let name = ctx.store.table_name();
    if resume.confirm != name {
        let detail = "Confirm with the name of the table, as GET /v1/installation shows it.";
        return Err(Problem::field("confirm", "wrong_table", detail));
    }
    let mark = ctx.store.table_mark().await?;
    if mark.as_ref().is_none_or(|mark| mark.copied.is_none()) {
        return Err(if is_restored(name, mark.as_ref()) {
            let detail = "Nobody has looked at this table yet; the queue processor does within \
                          a minute. Ask again then.";
            Problem::conflict("not_looked_at_yet", detail)
        } else {
            Problem::conflict(
                "not_restored",
                "This table is not held back; there is nothing to resume.",
            )
        });
    }
    match ctx.store.release_table(&caller.id, ctx.clock.now()).await? {
        Some(mark) => {
            tracing::warn!(table = name, by = caller.id, "a restored table was released");
            Ok(Json(view(name, Some(&mark))))
        }
        None => Err(Problem::conflict("not_restored", "Somebody else has just resumed it.")),
    }
}

fn example() -> Value {
    json!({"confirm": "carillon"})
}

/// Another name says so at once, another id under the same name once it was noted.
fn is_restored(name: &str, mark: Option<&TableMark>) -> bool {
    mark.is_some_and(|mark| mark.copied.is_some() || mark.table.name != name)
}

/// Since when the table is held back; `None` when it is not.
pub fn held_since(name: &str, mark: Option<&TableMark>, now: Timestamp) -> Option<Timestamp> {
    let found = mark.and_then(|mark| mark.copied.as_ref()).map(|copied| copied.found_at);
    // Nobody has looked yet: it is found from now on.
    found.or_else(|| is_restored(name, mark).then_some(now))
}

fn view(name: &str, mark: Option<&TableMark>) -> Installation {
    let restored = is_restored(name, mark);
    let copied = mark.and_then(|mark| mark.copied.as_ref());
    let release = mark.and_then(|mark| mark.release.as_ref());
    let detail = restored.then(|| {
        format!(
            "The rows of this table were written for another one ({}): it was restored from a \
             backup. Nothing is planned or sent. Stop whatever still sends from the original, \
             then POST /v1/installation/resume {{\"confirm\":\"{name}\"}}. What was due until then \
             becomes unknown first, and is looked up before anything is sent again.",
            mark.map_or("", |mark| mark.table.name.as_str())
        )
    });
    Installation {
        table: name.to_owned(),
        restored,
        restored_from: mark.filter(|_| restored).map(|mark| mark.table.name.clone()),
        found_at: copied.map(|copied| copied.found_at),
        detail,
        last_release: release.map(|(release, by)| Release {
            found_at: release.found_at,
            released_at: release.released_at,
            released_by: by.clone(),
        }),
        version: env!("CARGO_PKG_VERSION"),
    }
}
