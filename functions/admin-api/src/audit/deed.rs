//! One request, as the audit log tells of it.

use std::net::IpAddr;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use carillon_domain::audit::{Entry, Outcome, changes, kept};
use carillon_domain::{Action, AuditId};
use carillon_runtime::{Context, random};
use serde_json::Value;

use super::{names, note};
use crate::auth::Caller;
use crate::problem::{Code, Problem};
use crate::request_id;
use crate::routes::Route;

/// Sending one message: who, what and when stand in the message's own row.
const TOLD_BY_ITS_ROW: [&str; 1] = ["/v1/messages"];
/// A body that names something which is not in this organization.
const NOT_HERE: [&str; 2] = ["unknown_template", "unknown_contact"];

pub struct Deed {
    entry: Entry,
    changes: bool,
}

impl Deed {
    /// Of a request that came through this route, in the organization of `caller`.
    pub fn new(
        ctx: &Context,
        route: &Route,
        caller: &Caller,
        client: Option<IpAddr>,
        path: &str,
    ) -> Self {
        let at = ctx.clock.now();
        let name = names::of(route);
        let at_ms = u64::try_from(at.as_millisecond()).unwrap_or(0);
        let entry = Entry {
            id: AuditId::new(at_ms, random::bytes()),
            org: caller.org,
            at,
            actor: caller.id.clone(),
            role: caller.role,
            action: name.action,
            resource_type: name.resource_type,
            resource_id: names::resource_id(route, path),
            outcome: Outcome::Begun,
            status: None,
            code: None,
            client: client.map(|address| address.to_string()),
            request_id: request_id::current(),
            before: None,
            after: None,
        };
        let changes = route.method != Method::GET
            && route.action != Action::Read
            && !(route.method == Method::POST && TOLD_BY_ITS_ROW.contains(&route.path));
        Self { entry, changes }
    }

    /// Works on the request, noted before and behind.
    ///
    /// # Errors
    /// When it cannot be noted: then it is not done, or not answered.
    pub async fn work(
        mut self,
        ctx: &Context,
        request: Request,
        next: Next,
    ) -> Result<Response, Problem> {
        if !self.changes {
            let response = next.run(request).await;
            return self.refused(ctx, response).await;
        }
        ctx.store.add_audit(&self.entry).await?;
        let (response, before) = note::listening(next.run(request)).await;
        let (response, shown) = shown(response).await;
        let id = shown.as_ref().and_then(|shown| shown["id"].as_str());
        if self.entry.resource_id.is_none() {
            self.entry.resource_id = id.map(str::to_owned);
        }
        if response.status().is_success() {
            let side = |value: Option<Value>| kept(&self.entry.resource_type, &value?);
            (self.entry.before, self.entry.after) = changes(side(before), side(shown));
        }
        self.ended(&response);
        if let Err(error) = ctx.store.add_audit(&self.entry).await {
            // It was noted that it began; that it ended well cannot be undone.
            ctx.counters.add("audit_end_lost", 1);
            tracing::error!(error = &error as &dyn std::error::Error, "an end is not in the log");
        }
        Ok(response)
    }

    /// Notes an answer that tells somebody that something is not his.
    ///
    /// # Errors
    /// When it cannot be noted: then the caller learns nothing either.
    pub async fn refused(mut self, ctx: &Context, response: Response) -> Result<Response, Problem> {
        self.ended(&response);
        let names_other = self.entry.code.as_deref().is_some_and(|code| NOT_HERE.contains(&code));
        if names_other {
            self.entry.outcome = Outcome::Denied;
        }
        if self.entry.outcome == Outcome::Denied {
            ctx.store.add_audit(&self.entry).await?;
        }
        Ok(response)
    }

    fn ended(&mut self, response: &Response) {
        let status = response.status().as_u16();
        self.entry.outcome = Outcome::of_status(status);
        self.entry.status = Some(status);
        self.entry.code = response.extensions().get::<Code>().map(|code| code.0.clone());
    }
}

/// The answer, and what it shows where it is JSON.
async fn shown(response: Response) -> (Response, Option<Value>) {
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    if !response.status().is_success() || content_type != Some("application/json") {
        return (response, None);
    }
    let (parts, body) = response.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(body) => {
            let shown = serde_json::from_slice(&body).ok();
            (Response::from_parts(parts, Body::from(body)), shown)
        }
        Err(_) => {
            let detail = "It was done, and the answer broke off; look at what is there.";
            (Problem::conflict("answer_lost", detail).into_response(), None)
        }
    }
}
