//! The REST API. It records intent and answers questions; it never talks to a
//! provider about a message (an integration's test is the one call it makes).
//!
//! [`routes`] is the table of them; `door` lets callers in. Handlers are short:
//! extract, one call, JSON. What is wrong with a request is a [`problem::Problem`] with a stable code.

#![recursion_limit = "256"]

mod address;
mod allowance;
mod answers;
mod api_keys;
pub mod audit;
pub mod auth;
mod bookings;
mod bulk;
mod callbacks;
mod campaigns;
pub mod client;
mod consents;
mod contact_lists;
mod contacts;
mod dead_letters;
mod door;
mod etag;
mod extract;
mod feedback;
pub mod first_organization;
mod hall;
mod health;
mod idempotency;
mod imports;
pub mod inside;
mod installation;
mod integrations;
mod lists;
mod member_token;
pub mod members;
mod messages;
mod months;
mod names;
mod once;
pub mod openapi;
mod organizations;
mod people;
mod problem;
mod request_id;
pub mod routes;
mod secret_key;
mod segments;
mod sequences;
mod settings;
mod shield;
mod stats;
mod strangers;
mod suppressions;
mod tags;
mod templates;
mod texts;
mod times;
mod uploads;
mod view;
mod workshops;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use carillon_runtime::Context;

/// JSON bodies; the CSV route has its own limit.
const JSON_LIMIT: usize = 64 * 1024;

/// The API as the network reaches it.
pub fn router(ctx: Arc<Context>) -> Router {
    routed(ctx).layer(middleware::map_request(inside::from_outside))
}

fn routed(ctx: Arc<Context>) -> Router {
    routes::router(&ctx)
        .merge(feedback::router())
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(DefaultBodyLimit::max(JSON_LIMIT))
        .layer(middleware::from_fn_with_state(Arc::clone(&ctx), shield::around))
        .layer(middleware::from_fn(request_id::scope))
        .with_state(ctx)
}
