//! In front of every route that needs a key: who calls, how fast, and whether he
//! may; what is done under an idempotency key is done once; what is done or
//! refused is in the audit log. Handlers take the [`Caller`] that was let in and
//! decide nothing about roles.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use carillon_domain::access;
use carillon_runtime::Context;

use crate::audit::{self, Deed};
use crate::auth::{self, Caller};
use crate::client;
use crate::hall::Hall;
use crate::inside;
use crate::once::{self, Start};
use crate::problem::Problem;
use crate::routes::Route;

/// What stands in front of one route.
#[derive(Clone)]
pub struct Door {
    pub ctx: Arc<Context>,
    pub route: Route,
    /// The same one behind all doors.
    pub hall: Arc<Hall>,
}

/// Lets a request through, or answers it.
pub async fn pass(State(door): State<Door>, request: Request, next: Next) -> Response {
    door.through(request, next).await.unwrap_or_else(IntoResponse::into_response)
}

impl Door {
    async fn through(&self, mut request: Request, next: Next) -> Result<Response, Problem> {
        let Self { ctx, route, hall } = self;
        let client = client::address(&request);
        let caller = match inside::vouched(&mut request) {
            Some(caller) => caller,
            None => hall.caller(ctx, request.headers(), client).await?,
        };
        hall.allowances.take(ctx, &caller).await?;
        audit::sighted(ctx, hall, &caller, client).await?;
        let path = request.uri().path().to_owned();
        let deed = |caller: &Caller| Deed::new(ctx, route, caller, client, &path);
        // Whom an organization does not let in is told so in his own one's log.
        let caller = match auth::in_organization(ctx, caller.clone(), request.headers()).await {
            Ok(caller) => caller,
            Err(problem) => return deed(&caller).refused(ctx, problem.into_response()).await,
        };
        if !access::allows(caller.role, route.action) {
            let problem = too_low(&caller, route);
            return deed(&caller).refused(ctx, problem.into_response()).await;
        }
        request.extensions_mut().insert(caller.clone());
        match once::start(ctx, route, &caller, request).await? {
            Start::Answer(response) => Ok(response),
            Start::Work(request, None) => deed(&caller).work(ctx, request, next).await,
            Start::Work(request, Some(held)) => {
                let response = deed(&caller).work(ctx, request, next).await;
                Ok(held.finish(response.unwrap_or_else(IntoResponse::into_response)).await)
            }
        }
    }
}

fn too_low(caller: &Caller, route: &Route) -> Problem {
    let detail = format!(
        "This key's role is {}; use one whose role is at least {}.",
        caller.role.as_str(),
        route.action.least().as_str()
    );
    Problem::new(StatusCode::FORBIDDEN, "role_too_low", detail)
}
