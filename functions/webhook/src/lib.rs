//! Webhook: lets the outside in. A callback is verified before anything in it
//! is believed; whoever cannot show a signature gets 403 and leaves nothing but
//! a counter. Before it is answered 2xx it is kept: a receipt on its message, by
//! the receiver's own rules, or on the receive queue when the table does not
//! take it; what a person wrote always on the queue.

mod organization;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, OriginalUri, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use carillon_domain::ProviderName;
use carillon_domain::keywords::{Keyword, Match};
use carillon_domain::receipt::InboundMessage;
use carillon_providers::{Callback, CallbackEvent, provider};
use carillon_runtime::Context;
use carillon_runtime::body::{ReceiveBody, Received};
use carillon_runtime::queues::QueueError;
use carillon_store::StoreError;
use jiff::Timestamp;

use crate::organization::Owner;

/// No provider sends more; Twilio's largest are a few kilobytes.
const BODY_LIMIT: usize = 256 * 1024;

/// `POST /webhooks/{provider}/{rest}`.
pub fn router(ctx: Arc<Context>) -> Router {
    Router::new()
        .route("/webhooks/{provider}/{*rest}", post(callback))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(ctx)
}

async fn callback(
    State(ctx): State<Arc<Context>>,
    Path((name, rest)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(name) = ProviderName::parse(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let path = uri.path_and_query().map_or("", |p| p.as_str());
    let url = format!("{}{path}", public_base(&ctx, &headers));
    let header = |wanted: &str| headers.get(wanted).and_then(|value| value.to_str().ok());
    let callback = Callback { url: &url, header: &header, body: &body };

    let owner = match organization::of(&ctx, name, &rest, &callback).await {
        Ok(Owner::Nobody) => {
            ctx.counters.add("forged_callbacks", 1);
            return StatusCode::FORBIDDEN.into_response();
        }
        Ok(owner) => owner,
        Err(error) => return unavailable(&ctx, &error),
    };
    let events = match provider(name).read_callback(&callback) {
        Ok(events) => events,
        Err(error) => {
            ctx.counters.add("malformed_callbacks", 1);
            tracing::warn!(provider = name.as_str(), %error, "a signed callback cannot be read");
            return StatusCode::BAD_REQUEST.into_response();
        }
    };
    for event in events {
        if let Err(error) = keep(&ctx, &owner, event).await {
            return unavailable(&ctx, &error);
        }
    }
    let (content_type, body) = provider(name).callback_answer();
    ([(header::CONTENT_TYPE, content_type)], body).into_response()
}

#[derive(Debug, thiserror::Error)]
enum KeepError {
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a person wrote to the installation's own account: for the organization
/// that wrote to them last. An opt-out is for all that did, since nobody knows who
/// was meant; it is confirmed by the last alone.
async fn shared(ctx: &Context, m: InboundMessage, now: Timestamp) -> Result<(), KeepError> {
    let account = ctx.config.installation_account.as_ref();
    let writers = match account.map(|account| account.key_of(&m.from)) {
        Some(number) => ctx.store.writers_to(number).await?,
        None => Vec::new(),
    };
    let Some((last, others)) = writers.split_first() else {
        ctx.counters.add("callbacks_without_address", 1);
        return Ok(());
    };
    if is_stop(&m) {
        for org in others {
            let m = InboundMessage { keyword: Some(Keyword::Stop), ..m.clone() };
            ctx.queues.receive(&ReceiveBody::new(*org, Received::Inbound(m), now)).await?;
        }
    }
    Ok(ctx.queues.receive(&ReceiveBody::new(*last, Received::Inbound(m), now)).await?)
}

/// Keeps an event for whom it belongs to.
async fn keep(ctx: &Context, owner: &Owner, event: CallbackEvent) -> Result<(), KeepError> {
    let now = ctx.clock.now();
    match (owner, event) {
        (Owner::One(org), CallbackEvent::Receipt(r)) => {
            let Err(error) = carillon_receiver::apply_receipt(ctx, *org, &r).await else {
                return Ok(());
            };
            ctx.counters.add("receipts_queued", 1);
            tracing::warn!(error = &error as &dyn std::error::Error, "left to the receiver");
            let body = ReceiveBody::new(*org, Received::Receipt(r), now);
            Ok(ctx.queues.receive(&body).await?)
        }
        (Owner::One(org), CallbackEvent::Inbound(m)) => {
            let body = ReceiveBody::new(*org, Received::Inbound(m), now);
            Ok(ctx.queues.receive(&body).await?)
        }
        // Nobody reads another's mail; an opt-out counts for all who may have
        // been meant.
        (Owner::OneOf(orgs), CallbackEvent::Inbound(m)) if is_stop(&m) => {
            // Nobody knows who was meant, so nobody answers.
            let m = InboundMessage { keyword: Some(Keyword::Stop), ..m };
            for org in orgs {
                let what = Received::Inbound(m.clone());
                ctx.queues.receive(&ReceiveBody::new(*org, what, now)).await?;
            }
            Ok(())
        }
        (Owner::Shared, CallbackEvent::Inbound(m)) => shared(ctx, m, now).await,
        (
            Owner::OneOf(_) | Owner::Shared,
            CallbackEvent::Receipt(_) | CallbackEvent::Inbound(_),
        ) => {
            ctx.counters.add("callbacks_without_address", 1);
            Ok(())
        }
        (Owner::Nobody, _) | (_, CallbackEvent::Ignored) => Ok(()),
    }
}

fn is_stop(m: &InboundMessage) -> bool {
    m.said().and_then(Match::keyword) == Some(Keyword::Stop)
}

/// The provider is told to come again.
fn unavailable(ctx: &Context, error: &(dyn std::error::Error + 'static)) -> Response {
    ctx.counters.add("webhook_errors", 1);
    tracing::error!(error, "a callback could not be kept");
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")]).into_response()
}

/// The address that providers call. Where it is not configured, the platform's
/// own host name is: API Gateway and function URLs set `Host` themselves.
fn public_base(ctx: &Context, headers: &HeaderMap) -> String {
    ctx.config.public_url.clone().unwrap_or_else(|| {
        let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
        format!("https://{host}")
    })
}
