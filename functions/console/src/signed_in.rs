//! Who is signed in. What a session's holder may do is looked up at each request.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use carillon_domain::session::{Holder, Session, Standing};
use carillon_domain::{OrgId, Role, ids};
use carillon_runtime::{Context, random};
use carillon_store::{Organization, OrganizationStatus, StoreError, StoredSession};
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;

use crate::cookies::Cookie;
use crate::door;
use crate::page::Refusal;
use crate::routes;

/// A handler that takes this needs somebody to be signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// The name of the session's row.
    pub hash: String,
    pub session: StoredSession,
    pub name: String,
    pub email: Option<String>,
    pub role: Role,
    pub organization: Organization,
    /// For the forms of a page.
    pub csrf: String,
}

impl FromRequestParts<Arc<Context>> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, ctx: &Arc<Context>) -> Result<Self, Response> {
        match find(ctx, &parts.headers, ctx.clock.now()).await {
            Ok(Some(signed_in)) => Ok(signed_in),
            Ok(None) => Err(Redirect::to(routes::SIGN_IN).into_response()),
            Err(error) => Err(Refusal::from(error).into_response()),
        }
    }
}

/// Begins a session; answers the cookie. Each sign-in has a new one, so that nobody can have planted it.
pub async fn begin(ctx: &Context, holder: Holder) -> Result<HeaderValue, StoreError> {
    let secret = ids::encode(&random::bytes::<32>());
    let session = StoredSession { holder, times: Session::begin(ctx.clock.now()) };
    ctx.store.begin_session(&hash(&secret), &session).await?;
    Ok(Cookie::Session.set(ctx, &secret))
}

/// The table never learns the cookie.
pub fn hash(cookie: &str) -> String {
    ids::encode(&ids::hash(&[b"session", cookie.as_bytes()]))
}

async fn find(
    ctx: &Context,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Option<SignedIn>, StoreError> {
    let Some(cookie) = Cookie::Session.read(ctx, headers) else { return Ok(None) };
    let hash = hash(&cookie);
    let Some(mut session) = ctx.store.session(&hash).await? else { return Ok(None) };
    let signed_out_at = ctx.store.signed_out_at(&session.holder).await?;
    let standing = session.times.standing(signed_out_at, now);
    if standing == Standing::Ended {
        return Ok(None);
    }
    let Some((person, org)) = Person::of(ctx, &session.holder, now).await? else { return Ok(None) };
    let Some(organization) = ctx.store.organization(org).await? else { return Ok(None) };
    // Who manages organizations can look into one that is suspended.
    let is_shut = organization.status == OrganizationStatus::Suspended;
    if is_shut && person.role != Role::SuperAdmin {
        return Ok(None);
    }
    if standing == Standing::OpenToNote {
        session.times.seen_at = now;
        ctx.store.keep_session(&hash, &session).await?;
    }
    let Person { name, email, role } = person;
    let csrf = door::token(&cookie);
    Ok(Some(SignedIn { hash, session, name, email, role, organization, csrf }))
}

/// What is shown of a holder, and what he may do.
struct Person {
    name: String,
    email: Option<String>,
    role: Role,
}

impl Person {
    async fn of(
        ctx: &Context,
        holder: &Holder,
        now: Timestamp,
    ) -> Result<Option<(Self, OrgId)>, StoreError> {
        match holder {
            Holder::Key { hash } => {
                let key = ctx.store.api_key(hash).await?.filter(|key| key.is_open(now));
                Ok(key.map(|key| {
                    let name = format!("API key “{}”", key.name);
                    (Self { name, email: None, role: key.role }, key.org)
                }))
            }
            Holder::Member { org, id, identity } => {
                let member = ctx.store.member(*org, *id).await?;
                let member = member.filter(|m| m.identity.as_ref() == Some(identity));
                Ok(member.map(|m| {
                    let name = if m.name.is_empty() { m.email.clone() } else { m.name };
                    (Self { name, email: Some(m.email), role: m.role }, m.org)
                }))
            }
        }
    }
}
