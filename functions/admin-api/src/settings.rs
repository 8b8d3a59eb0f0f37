//! `/v1/settings`.

mod booking;
mod notify;
mod patch;
mod quiet_hours;
mod texts;

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use carillon_domain::settings::Settings;
use carillon_runtime::Context;
use carillon_store::StoreError;

use self::patch::Patch;
pub use self::patch::time_zone as read_time_zone;
use crate::audit::note;
use crate::auth::Caller;
use crate::etag::{Tag, Tagged};
use crate::extract;
use crate::problem::Problem;

/// How often a change that met another is tried again.
const ROUNDS: usize = 20;

/// `GET /v1/settings`: what the organization has set.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
) -> Result<Tagged<Settings>, Problem> {
    let settings = ctx.store.settings(caller.org).await?;
    Ok(Tagged(Tag::of(&settings), settings))
}

/// `PATCH /v1/settings`: changes what is named: all of it, or with a wrong value nothing.
pub async fn update(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    headers: HeaderMap,
    extract::Json { value: patch, .. }: extract::Json<Patch>,
) -> Result<Tagged<Settings>, Problem> {
    for _ in 0..ROUNDS {
        let (mut settings, seen) = ctx.store.settings_to_change(caller.org).await?;
        Tag::of(&settings).check(&headers)?;
        note::before(&settings);
        let wrong = patch.clone().apply(&mut settings, ctx.mail.is_some());
        if !wrong.is_empty() {
            return Err(Problem::fields(wrong));
        }
        if ctx.store.replace_settings(caller.org, seen, &settings).await? {
            return Ok(Tagged(Tag::of(&settings), settings));
        }
    }
    Err(StoreError::Contended("settings").into())
}
