//! The first organization, made at the first start with the admin key that the
//! installation was given. Only the key's hash is known here.

use carillon_domain::{KeyId, OrgId, Role};
use carillon_runtime::Context;
use carillon_runtime::context::InstallationError;
use carillon_store::{ApiKey, Organization};

pub use crate::auth::hash;
use crate::templates;

/// The organization that the first key opens; always the same one.
#[must_use]
pub fn id() -> OrgId {
    OrgId::from_hash(&[b"first organization"])
}

/// Makes the organization and the key if they are not there. Idempotent.
///
/// # Errors
/// When the table or KMS does not answer.
pub async fn ensure(ctx: &Context, key_sha256: &str) -> Result<OrgId, InstallationError> {
    let org = id();
    let now = ctx.clock.now();
    let organization = Organization::new(org, "My organization", "installation", now);
    ctx.store.ensure_organization(&organization).await?;
    let hash = key_sha256.to_ascii_lowercase();
    let id = KeyId::from_hash(&[b"first key", hash.as_bytes()]);
    let key = ApiKey::new(id, org, Role::SuperAdmin, "Installation", now);
    ctx.store.ensure_api_key(&key, &hash).await?;
    templates::first::ensure(ctx, org, "installation").await?;
    // Drawn here, by the one function that may encrypt: the others only read it.
    ctx.address_secret().await?;
    Ok(org)
}
