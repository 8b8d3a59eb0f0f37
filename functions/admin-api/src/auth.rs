//! Who calls: an API key, of one organization, with one role.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use carillon_domain::{OrgId, Role};
use carillon_runtime::Context;
use sha2::{Digest, Sha256};

use crate::problem::Problem;

/// The caller of a request; the door makes it from the request's key.
#[derive(Debug, Clone)]
pub struct Caller {
    pub org: OrgId,
    pub role: Role,
    /// `key_…`, as it stands in `created_by`.
    pub id: String,
}

/// How a key's secret is stored.
#[must_use]
pub fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// Who sent a request with these headers.
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
    let key = ctx.store.api_key(&hash(secret)).await?;
    let Some(key) = key else {
        return Err(refused(
            "invalid_key",
            "This API key is not known; check that it was copied whole.",
        ));
    };
    Ok(Caller { org: key.org, role: key.role, id: key.id.to_string() })
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

fn refused(code: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, detail)
}
