//! `/v1/settings`.

mod patch;
mod quiet_hours;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use carillon_runtime::Context;
use carillon_store::Role;
use serde_json::{Value, json};

use self::patch::Patch;
use crate::auth::Caller;
use crate::extract;
use crate::problem::Problem;

/// `GET /v1/settings`
pub async fn read(State(ctx): State<Arc<Context>>, caller: Caller) -> Result<Json<Value>, Problem> {
    Ok(Json(json!(ctx.store.settings(caller.org).await?)))
}

/// `PATCH /v1/settings`: all of it, or with a wrong value nothing.
pub async fn update(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    extract::Json { value: patch, .. }: extract::Json<Patch>,
) -> Result<Json<Value>, Problem> {
    caller.require(Role::Admin)?;
    let mut settings = ctx.store.settings(caller.org).await?;
    let wrong = patch.apply(&mut settings);
    if !wrong.is_empty() {
        return Err(Problem::fields(wrong));
    }
    ctx.store.put_settings(caller.org, &settings).await?;
    Ok(Json(json!(settings)))
}
