//! The link that `cargo run` prints: it signs in whoever follows it first, once, within minutes. It is part of the
//! local stack alone; the console on AWS knows nothing of it.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum::routing::get;
use carillon_domain::ids;
use carillon_domain::session::Holder;
use carillon_runtime::{Context, random};
use jiff::{SignedDuration, Timestamp};

/// How long it can be followed.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(10);

/// A link that was printed and not followed yet.
#[derive(Debug, Clone, Default)]
pub struct FirstVisit(Arc<Mutex<Option<Link>>>);

#[derive(Debug)]
struct Link {
    /// The hash of what it ends in.
    token: [u8; 32],
    until: Timestamp,
    /// Whose key it stands for.
    key_hash: String,
}

impl FirstVisit {
    /// The path of a new link; one before it is good no more.
    #[must_use]
    pub fn link(&self, ctx: &Context, key_hash: &str) -> String {
        let token = ids::encode(&random::bytes::<32>());
        let until = ctx.clock.now() + GOOD_FOR;
        let link = Link { token: hash(&token), until, key_hash: key_hash.to_owned() };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(link);
        format!("/console/first-visit/{token}")
    }

    /// Whose key the link stands for, the first time that it is followed in time.
    fn take(&self, token: &str, now: Timestamp) -> Option<String> {
        let mut link = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = link.as_ref().is_some_and(|link| link.token == hash(token) && now < link.until);
        if is_it { link.take().map(|link| link.key_hash) } else { None }
    }

    pub fn router(&self, ctx: Arc<Context>) -> Router {
        let router = Router::new().route("/console/first-visit/{token}", get(follow));
        router.with_state((self.clone(), ctx))
    }
}

/// What is compared is a hash, so that the time that it takes tells nothing.
fn hash(token: &str) -> [u8; 32] {
    ids::hash(&[b"first visit", token.as_bytes()])
}

async fn follow(
    State((visit, ctx)): State<(FirstVisit, Arc<Context>)>,
    Path(token): Path<String>,
) -> Response {
    let Some(hash) = visit.take(&token, ctx.clock.now()) else {
        return Redirect::to("/console/sign-in").into_response();
    };
    match carillon_console::begin_session(&ctx, Holder::Key { hash }).await {
        Ok(cookie) => {
            let headers = [(header::SET_COOKIE, cookie)];
            (AppendHeaders(headers), Redirect::to("/console")).into_response()
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "nobody is signed in");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
