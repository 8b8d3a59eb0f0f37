//! In front of every route that needs a key: who calls, and whether he may.
//! Handlers take the [`Caller`] that was let in and decide nothing about roles.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use carillon_domain::access;
use carillon_runtime::Context;

use crate::auth::{self, Caller};
use crate::idempotency;
use crate::problem::Problem;
use crate::routes::Route;

/// What stands in front of one route.
#[derive(Clone)]
pub struct Door {
    pub ctx: Arc<Context>,
    pub route: Route,
}

/// Lets a request through, or answers it.
pub async fn pass(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let caller = match auth::caller(&door.ctx, request.headers()).await {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    if !access::allows(caller.role, door.route.action) {
        return too_low(&caller, &door.route).into_response();
    }
    if door.route.method == Method::POST
        && let Err(problem) = idempotency::key(request.headers(), None)
    {
        return problem.into_response();
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

fn too_low(caller: &Caller, route: &Route) -> Problem {
    let detail = format!(
        "This key's role is {}; use one whose role is at least {}.",
        caller.role.as_str(),
        route.action.least().as_str()
    );
    Problem::new(StatusCode::FORBIDDEN, "role_too_low", detail)
}
