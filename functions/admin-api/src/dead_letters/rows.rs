//! Rows that could not be read when they were due, and were set aside. Somebody
//! repairs what cannot be read (or a release that reads it is deployed); then it
//! is redriven. Row first, letter second: a repeat meets the letter.

use carillon_domain::message::{Message, State};
use carillon_domain::{MessageId, OrgId};
use carillon_runtime::{Context, random};
use carillon_store::keys::Key;
use carillon_store::{DueKeys, DueKind, Letter};

use super::not_given_up;
use crate::auth::Caller;
use crate::problem::Problem;

/// Due again now, if it can be read again; what is settled needs nothing more.
///
/// # Errors
/// 409 while it cannot be read, or when somebody else was first.
pub async fn redrive(
    ctx: &Context,
    letter: &Letter,
    key: &Key,
    due: &DueKeys,
) -> Result<(), Problem> {
    let waits = match DueKind::of(key) {
        Some((org, kind)) => {
            if let Some(why) = ctx.store.why_unreadable(org, kind).await? {
                let detail = format!("The row still cannot be read ({why}); it needs a repair.");
                return Err(Problem::conflict("row_unreadable", detail));
            }
            match kind {
                DueKind::Message(id) => {
                    ctx.store.message(org, id).await?.is_some_and(|m| waits_by_itself(&m))
                }
                DueKind::Pack(_)
                | DueKind::Import(_)
                | DueKind::ContactImport(_)
                | DueKind::ContactExport(_)
                | DueKind::Erasure(_)
                | DueKind::Booking(_)
                | DueKind::Workshop(_) => true,
            }
        }
        None => true,
    };
    if waits {
        // A row that is gone leaves nothing to do.
        ctx.store.take_back_row(key, due, ctx.clock.now()).await?;
    }
    done(ctx, letter).await
}

/// Nothing comes of it any more. A message that can be read is cancelled, so
/// that it says so; what a pack or a file holds can be worked on again.
///
/// # Errors
/// 409 when it can be redriven instead, or somebody else was first.
pub async fn drop(
    ctx: &Context,
    caller: &Caller,
    letter: &Letter,
    key: &Key,
) -> Result<(), Problem> {
    match DueKind::of(key) {
        Some((org, kind)) if ctx.store.why_unreadable(org, kind).await?.is_none() => match kind {
            DueKind::Message(id) => cancel(ctx, caller, (org, id), &letter.reason).await?,
            DueKind::Pack(id) => {
                if ctx.store.pack(org, id).await?.is_some() {
                    return Err(readable());
                }
            }
            DueKind::Import(id) => {
                if ctx.store.import(org, id).await?.is_some() {
                    return Err(readable());
                }
            }
            DueKind::ContactExport(id) => {
                if ctx.store.contact_export(org, id).await?.is_some() {
                    return Err(readable());
                }
            }
            DueKind::ContactImport(id) => {
                if ctx.store.contact_import(org, id).await?.is_some() {
                    return Err(readable());
                }
            }
            DueKind::Erasure(address) => {
                if ctx.store.erasure(org, address).await?.is_some() {
                    return Err(readable());
                }
            }
            DueKind::Booking(id) => {
                if ctx.store.booking(org, id).await?.is_some() {
                    return Err(readable());
                }
            }
            DueKind::Workshop(id) => {
                if ctx.store.workshop(org, id).await?.is_some() {
                    return Err(readable());
                }
            }
        },
        Some(_) | None => {}
    }
    done(ctx, letter).await
}

async fn cancel(
    ctx: &Context,
    caller: &Caller,
    (org, id): (OrgId, MessageId),
    why: &str,
) -> Result<(), Problem> {
    let (now, token) = (ctx.clock.now(), random::token());
    let change = |m: &mut Message| m.drop_given_up(&caller.id, why, now).ok();
    ctx.store.change_message(org, id, &token, now, change).await?;
    Ok(())
}

/// Its next step is a sender's.
fn waits_by_itself(m: &Message) -> bool {
    match m.state {
        State::Scheduled | State::Sending { .. } | State::Unknown { held: false, .. } => true,
        State::Unknown { held: true, .. }
        | State::Accepted { .. }
        | State::Delivered { .. }
        | State::Read { .. }
        | State::Failed { .. }
        | State::Cancelled { .. }
        | State::Suppressed { .. }
        | State::Received => false,
    }
}

async fn done(ctx: &Context, letter: &Letter) -> Result<(), Problem> {
    if ctx.store.delete_letter(letter).await? { Ok(()) } else { Err(not_given_up()) }
}

fn readable() -> Problem {
    let detail = "The row can be read again: redrive it, then cancel what should not be sent.";
    Problem::conflict("row_readable", detail)
}
