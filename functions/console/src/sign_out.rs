//! Leaving: this browser, or all of them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use carillon_runtime::Context;

use crate::cookies::Cookie;
use crate::page::Refusal;
use crate::routes;
use crate::signed_in::SignedIn;

/// `POST /console/sign-out`
pub async fn here(
    State(ctx): State<Arc<Context>>,
    signed_in: SignedIn,
) -> Result<Response, Refusal> {
    ctx.store.end_session(&signed_in.hash).await?;
    Ok(gone(&ctx))
}

/// `POST /console/sign-out/everywhere`
pub async fn everywhere(
    State(ctx): State<Arc<Context>>,
    signed_in: SignedIn,
) -> Result<Response, Refusal> {
    ctx.store.sign_out_everywhere(&signed_in.session.holder, ctx.clock.now()).await?;
    ctx.store.end_session(&signed_in.hash).await?;
    Ok(gone(&ctx))
}

fn gone(ctx: &Context) -> Response {
    let cookie = (header::SET_COOKIE, Cookie::Session.clear(ctx));
    (AppendHeaders([cookie]), Redirect::to(routes::SIGN_IN)).into_response()
}
