//! Who gives up a row that cannot be read, and when: whoever leased it for the
//! tenth time. Until then it may be a newer release's, or be repaired.

use carillon_domain::OrgId;
use carillon_store::keys::Key;
use carillon_store::{DueKind, StoreError};

use crate::Context;

/// Leases after which a row that cannot be read is believed to stay so.
const LEASES: u32 = 10;

/// Sets aside a row that was leased under `generation`, if it is that row which
/// cannot be read. True when it was.
///
/// # Errors
/// When the table does not answer: the row is due again, and so is this.
pub async fn after_leases(
    ctx: &Context,
    org: OrgId,
    kind: DueKind,
    generation: u32,
) -> Result<bool, StoreError> {
    if generation < LEASES {
        return Ok(false);
    }
    at_once(ctx, org, kind).await
}

/// The same for a row that cannot even be leased.
///
/// # Errors
/// As [`after_leases`].
pub async fn at_once(ctx: &Context, org: OrgId, kind: DueKind) -> Result<bool, StoreError> {
    match ctx.store.why_unreadable(org, kind).await? {
        Some(why) => row(ctx, &kind.key(org), &why).await,
        None => Ok(false),
    }
}

/// Sets a row aside by its key.
///
/// # Errors
/// As [`after_leases`].
pub async fn row(ctx: &Context, key: &Key, why: &str) -> Result<bool, StoreError> {
    let Some(letter) = ctx.store.set_aside(key, why, ctx.clock.now()).await? else {
        return Ok(false);
    };
    ctx.counters.add("rows_set_aside", 1);
    tracing::error!(letter = %letter.id, why, "a row that cannot be read is set aside");
    Ok(true)
}
