//! Bookings that are due: who changed them is gone, or a notice was on its way.

use carillon_runtime::booking::{self, SyncError};
use carillon_runtime::{Context, random};
use carillon_store::{DueEntry, DueKind};
use jiff::{SignedDuration, Timestamp};

/// The lease goes on for this long after the run must have ended.
const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(30);

/// Brings the notices of one to what they should be; somebody else may have it.
pub async fn turn(ctx: &Context, entry: &DueEntry, deadline: Timestamp) -> Result<(), SyncError> {
    let DueKind::Booking(id) = entry.kind else { return Ok(()) };
    let until = deadline + LEASE_MARGIN;
    // To the millisecond, as it is stored.
    let until = Timestamp::from_millisecond(until.as_millisecond()).unwrap_or(until);
    if ctx.store.lease(entry, until, &random::token()).await?.is_none() {
        return Ok(());
    }
    booking::sync(ctx, entry.org, id, Some(until)).await.map(drop)
}
