//! More keys and organizations than the first, written below the API.

use carillon_admin_api::first_organization::hash;
use carillon_domain::{KeyId, OrgId, Role};
use carillon_runtime::Context;
use carillon_store::{ApiKey, Organization};

/// A key with this secret, whose organization is made if it is not there.
///
/// # Panics
/// When the table does not answer.
pub async fn add(ctx: &Context, org: OrgId, secret: &str, role: Role) -> KeyId {
    let now = ctx.clock.now();
    let organization = Organization::new(org, "Another", "story", now);
    ctx.store.ensure_organization(&organization).await.expect("an organization");
    let id = KeyId::from_hash(&[secret.as_bytes()]);
    let key = ApiKey::new(id, org, role, secret, now);
    ctx.store.ensure_api_key(&key, &hash(secret)).await.expect("a key");
    id
}
