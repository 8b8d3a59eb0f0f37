//! The web console: pages that a server renders, without a script.
//!
//! - [`routes`]: its addresses, in one table
//! - [`door`]: around each request: no form without its CSRF token, and the security headers
//! - [`cookies`]: what the browser keeps for us
//! - [`signed_in`]: who is signed in; a handler that takes it needs a session
//! - [`sign_in`], [`callback`], [`sign_out`]: coming and going
//! - [`home`]: who you are
//! - [`page`]: how pages are made, and the plain one that says what went wrong
//!
//! Nothing is retried: who gets a page that says so tries again.

mod assets;
mod callback;
mod cookies;
mod door;
mod home;
mod page;
pub mod routes;
mod sign_in;
mod sign_out;
mod signed_in;

use std::sync::Arc;

use axum::{Router, middleware};
use carillon_runtime::Context;

pub fn router(ctx: Arc<Context>) -> Router {
    routes::router()
        .layer(middleware::from_fn_with_state(Arc::clone(&ctx), door::pass))
        .with_state(ctx)
}
