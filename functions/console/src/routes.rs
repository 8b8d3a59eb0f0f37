//! The console's addresses. Each that takes a form takes it by POST, and the door has looked at its token.

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use axum::routing::{MethodRouter, get, post};
use carillon_runtime::Context;

use crate::{assets, callback, home, sign_in, sign_out};

pub const HOME: &str = "/console";
pub const SIGN_IN: &str = "/console/sign-in";
/// The issuer sends people back here; it has the address in its client's settings.
pub const CALLBACK: &str = "/console/callback";

struct Entry(Method, &'static str, MethodRouter<Arc<Context>>);

/// Methods and addresses, for tests that try all of them.
#[must_use]
pub fn table() -> Vec<(Method, &'static str)> {
    entries().into_iter().map(|Entry(method, path, _)| (method, path)).collect()
}

pub fn router() -> Router<Arc<Context>> {
    entries()
        .into_iter()
        .fold(Router::new(), |router, Entry(_, path, handler)| router.route(path, handler))
}

#[rustfmt::skip]
fn entries() -> Vec<Entry> {
    vec![
        Entry(Method::GET, HOME, get(home::page)),
        Entry(Method::GET, SIGN_IN, get(sign_in::page)),
        Entry(Method::GET, "/console/sign-in/person", get(sign_in::with_issuer)),
        Entry(Method::POST, "/console/sign-in/key", post(sign_in::with_key)),
        Entry(Method::GET, CALLBACK, get(callback::arrive)),
        Entry(Method::POST, "/console/sign-out", post(sign_out::here)),
        Entry(Method::POST, "/console/sign-out/everywhere", post(sign_out::everywhere)),
        Entry(Method::POST, "/console/organization", post(home::choose_organization)),
        Entry(Method::GET, "/console/assets/console.css", get(assets::style)),
    ]
}
