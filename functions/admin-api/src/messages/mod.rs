//! `/v1/messages`.

pub mod actions;
pub mod create;
mod decide;
mod draft;
mod explained;
mod filter;
pub mod list;
pub mod preview;
mod walk;

use std::sync::Arc;

use axum::extract::State;
use carillon_domain::MessageId;
use carillon_runtime::Context;

use crate::answers::Json;
use crate::auth::Caller;
use crate::extract::Id;
use crate::problem::Problem;
use crate::view::message::{ExplainedMessage, Message};

pub use draft::{read_channel, read_expiry, read_text, read_time, read_word};

/// `GET /v1/messages/{id}`: a message, with its story in plain sentences.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<MessageId>,
) -> Result<Json<ExplainedMessage>, Problem> {
    let message = ctx.store.message(caller.org, id).await?;
    let message = message.ok_or_else(|| Problem::not_found("message"))?;
    let now = ctx.clock.now();
    let explanation = explained::of(&ctx, &message, now).await?;
    Ok(Json(ExplainedMessage { message: Message::of(&message, now), explanation }))
}
