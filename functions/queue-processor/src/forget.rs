//! Erasures that are due: who asked for them is gone, or something was under
//! way.

use carillon_runtime::person::{self, EraseError};
use carillon_runtime::{Context, random};
use carillon_store::{DueEntry, DueKind};
use jiff::{SignedDuration, Timestamp};

/// The lease goes on for this long after the run must have ended.
const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(30);

/// Goes on with one; somebody else may have it.
pub async fn turn(ctx: &Context, entry: &DueEntry, deadline: Timestamp) -> Result<(), EraseError> {
    let DueKind::Erasure(address) = entry.kind else { return Ok(()) };
    let until = deadline + LEASE_MARGIN;
    if ctx.store.lease(entry, until, &random::token()).await?.is_none() {
        return Ok(());
    }
    let Some(erasure) = ctx.store.erasure(entry.org, address).await? else { return Ok(()) };
    person::go_on(ctx, erasure, deadline).await.map(drop)
}
