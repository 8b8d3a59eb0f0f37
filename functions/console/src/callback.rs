//! Back from the issuer. Nothing in the address is believed before its state is that of the attempt whose cookie
//! this browser has, and an attempt is good once.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use carillon_domain::Role;
use carillon_domain::audit::Entry;
use carillon_domain::session::Holder;
use carillon_identity::{Attempt, SignInError};
use carillon_runtime::{Context, people, random};
use carillon_store::{Member, OrganizationStatus, identity};
use serde::Deserialize;

use crate::cookies::Cookie;
use crate::page::Refusal;
use crate::signed_in;
use crate::wanted::Wanted;

/// In the audit log.
const SIGN_IN: &str = "member.sign_in";

#[derive(Deserialize)]
pub struct Answer {
    code: Option<String>,
    #[serde(default)]
    state: String,
}

/// `GET /console/callback`
pub async fn arrive(
    State(ctx): State<Arc<Context>>,
    Query(answer): Query<Answer>,
    headers: HeaderMap,
) -> Response {
    let gone = [Cookie::Attempt, Cookie::Wanted].map(|c| (header::SET_COOKIE, c.clear(&ctx)));
    match finish(&ctx, &answer, &headers).await {
        Ok(response) => (AppendHeaders(gone), response).into_response(),
        Err(refusal) => {
            ctx.counters.add("console_sign_ins_refused", 1);
            (AppendHeaders(gone), refusal).into_response()
        }
    }
}

async fn finish(ctx: &Context, answer: &Answer, headers: &HeaderMap) -> Result<Response, Refusal> {
    let now = ctx.clock.now();
    let attempt = Cookie::Attempt.read(ctx, headers);
    let attempt = attempt.as_deref().and_then(Attempt::from_cookie);
    let attempt = attempt.filter(|attempt| attempt.is_state(&answer.state));
    let (Some(attempt), Some(issuer)) = (attempt, &ctx.issuer) else { return Err(not_begun()) };
    if !ctx.store.take_attempt(&attempt.stored(), now).await? {
        return Err(not_begun());
    }
    let Some(code) = &answer.code else {
        let text = "The issuer did not sign you in. Try again, or ask who looks after accounts.";
        return Err(Refusal::new(StatusCode::FORBIDDEN, text));
    };
    let who = issuer.sign_in(&attempt, code, now).await.map_err(|error| refused(&error))?;
    let members = people::signed_in(ctx, &who, now).await?;
    let Some(member) = first_open(ctx, &members).await? else {
        let text = match &who.email {
            Some(email) => format!(
                "You are signed in as {email}, but no organization has invited this address. Ask \
                 an admin to add you as a member."
            ),
            None => "Your account has no verified e-mail address, so no invitation can be found. \
                     Have it verified, then sign in again."
                .to_owned(),
        };
        return Err(Refusal::new(StatusCode::FORBIDDEN, text));
    };
    // First: who is let in is in the log.
    let actor = member.id.to_string();
    let entry = Entry::of_actor(member.org, &actor, member.role, SIGN_IN, now, random::bytes());
    ctx.store.add_audit(&entry).await?;
    let identity = identity(&who.issuer, &who.subject);
    let holder = Holder::Member { org: member.org, id: member.id, identity };
    let cookies = [
        (header::SET_COOKIE, signed_in::begin(ctx, holder).await?),
        (header::SET_COOKIE, Cookie::Visit.clear(ctx)),
    ];
    let wanted = Wanted::of_cookie(ctx, headers);
    Ok((AppendHeaders(cookies), Redirect::to(wanted.landing())).into_response())
}

/// The first organization that is not shut.
async fn first_open<'a>(
    ctx: &Context,
    members: &'a [Member],
) -> Result<Option<&'a Member>, Refusal> {
    for member in members {
        let organization = ctx.store.organization(member.org).await?;
        let is_active = organization.is_some_and(|o| o.status == OrganizationStatus::Active);
        if is_active || member.role == Role::SuperAdmin {
            return Ok(Some(member));
        }
    }
    Ok(None)
}

fn not_begun() -> Refusal {
    let text = "This sign-in was not begun in this browser, took too long, or is over already. \
                Begin again.";
    Refusal::new(StatusCode::BAD_REQUEST, text)
}

fn refused(error: &SignInError) -> Refusal {
    tracing::warn!(error = error as &dyn std::error::Error, "a sign-in was refused");
    match error {
        SignInError::Token(_) | SignInError::Code => {
            let text = "What the issuer sent is not good for this sign-in. Begin again.";
            Refusal::new(StatusCode::FORBIDDEN, text)
        }
        SignInError::Unreachable { .. } | SignInError::Answer(_) | SignInError::Resting => {
            let text = "The issuer does not answer as it should. Try again shortly.";
            Refusal::new(StatusCode::BAD_GATEWAY, text)
        }
    }
}
