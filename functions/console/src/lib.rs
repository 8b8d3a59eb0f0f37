//! The web console: pages that a server renders, of what the API says. They work without a script; one makes what
//! waits follow by itself.
//!
//! - [`routes`]: its addresses, in one table
//! - [`door`]: around each request: no form without its CSRF token, and the security headers
//! - [`cookies`], [`looks`]: what the browser keeps for us
//! - [`signed_in`]: who is signed in; [`desk`]: he at work, with the API ([`api`]) in his name
//! - [`sign_in`], [`callback`], [`sign_out`], [`home`]: coming and going, and who you are
//! - [`frame`], [`page`], [`assets`], [`notice`]: what pages are made of
//! - [`sent`]: a form, and what is wrong with it; [`when`], [`figures`], [`chart`]: how things are shown
//! - one module a page, called as its address is
//!
//! Nothing is retried: who gets a page that says so tries again.

mod api;
mod assets;
mod audit_log;
mod bookings;
mod bulk;
mod callback;
mod chart;
mod contact_file;
mod contact_import;
mod contacts;
mod cookies;
mod counts;
mod dead_letters;
mod desk;
mod door;
mod dry_run;
mod exports;
mod figures;
mod frame;
mod home;
mod imports;
mod integrations;
mod lists;
mod looks;
mod members;
mod message;
mod messages;
mod notice;
mod opt_outs;
mod page;
pub mod routes;
mod segments;
mod send;
mod sent;
mod sequences;
mod settings;
mod sign_in;
mod sign_out;
mod signed_in;
mod statistics;
mod status;
mod tags;
mod templates;
mod today;
mod upload;
mod wanted;
mod when;
mod workshop;
mod workshops;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::HeaderValue;
use axum::{Router, middleware};
use carillon_domain::session::Holder;
use carillon_runtime::Context;
use carillon_store::StoreError;

use crate::desk::Console;

/// A session for somebody whom the caller has let in, as a cookie to set.
///
/// # Errors
/// When the table does not answer.
pub async fn begin_session(ctx: &Context, holder: Holder) -> Result<HeaderValue, StoreError> {
    signed_in::begin(ctx, holder).await
}

pub fn router(ctx: Arc<Context>) -> Router {
    let api = carillon_admin_api::inside::router(Arc::clone(&ctx));
    // The door has limited the body.
    routes::router()
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(Arc::clone(&ctx), door::pass))
        .with_state(Console { ctx, api })
}
