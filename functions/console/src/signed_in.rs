//! Who is signed in. What a session's holder may do is looked up at each request.

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use carillon_domain::session::{Holder, Session, Standing};
use carillon_domain::{OrgId, Role, ids};
use carillon_runtime::{Context, random};
use carillon_store::{Organization, OrganizationStatus, StoreError, StoredSession};
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;

use crate::cookies::Cookie;
use crate::desk::Console;
use crate::door;
use crate::page::Refusal;
use crate::routes;
use crate::wanted::Wanted;

/// A handler that takes this needs somebody to be signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// The name of the session's row.
    pub hash: String,
    pub session: StoredSession,
    /// `key_…` or `mem_…`.
    pub id: String,
    pub name: String,
    pub email: Option<String>,
    pub role: Role,
    pub organization: Organization,
    /// For the forms of a page.
    pub csrf: String,
}

impl FromRequestParts<Console> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let ctx = &console.ctx;
        match find(ctx, &parts.headers, ctx.clock.now()).await {
            Ok(Some(signed_in)) => Ok(signed_in),
            // To the sign-in, and back here. A part of a page cannot show it: its script goes there.
            Ok(None) => {
                let here = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |uri| &uri.0);
                let here = here.path_and_query().map_or("", |path| path.as_str());
                let door = Wanted::of_request(parts, here).through(routes::SIGN_IN);
                if parts.headers.contains_key("hx-request") {
                    Err((StatusCode::NO_CONTENT, [("hx-redirect", door)]).into_response())
                } else {
                    Err(Redirect::to(&door).into_response())
                }
            }
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
    let Person { id, name, email, role } = person;
    let csrf = door::token(&cookie);
    Ok(Some(SignedIn { hash, session, id, name, email, role, organization, csrf }))
}

/// What is shown of a holder, and what he may do.
struct Person {
    id: String,
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
                    let id = key.id.to_string();
                    (Self { id, name, email: None, role: key.role }, key.org)
                }))
            }
            Holder::Member { org, id, identity } => {
                let member = ctx.store.member(*org, *id).await?;
                let member = member.filter(|m| m.identity.as_ref() == Some(identity));
                Ok(member.map(|m| {
                    let name = if m.name.is_empty() { m.email.clone() } else { m.name };
                    let id = m.id.to_string();
                    (Self { id, name, email: Some(m.email), role: m.role }, m.org)
                }))
            }
        }
    }
}
