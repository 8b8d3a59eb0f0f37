//! Messages that wait by themselves: one put is message, outbox and lease.
//!
//! Who plans one is cut off and repeats: the id decides, the first put counts,
//! and what was not queued is due again when its lease runs out.

use carillon_domain::message::{Message, Single};
use carillon_store::{Inserted, StoreError, TimelineEntry};
use jiff::{SignedDuration, Timestamp};

use crate::body::{SendBody, Sendable};
use crate::{Context, random};

/// As it is stored when it is planned now.
#[must_use]
pub fn planned(ctx: &Context, single: Single, now: Timestamp) -> Message {
    single.planned(now, ctx.config.tuning.queue_lease(now), random::token())
}

/// Stores a new message, its place in the time line first, and queues it when its
/// time has come.
///
/// # Errors
/// When the table does not answer; a repeat goes on.
pub async fn post(
    ctx: &Context,
    message: &Message,
    now: Timestamp,
) -> Result<Inserted, StoreError> {
    let place = i64::try_from(message.id.at_ms()).unwrap_or(0);
    let place = Timestamp::from_millisecond(place).unwrap_or(now);
    let entry = TimelineEntry::Message(message.id);
    ctx.store.note_in_timeline(message.org, place, entry, message.scheduled_for).await?;
    let inserted = ctx.store.insert_message(message).await?;
    if inserted == Inserted::New && message.scheduled_for <= now {
        queue_now(ctx, message).await;
    }
    Ok(inserted)
}

/// The message is born leased, so it may go to the queue at once. Should that
/// fail, its lease runs out and the queue processor finds it.
pub async fn queue_now(ctx: &Context, message: &Message) {
    let body = SendBody::new(message.org, Sendable::Message(message.id), message.generation);
    match ctx.queues.send(message.channel, message.lane, &[(body, SignedDuration::ZERO)]).await {
        Ok(refused) if refused.is_empty() => {}
        Ok(_) => ctx.counters.add("queue_refused", 1),
        Err(error) => {
            ctx.counters.add("queue_refused", 1);
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "left for the queue processor"
            );
        }
    }
}
