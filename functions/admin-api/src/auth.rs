//! Who calls: an API key, of one organization, with one role.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use carillon_domain::OrgId;
use carillon_runtime::Context;
use carillon_store::Role;
use sha2::{Digest, Sha256};

use crate::problem::Problem;

/// The caller of a request; extracting it is what makes a route need a key.
#[derive(Debug, Clone)]
pub struct Caller {
    pub org: OrgId,
    pub role: Role,
    /// `key_…`, as it stands in `created_by`.
    pub id: String,
}

impl Caller {
    /// # Errors
    /// 403 when the key's role is lower than `least`.
    pub fn require(&self, least: Role) -> Result<(), Problem> {
        if self.role >= least {
            return Ok(());
        }
        let detail = format!(
            "This key's role is {}; use one whose role is at least {}.",
            self.role.as_str(),
            least.as_str()
        );
        Err(Problem::new(StatusCode::FORBIDDEN, "role_too_low", detail))
    }
}

/// How a key's secret is stored.
#[must_use]
pub fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

impl FromRequestParts<Arc<Context>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, ctx: &Arc<Context>) -> Result<Self, Problem> {
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
        let Some(header) = header else {
            return Err(refused(
                "missing_key",
                "Send the API key as “Authorization: Bearer <key>”.",
            ));
        };
        let secret = header
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, secret)| secret.trim());
        let Some(secret) = secret else {
            return Err(refused(
                "invalid_key",
                "The Authorization header must begin with “Bearer ”.",
            ));
        };
        let key = ctx.store.api_key(&hash(secret)).await?;
        let Some(key) = key else {
            return Err(refused(
                "invalid_key",
                "This API key is not known; check that it was copied whole.",
            ));
        };
        Ok(Self { org: key.org, role: key.role, id: key.id.to_string() })
    }
}

fn refused(code: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, detail)
}
