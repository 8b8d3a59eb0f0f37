//! Keys of other roles and of other organizations.

use carillon_domain::{KeyId, OrgId, Role};
use carillon_store::{ApiKey, Organization};

use crate::World;

/// A key of the world's own organization; answers its secret.
///
/// # Panics
/// When the table does not answer.
pub async fn of_same(world: &World, role: Role) -> String {
    make(world, world.stack.org, "same", role).await
}

/// A key of an organization of that name; answers its secret.
///
/// # Panics
/// When the table does not answer.
pub async fn of_another(world: &World, name: &str, role: Role) -> String {
    make(world, OrgId::from_hash(&[name.as_bytes()]), name, role).await
}

async fn make(world: &World, org: OrgId, name: &str, role: Role) -> String {
    let secret = format!("crl_{name}_{}", role.as_str());
    let organization = Organization { id: org, name: name.to_owned(), created_at: world.now() };
    let key = ApiKey { id: KeyId::from_hash(&[secret.as_bytes()]), org, role };
    let hash = carillon_admin_api::first_organization::hash(&secret);
    let made = world.stack.ctx.store.ensure_organization(&organization, &key, &hash).await;
    made.expect("the table answers");
    secret
}
