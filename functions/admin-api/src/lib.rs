//! The REST API. It records intent and answers questions; it never talks to a
//! provider about a message (an integration's test is the one call it makes).
//!
//! Handlers are short: extract, authorize, one call, JSON. What is wrong with a
//! request is a [`problem::Problem`] with a stable code.

#![recursion_limit = "256"]

mod address;
mod auth;
mod bulk;
mod callbacks;
mod consents;
mod dead_letters;
mod extract;
pub mod first_organization;
mod health;
mod idempotency;
mod imports;
mod installation;
mod integrations;
mod lists;
mod messages;
mod problem;
mod request_id;
mod settings;
mod stats;
mod suppressions;
mod templates;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use carillon_runtime::Context;

/// JSON bodies; the CSV route has its own limit.
const JSON_LIMIT: usize = 64 * 1024;

pub fn router(ctx: Arc<Context>) -> Router {
    Router::new()
        .route("/v1/messages", post(messages::create::send).get(messages::list::list))
        .route("/v1/messages/preview", post(messages::preview::preview))
        .route(
            "/v1/messages/bulk",
            post(bulk::upload).layer(DefaultBodyLimit::max(bulk::BODY_LIMIT)),
        )
        .route("/v1/messages/{id}", get(messages::read))
        .route("/v1/messages/{id}/cancel", post(messages::actions::cancel))
        .route("/v1/messages/{id}/reschedule", post(messages::actions::reschedule))
        .route("/v1/messages/{id}/retry", post(messages::actions::retry))
        .route("/v1/imports/{id}", get(imports::read))
        .route("/v1/imports/{id}/rejected", get(imports::rejected))
        .route("/v1/templates", post(templates::create).get(templates::list))
        .route("/v1/templates/{id}", get(templates::read).patch(templates::update))
        .route("/v1/integrations/{provider}", get(integrations::read).put(integrations::put))
        .route("/v1/integrations/{provider}/test", post(integrations::test))
        .route("/v1/settings", get(settings::read).patch(settings::update))
        .route("/v1/consents", get(consents::list).post(consents::put))
        .route(
            "/v1/suppressions",
            get(suppressions::list).post(suppressions::put).delete(suppressions::lift),
        )
        .route("/v1/dead-letters", get(dead_letters::list))
        .route("/v1/dead-letters/{id}/redrive", post(dead_letters::redrive))
        .route("/v1/dead-letters/{id}/drop", post(dead_letters::drop))
        .route("/v1/stats", get(stats::read))
        .route("/v1/installation", get(installation::read))
        .route("/v1/installation/resume", post(installation::resume))
        .route("/healthz", get(health::read))
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(DefaultBodyLimit::max(JSON_LIMIT))
        .layer(middleware::from_fn(request_id::scope))
        .with_state(ctx)
}
