//! What we answer to STOP and HELP: messages like any other, through the same
//! gates, under an id that is made of the message that they answer, so that a
//! callback which comes again is answered once.
//!
//! Whoever wrote is awake, so quiet hours do not hold an answer back; one that
//! cannot go soon does not go at all. The confirmation of an opt-out is the one
//! message that its own suppression lets pass (`carillon_domain::gates`).

use carillon_domain::MessageId;
use carillon_domain::message::{Content, Message, Single, Source};
use carillon_domain::settings::{KeywordAnswers, Settings};
use carillon_runtime::{Context, outbox};
use jiff::{SignedDuration, Timestamp};
use serde_json::Map;

use crate::ReceiveError;

/// A confirmation that comes later is a message too many.
const STOP_WITHIN: SignedDuration = SignedDuration::from_mins(5);
const HELP_WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// Who makes them.
const BY: &str = "keyword";

/// Whether nothing stood against the person before this opt-out; a repeat of it
/// meets its own.
pub async fn is_first_stop(ctx: &Context, m: &Message) -> Result<bool, ReceiveError> {
    let before = ctx.store.gates_of(m.org, m.id.address(), m.channel).await?.suppression;
    Ok(before.is_none_or(|s| s.source_message_id == Some(m.id.to_string())))
}

/// Confirms an opt-out, where the organization has a text for it.
pub async fn stop(ctx: &Context, m: &Message, now: Timestamp) -> Result<(), ReceiveError> {
    let settings = ctx.store.settings(m.org).await?;
    match settings.stop_text.clone() {
        Some(text) => send(ctx, m, &settings, text, STOP_WITHIN, now).await,
        None => Ok(()),
    }
}

/// Says who writes, and how to stop it.
pub async fn help(ctx: &Context, m: &Message, now: Timestamp) -> Result<(), ReceiveError> {
    let settings = ctx.store.settings(m.org).await?;
    let text = match settings.help_text.clone() {
        Some(text) => text,
        None => {
            let organization = ctx.store.organization(m.org).await?;
            default_help(&organization.map(|o| o.name).unwrap_or_default())
        }
    };
    send(ctx, m, &settings, text, HELP_WITHIN, now).await
}

fn default_help(name: &str) -> String {
    format!("{name}: these messages are about what you asked us for. Reply STOP to get no more.")
}

async fn send(
    ctx: &Context,
    to: &Message,
    settings: &Settings,
    text: String,
    within: SignedDuration,
    now: Timestamp,
) -> Result<(), ReceiveError> {
    if settings.keyword_answers == KeywordAnswers::Provider {
        return Ok(());
    }
    let at = to.created_at;
    let cause: [&[u8]; 2] = [b"answer", to.id.as_bytes()];
    let single = Single {
        id: MessageId::new(to.id.address(), to.id.at_ms(), &cause),
        org: to.org,
        channel: to.channel,
        address: to.address.clone(),
        content: Content::text(text, None, Map::new()),
        source: Source::Answer { to: to.id },
        related: None,
        contact: to.contact,
        zone: None,
        integration: to.provider,
        scheduled_for: at,
        expires_at: Some(at + within),
        override_quiet_hours: true,
        created_by: BY.to_owned(),
    };
    outbox::post(ctx, &outbox::planned(ctx, single, now), now).await?;
    Ok(())
}
