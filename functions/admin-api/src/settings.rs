//! `/v1/settings`.

mod patch;
mod quiet_hours;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use carillon_runtime::Context;
use carillon_store::StoreError;
use serde_json::{Value, json};

use self::patch::Patch;
pub use self::patch::time_zone as read_time_zone;
use crate::audit::note;
use crate::auth::Caller;
use crate::etag::Tag;
use crate::extract;
use crate::problem::Problem;

/// How often a change that met another is tried again.
const ROUNDS: usize = 20;

/// `GET /v1/settings`
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
) -> Result<(Tag, Json<Value>), Problem> {
    let settings = ctx.store.settings(caller.org).await?;
    Ok((Tag::of(&settings), Json(json!(settings))))
}

/// `PATCH /v1/settings`: all of it, or with a wrong value nothing.
pub async fn update(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    headers: HeaderMap,
    extract::Json { value: patch, .. }: extract::Json<Patch>,
) -> Result<(Tag, Json<Value>), Problem> {
    for _ in 0..ROUNDS {
        let (mut settings, seen) = ctx.store.settings_to_change(caller.org).await?;
        Tag::of(&settings).check(&headers)?;
        note::before(&settings);
        let wrong = patch.clone().apply(&mut settings);
        if !wrong.is_empty() {
            return Err(Problem::fields(wrong));
        }
        if ctx.store.replace_settings(caller.org, seen, &settings).await? {
            return Ok((Tag::of(&settings), Json(json!(settings))));
        }
    }
    Err(StoreError::Contended("settings").into())
}
