//! `POST /v1/messages`: one put is message, outbox and lease.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use carillon_domain::message::{Direction, Message, Source};
use carillon_domain::{Lane, MessageId};
use carillon_runtime::{Context, outbox, random};
use carillon_store::Remembered;
use jiff::Timestamp;
use serde_json::json;

pub use super::draft::Draft;
use super::draft::SendRequest;
use crate::answers::AcceptedOnce;
use crate::auth::Caller;
use crate::extract::Json;
use crate::idempotency;
use crate::problem::Problem;
use crate::view;

/// Of idempotency keys.
const SCOPE: &str = "message";
/// Generation a message is born with.
const BORN: u32 = 0;

/// `POST /v1/messages`: sends a message, now or at its time.
pub async fn send(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    headers: HeaderMap,
    Json { value: request, raw }: Json<SendRequest>,
) -> Result<AcceptedOnce<view::message::Message>, Problem> {
    let key = idempotency::key(&headers, request.idempotency_key.as_deref())?;
    let settings = ctx.store.settings(caller.org).await?;
    let now = ctx.clock.now();
    let hash = idempotency::request_hash(&[&raw]);
    let draft = match request.check(&ctx, &caller, &settings, now).await {
        Ok(draft) => draft,
        Err(problem) => {
            let first = idempotency::first(&ctx, caller.org, SCOPE, key.as_deref(), &hash).await?;
            let Some(first) = first else { return Err(problem) };
            let id = first.id.parse().map_err(|_| Problem::not_found("message"))?;
            return match ctx.store.message(caller.org, id).await? {
                Some(message) => {
                    let answer = repeated(first.answer, &message, now);
                    Ok(AcceptedOnce::new(answer, true))
                }
                None => Err(problem),
            };
        }
    };
    let mut message = message(&ctx, &caller, draft, key.as_deref(), now).await?;
    let mut answer = json!(view::message::Message::of(&message, now)).to_string();
    let mut replayed = false;
    if let Some(key) = key {
        let new = Remembered {
            request_hash: hash.clone(),
            id: message.id.to_string(),
            answer: answer.clone(),
            at: now,
        };
        if let Some(first) = ctx.store.remember(caller.org, SCOPE, &key, &new).await? {
            idempotency::check(&first, &hash)?;
            let id = first.id.parse().map_err(|_| Problem::not_found("message"))?;
            // The first request may have been cut off before its message was
            // there; then this one finishes it, under the id first chosen.
            message.id = id;
            if let Some(there) = ctx.store.message(caller.org, id).await? {
                let answer = repeated(first.answer, &there, now);
                return Ok(AcceptedOnce::new(answer, true));
            }
            if !first.answer.is_empty() {
                answer = first.answer;
            }
            replayed = true;
        }
    }
    outbox::post(&ctx, &message, now).await?;
    Ok(AcceptedOnce::new(answer, replayed))
}

/// Sends what another request has made a draft of.
///
/// # Errors
/// When the table does not answer.
pub async fn put(
    ctx: &Context,
    caller: &Caller,
    draft: Draft,
    now: Timestamp,
) -> Result<MessageId, Problem> {
    let message = message(ctx, caller, draft, None, now).await?;
    outbox::post(ctx, &message, now).await?;
    Ok(message.id)
}

/// The first answer again; after a day, or when the person was forgotten, the
/// message as it is.
fn repeated(first: String, message: &Message, now: Timestamp) -> String {
    if !first.is_empty() {
        return first;
    }
    json!(view::message::Message::of(message, now)).to_string()
}

/// When a message that is queued at once is due again, should the queue lose it.
pub fn queue_lease(ctx: &Context, now: Timestamp) -> Timestamp {
    ctx.config.tuning.queue_lease(now)
}

async fn message(
    ctx: &Context,
    caller: &Caller,
    draft: Draft,
    key: Option<&str>,
    now: Timestamp,
) -> Result<Message, Problem> {
    let address = ctx.address_key(caller.org, draft.to.as_str()).await?;
    let at = u64::try_from(now.as_millisecond()).unwrap_or(0);
    let id = match key {
        Some(key) => MessageId::new(address, at, &[b"key", key.as_bytes()]),
        None => MessageId::new(address, at, &[b"single", &random::bytes::<16>()]),
    };
    let due = if draft.scheduled_for <= now { queue_lease(ctx, now) } else { draft.scheduled_for };
    Ok(Message {
        id,
        org: caller.org,
        direction: Direction::Outbound,
        channel: draft.channel,
        address: draft.to.as_str().to_owned(),
        our_address: None,
        state: carillon_domain::message::State::Scheduled,
        content: draft.content,
        purpose: draft.purpose,
        lane: Lane::Transactional,
        source: Source::Single,
        related: draft.related,
        contact: draft.contact,
        zone: draft.zone,
        campaign: None,
        integration: draft.integration,
        provider: None,
        provider_message_id: None,
        price: None,
        scheduled_for: draft.scheduled_for,
        expires_at: Some(draft.expires_at),
        override_quiet_hours: draft.override_quiet_hours,
        created_by: caller.id.clone(),
        created_at: now,
        updated_at: now,
        sent_at: None,
        erased_at: None,
        attempts: Vec::new(),
        events: Vec::new(),
        decisions: Vec::new(),
        due: Some(due),
        generation: BORN,
        version: 1,
        token: random::token(),
        idle: 0,
    })
}
