//! `Idempotency-Key`: the same request twice is done once.

use axum::http::HeaderMap;
use carillon_domain::{ImportId, OrgId, ids};
use carillon_runtime::Context;
use carillon_store::Remembered;

use crate::problem::Problem;

/// Longest key that is taken, in characters.
const LONGEST: usize = 255;

/// The key of a request, from the header or the body (the same thing).
///
/// # Errors
/// 422 when it is too long, or the two differ.
pub fn key(headers: &HeaderMap, in_body: Option<&str>) -> Result<Option<String>, Problem> {
    let header = headers.get("idempotency-key").map(|v| v.to_str().unwrap_or_default().trim());
    if let (Some(header), Some(body)) = (header, in_body)
        && header != body
    {
        let detail = "The header and the body carry different idempotency keys; send one.";
        return Err(Problem::field("idempotency_key", "idempotency_key_differs", detail));
    }
    let Some(key) = header.or(in_body) else { return Ok(None) };
    if key.is_empty() || key.chars().count() > LONGEST {
        let detail = format!("An idempotency key has 1 to {LONGEST} characters.");
        return Err(Problem::field("idempotency_key", "invalid_idempotency_key", detail));
    }
    Ok(Some(key.to_owned()))
}

/// What identifies a request: the same hash is the same request.
pub fn request_hash(parts: &[&[u8]]) -> String {
    ids::encode(&ids::hash(parts)[..20])
}

/// # Errors
/// 409 when the key was used for another request.
pub fn check(first: &Remembered, hash: &str) -> Result<(), Problem> {
    if first.request_hash == hash {
        return Ok(());
    }
    Err(reused())
}

pub fn reused() -> Problem {
    let detail =
        "This idempotency key was used for another request; use a new key for a new request.";
    Problem::conflict("idempotency_key_reused", detail)
}

/// Remembers what a request promises. Answers the first one, where this is its
/// repeat.
///
/// # Errors
/// 409 when the key was used for another request.
pub async fn remember(
    ctx: &Context,
    org: OrgId,
    scope: &str,
    key: Option<&str>,
    new: &Remembered,
) -> Result<Option<Remembered>, Problem> {
    let Some(key) = key else { return Ok(None) };
    let first = ctx.store.remember(org, scope, key, new).await?;
    if let Some(first) = &first {
        check(first, &new.request_hash)?;
    }
    Ok(first)
}

/// As [`first`], of a file: the import that it became, and its answer.
///
/// # Errors
/// 409 when the key was used for another request.
pub async fn first_import(
    ctx: &Context,
    org: OrgId,
    scope: &str,
    key: Option<&str>,
    hash: &str,
) -> Result<Option<(ImportId, String)>, Problem> {
    let Some(first) = first(ctx, org, scope, key, hash).await? else { return Ok(None) };
    Ok(Some((import_of(&first)?, first.answer)))
}

/// The import that a request became.
///
/// # Errors
/// When it became none.
pub fn import_of(first: &Remembered) -> Result<ImportId, Problem> {
    first.id.parse().map_err(|_| Problem::not_found("import"))
}

/// A request that is refused now may be the repeat of one that was right when
/// it came first, such as one whose time has passed since. Answers that one,
/// for the caller to make sure that what it promised is there.
///
/// # Errors
/// 409 when the key was used for another request.
pub async fn first(
    ctx: &Context,
    org: OrgId,
    scope: &str,
    key: Option<&str>,
    hash: &str,
) -> Result<Option<Remembered>, Problem> {
    let Some(key) = key else { return Ok(None) };
    let Some(first) = ctx.store.remembered(org, scope, key).await? else { return Ok(None) };
    check(&first, hash)?;
    Ok(Some(first))
}
