//! Who calls: an API key, of one organization, with one role; or a member, by an access token.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use carillon_domain::{OrgId, Role};
use carillon_runtime::Context;
use carillon_store::OrganizationStatus;
pub use carillon_store::secret_hash as hash;

use crate::member_token;
use crate::problem::Problem;

/// The caller of a request; the door makes it from the request's credential.
#[derive(Debug, Clone)]
pub struct Caller {
    pub org: OrgId,
    pub role: Role,
    /// The organization of the key itself; who manages organizations may act in another.
    pub home: OrgId,
    /// `key_…` or `mem_…`, as it stands in `created_by`.
    pub id: String,
}

/// Names the organization, for callers who may act in several.
pub const ORGANIZATION: &str = "carillon-organization";

/// Who sent a request with these headers, in his own organization.
///
/// # Errors
/// 401 when there is no key, or none that we know.
pub async fn caller(ctx: &Context, headers: &HeaderMap) -> Result<Caller, Problem> {
    let header = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let Some(header) = header else {
        return Err(refused("missing_key", "Send the API key as “Authorization: Bearer <key>”."));
    };
    let secret = header
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, secret)| secret.trim());
    let Some(secret) = secret else {
        return Err(refused("invalid_key", "The Authorization header must begin with “Bearer ”."));
    };
    if member_token::is_token(secret) {
        return member_token::caller(ctx, secret, headers).await;
    }
    let hash = hash(secret);
    let Some(key) = ctx.store.api_key(&hash).await? else {
        return Err(refused(
            "invalid_key",
            "This API key is not known; check that it was copied whole.",
        ));
    };
    let now = ctx.clock.now();
    if key.revoked_at.is_some() {
        return Err(refused("key_revoked", "This API key was revoked; ask an admin for another."));
    }
    if key.expires_at.is_some_and(|end| end <= now) {
        return Err(refused("key_expired", "This API key has expired; ask an admin for another."));
    }
    ctx.store.note_key_use(&key, &hash, now).await?;
    Ok(Caller { org: key.org, role: key.role, id: key.id.to_string(), home: key.org })
}

/// The caller in the organization that the request names, or else in his own.
///
/// # Errors
/// 404 for one that is not his, 403 for one that is suspended.
pub async fn in_organization(
    ctx: &Context,
    caller: Caller,
    headers: &HeaderMap,
) -> Result<Caller, Problem> {
    let org = match headers.get(ORGANIZATION) {
        None => caller.org,
        Some(name) => name
            .to_str()
            .ok()
            .and_then(|name| name.trim().parse::<OrgId>().ok())
            .filter(|org| *org == caller.org || caller.role == Role::SuperAdmin)
            .ok_or_else(|| Problem::not_found("organization"))?,
    };
    let organization = ctx.store.organization(org).await?;
    match organization.map(|o| o.status) {
        None => Err(Problem::not_found("organization")),
        // Who manages organizations can look into one that is suspended.
        Some(OrganizationStatus::Suspended) if caller.role != Role::SuperAdmin => {
            let detail = "This organization is suspended; whoever runs the installation knows why.";
            Err(Problem::new(StatusCode::FORBIDDEN, "organization_suspended", detail))
        }
        Some(OrganizationStatus::Suspended | OrganizationStatus::Active) => {
            Ok(Caller { org, ..caller })
        }
    }
}

/// Whom the door let in. A handler that takes it and stands behind no door
/// answers 401, always.
impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| refused("missing_key", "This address lets nobody in."))
    }
}

pub fn refused(code: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, detail)
}
