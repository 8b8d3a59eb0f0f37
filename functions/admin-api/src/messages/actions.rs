//! Cancel, reschedule, retry: each one conditional write.

use std::sync::Arc;

use axum::extract::State;
use carillon_domain::message::{Message, Source};
use carillon_domain::transition::TooLate;
use carillon_domain::{MessageId, restore};
use carillon_runtime::outbox::queue_now;
use carillon_runtime::{Context, random};
use carillon_store::TimelineEntry;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::create::queue_lease;
use super::draft::read_time;
use crate::answers::{Accepted, Json};
use crate::auth::Caller;
use crate::extract::{self, Id};
use crate::problem::Problem;
use crate::{installation, view};

/// `POST /v1/messages/{id}/cancel`: it is not sent. Too late once it is being
/// sent: 409.
pub async fn cancel(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<MessageId>,
) -> Result<Json<view::message::Message>, Problem> {
    let now = ctx.clock.now();
    let by = caller.id.clone();
    let message = change(&ctx, &caller, id, now, |m| m.cancel(&by, now)).await?;
    Ok(Json(view::message::Message::of(&message, now)))
}

/// When it is to be sent instead.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = example())]
pub struct Reschedule {
    #[schemars(with = "Timestamp")]
    scheduled_for: String,
}

fn example() -> Value {
    json!({"scheduled_for": "2026-11-22T18:30:00+05:30"})
}

/// `POST /v1/messages/{id}/reschedule`: it is sent at another time.
pub async fn reschedule(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<MessageId>,
    extract::Json { value, .. }: extract::Json<Reschedule>,
) -> Result<Json<view::message::Message>, Problem> {
    let now = ctx.clock.now();
    let mut wrong = Vec::new();
    let at = read_time("scheduled_for", Some(&value.scheduled_for), now, &mut wrong);
    let Some(at) = at else { return Err(Problem::fields(wrong)) };
    let found = ctx.store.message(caller.org, id).await?;
    if let Some(message) = &found {
        may_be_moved(&ctx, message, now).await?;
    }
    let chosen = found.filter(|m| !m.has_default_expiry());
    if chosen.and_then(|m| m.expires_at).is_some_and(|end| end <= at) {
        let detail = "The message expires before this time; give an earlier one.";
        return Err(Problem::field("scheduled_for", "expires_before_due", detail));
    }
    let message = change(&ctx, &caller, id, now, |m| m.reschedule(at, now)).await?;
    keep_place(&ctx, &message, at).await?;
    Ok(Json(view::message::Message::of(&message, now)))
}

/// In a restored table a message's time says whether the original may have sent
/// it. Moved on, it would be sent again.
async fn may_be_moved(ctx: &Context, m: &Message, now: Timestamp) -> Result<(), Problem> {
    let mark = ctx.store.table_mark().await?;
    let held_since = installation::held_since(ctx.store.table_name(), mark.as_ref(), now);
    let release = mark.and_then(|mark| mark.release).map(|(release, _)| release);
    if !restore::keeps_its_time(m, held_since, release) {
        return Ok(());
    }
    let detail = "The table was restored from a backup, and this message may have been sent before: \
                  it keeps its time until that is known. Cancel it, or send another one.";
    Err(Problem::conflict("may_have_been_sent", detail))
}

/// `POST /v1/messages/{id}/retry`: a message that failed is tried again.
pub async fn retry(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<MessageId>,
) -> Result<Accepted<view::message::Message>, Problem> {
    let now = ctx.clock.now();
    let lease = queue_lease(&ctx, now);
    let message = change(&ctx, &caller, id, now, |m| m.retry(lease, now)).await?;
    queue_now(&ctx, &message).await;
    Ok(Accepted(view::message::Message::of(&message, now)))
}

/// Its place in the time line must be there as long as the message is. Of a file
/// the page is, for all of its messages.
async fn keep_place(ctx: &Context, message: &Message, due: Timestamp) -> Result<(), Problem> {
    let place = i64::try_from(message.id.at_ms()).unwrap_or(0);
    if let (Source::Single | Source::Answer { .. }, Ok(at)) =
        (&message.source, Timestamp::from_millisecond(place))
    {
        let entry = TimelineEntry::Message(message.id);
        ctx.store.note_in_timeline(message.org, at, entry, due).await?;
    }
    Ok(())
}

async fn change(
    ctx: &Context,
    caller: &Caller,
    id: MessageId,
    now: Timestamp,
    action: impl Fn(&mut Message) -> Result<(), TooLate>,
) -> Result<Message, Problem> {
    let changed =
        ctx.store.change_message(caller.org, id, &random::token(), now, |m| action(m).ok()).await?;
    match changed {
        None => Err(Problem::not_found("message")),
        Some((message, Some(()))) => Ok(message),
        Some((message, None)) => {
            let status = message.status(now).as_str();
            let detail = format!("The message is “{status}”; this cannot be done any more.");
            Err(Problem::conflict("too_late", detail))
        }
    }
}
