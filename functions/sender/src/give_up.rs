//! What fails again and again is given up, visibly, instead of being tried for
//! ever. A pack becomes a dead letter, for a person to redrive or drop; a single
//! message fails or is held, and a person may retry it.

use std::error::Error;

use carillon_domain::pack::{GIVE_UP_AFTER, Pack};
use carillon_domain::settings::Trouble;
use carillon_domain::transition::Verdict;
use carillon_domain::{MessageId, OrgId};
use carillon_runtime::accounts::AccountError;
use carillon_runtime::context::InstallationError;
use carillon_runtime::{Context, random, set_aside, trouble};
use carillon_store::{DueKind, StoreError};
use jiff::SignedDuration;

use crate::SendError;

/// First pause after a run that settled nothing; doubles, up to an hour.
const IDLE_PAUSE_SECONDS: i64 = 30;
/// Leases of a message after which an error that will be the same is believed.
const LASTING: u32 = 10;
/// And one that may pass: at three minutes a lease, about a day.
const PASSING: u32 = 480;
/// Said of a run that left no trace.
const CUT_OFF: &str = "its runs did not come to an end";

/// After a run without progress (the pack counts them): due again after a
/// pause, or given up. `trouble` is what went wrong last.
pub async fn rest(ctx: &Context, pack: &Pack, trouble: Option<&str>) -> Result<(), SendError> {
    if pack.idle_runs >= GIVE_UP_AFTER {
        return give_up(ctx, pack, trouble.unwrap_or("its messages do not move on")).await;
    }
    let pause = SignedDuration::from_secs(IDLE_PAUSE_SECONDS << pack.idle_runs.min(7));
    let due = ctx.clock.now() + pause.min(SignedDuration::from_hours(1));
    ctx.store.leave_pack(pack, pack.stage, Some(due), false, &random::token()).await?;
    Ok(())
}

/// A run that is cut off leaves nothing but its count. True when the pack has
/// had all its runs and is given up before another.
pub async fn is_used_up(ctx: &Context, pack: &Pack) -> Result<bool, SendError> {
    if pack.idle_runs <= GIVE_UP_AFTER {
        return Ok(false);
    }
    give_up(ctx, pack, CUT_OFF).await?;
    Ok(true)
}

async fn give_up(ctx: &Context, pack: &Pack, trouble: &str) -> Result<(), SendError> {
    let runs = pack.idle_runs.min(GIVE_UP_AFTER);
    let reason = format!("{runs} runs in a row came to nothing: {trouble}");
    if ctx.store.give_up_pack(pack, &reason, ctx.clock.now(), &random::token()).await? {
        ctx.counters.add("dead_letters", 1);
        tracing::error!(pack = %pack.id, reason, "a pack is given up");
        let what = "messages that cannot be sent were given up. Look at the dead letters.";
        trouble::tell(ctx, pack.org, Trouble::DeadLetter, "pack", what).await;
    }
    Ok(())
}

/// After a run of a single message that ended in an error. Best effort: the
/// message is due again, and so is this.
pub async fn message(ctx: &Context, org: OrgId, id: MessageId, error: &SendError) {
    let most = if is_lasting(error) { LASTING } else { PASSING };
    let (now, token) = (ctx.clock.now(), random::token());
    let change = ctx.store.change_message(org, id, &token, now, |m| {
        (m.idle >= most && m.give_up_working(&error.to_string(), now) == Verdict::Changed)
            .then_some(())
    });
    match change.await {
        Ok(Some((_, Some(())))) => {
            ctx.counters.add("messages_given_up", 1);
            tracing::error!(message = %id, error = error as &dyn Error, "a message is given up");
            let what = "a message that cannot be sent was given up. Look at the failed messages.";
            trouble::tell(ctx, org, Trouble::DeadLetter, "message", what).await;
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(error = &error as &dyn Error, "left for its lease"),
    }
}

/// After a run that ended in an error: its own row may be what cannot be read.
/// Best effort, as above.
pub async fn row(ctx: &Context, org: OrgId, kind: DueKind, leases: u32, error: &SendError) {
    if !matches!(error, SendError::Store(StoreError::Corrupt { .. })) {
        return;
    }
    if let Err(error) = set_aside::after_leases(ctx, org, kind, leases).await {
        tracing::warn!(error = &error as &dyn Error, "left for its lease");
    }
}

/// Whether the next run would end the same way.
fn is_lasting(error: &SendError) -> bool {
    match error {
        SendError::Address
        | SendError::Gone
        | SendError::Panicked
        | SendError::Store(StoreError::Corrupt { .. })
        | SendError::Account(
            AccountError::Unreadable(_) | AccountError::Store(StoreError::Corrupt { .. }),
        )
        | SendError::Installation(
            InstallationError::Length | InstallationError::Store(StoreError::Corrupt { .. }),
        ) => true,
        SendError::Store(StoreError::Unavailable { .. } | StoreError::Contended(_))
        | SendError::Account(
            AccountError::Secret(_)
            | AccountError::Store(StoreError::Unavailable { .. } | StoreError::Contended(_)),
        )
        | SendError::Installation(
            InstallationError::Secret(_)
            | InstallationError::Store(StoreError::Unavailable { .. } | StoreError::Contended(_)),
        ) => false,
    }
}
