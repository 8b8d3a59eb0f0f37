//! The sign-in page, and the two ways on from it: an API key, or the issuer.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use carillon_domain::ids;
use carillon_domain::session::Holder;
use carillon_identity::Attempt;
use carillon_runtime::{Context, random};
use jiff::SignedDuration;
use serde::Deserialize;

use crate::cookies::{ATTEMPT_SECONDS, Cookie};
use crate::page::{self, Refusal};
use crate::wanted::{Asked, Wanted};
use crate::{door, signed_in};

#[derive(Template)]
#[template(path = "sign-in.html")]
pub struct SignInPage {
    pub csrf: String,
    /// The issuer's host.
    pub issuer: Option<String>,
    pub problem: Option<&'static str>,
    pub wanted: Wanted,
}

/// `GET /console/sign-in`
pub async fn page(
    State(ctx): State<Arc<Context>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    show(&ctx, &headers, StatusCode::OK, None, Wanted::read(&asked.next))
}

fn show(
    ctx: &Context,
    headers: &HeaderMap,
    status: StatusCode,
    problem: Option<&'static str>,
    wanted: Wanted,
) -> Response {
    let known = Cookie::Visit.read(ctx, headers);
    let visit = known.unwrap_or_else(|| ids::encode(&random::bytes::<32>()));
    let issuer = ctx.issuer.as_ref().map(|issuer| {
        let address = issuer.settings().issuer.split("://").last().unwrap_or_default();
        address.split('/').next().unwrap_or_default().to_owned()
    });
    let csrf = door::token(&visit);
    let response = page::show(status, &SignInPage { csrf, issuer, problem, wanted });
    (AppendHeaders([(header::SET_COOKIE, Cookie::Visit.set(ctx, &visit))]), response)
        .into_response()
}

/// `GET /console/sign-in/person`: to the issuer.
pub async fn with_issuer(
    State(ctx): State<Arc<Context>>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let Some(issuer) = &ctx.issuer else {
        let text = "This installation has no issuer set; sign in with an API key.";
        return Err(Refusal::new(StatusCode::NOT_FOUND, text));
    };
    let attempt = Attempt::new(random::bytes());
    let address = issuer.sign_in_address(&attempt).await.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "nobody can sign in");
        let text = "The issuer does not answer. Try again shortly, or sign in with an API key.";
        Refusal::new(StatusCode::BAD_GATEWAY, text)
    })?;
    let end = ctx.clock.now() + SignedDuration::from_secs(ATTEMPT_SECONDS);
    ctx.store.begin_attempt(&attempt.stored(), end).await?;
    let cookies = [
        (header::SET_COOKIE, Cookie::Attempt.set(&ctx, &attempt.cookie())),
        (header::SET_COOKIE, Wanted::read(&asked.next).cookie(&ctx)),
    ];
    Ok((AppendHeaders(cookies), Redirect::to(address.as_str())).into_response())
}

#[derive(Deserialize)]
pub struct Key {
    key: String,
    #[serde(default)]
    next: String,
}

/// `POST /console/sign-in/key`
pub async fn with_key(
    State(ctx): State<Arc<Context>>,
    headers: HeaderMap,
    Form(form): Form<Key>,
) -> Result<Response, Refusal> {
    let hash = carillon_store::secret_hash(form.key.trim());
    let wanted = Wanted::read(&form.next);
    let key = ctx.store.api_key(&hash).await?.filter(|key| key.is_open(ctx.clock.now()));
    if key.is_none() {
        ctx.counters.add("console_keys_refused", 1);
        let problem = "This key is not known, or it was revoked or has expired.";
        return Ok(show(&ctx, &headers, StatusCode::UNAUTHORIZED, Some(problem), wanted));
    }
    let cookie = signed_in::begin(&ctx, Holder::Key { hash }).await?;
    let cookies = [(header::SET_COOKIE, cookie), (header::SET_COOKIE, Cookie::Visit.clear(&ctx))];
    Ok((AppendHeaders(cookies), Redirect::to(wanted.landing())).into_response())
}
