//! Receive: applies what providers told us. Nothing else believes a provider.
//!
//! Bodies come in any order, more than once, and before our own record of a
//! call. What cannot be applied now stays on the queue; it is the only place
//! where it is known.

mod answer;
mod inbound;
mod receipt;
mod refusal;
mod replies;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use carillon_domain::OrgId;
use carillon_domain::receipt::Receipt;
use carillon_runtime::body::{ReceiveBody, Received};
use carillon_runtime::context::InstallationError;
use carillon_runtime::{Context, trouble};
use carillon_store::StoreError;
use futures::{StreamExt, stream};

/// Bodies applied side by side.
const IN_FLIGHT: usize = 10;

#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Installation(#[from] InstallationError),
    #[error(transparent)]
    Trouble(#[from] trouble::TellError),
    #[error("the queue body cannot be read")]
    Body(#[from] serde_json::Error),
}

/// Applies a receipt at once, where it was verified. An error means that it must
/// be kept on the queue.
///
/// # Errors
/// When the table does not take it now.
pub async fn apply_receipt(ctx: &Context, org: OrgId, r: &Receipt) -> Result<(), ReceiveError> {
    receipt::apply(ctx, org, r).await
}

/// Applies an event's bodies; answers which must come again.
pub async fn handle(ctx: &Context, event: SqsEvent) -> SqsBatchResponse {
    let failed = stream::iter(event.records)
        .map(|record| async move {
            let body = record.body.unwrap_or_default();
            match apply(ctx, &body).await {
                Ok(()) => None,
                Err(error) => {
                    ctx.counters.add("receive_errors", 1);
                    tracing::warn!(error = &error as &dyn std::error::Error, "comes again");
                    record.message_id
                }
            }
        })
        .buffer_unordered(IN_FLIGHT)
        .filter_map(|failed| async { failed })
        .collect::<Vec<_>>()
        .await;
    let mut answer = SqsBatchResponse::default();
    for id in failed {
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = id;
        answer.batch_item_failures.push(failure);
    }
    answer
}

async fn apply(ctx: &Context, body: &str) -> Result<(), ReceiveError> {
    let body: ReceiveBody = serde_json::from_str(body)?;
    match body.what {
        Received::Receipt(r) => receipt::apply(ctx, body.org, &r).await,
        Received::Inbound(m) => inbound::apply(ctx, body.org, m, body.at).await,
        Received::Trouble { about, subject, what } => {
            Ok(trouble::pass_on(ctx, body.org, (about, &subject, &what), body.at).await?)
        }
        Received::Refused { message, attempt, failure, retry_after } => {
            refusal::apply(ctx, body.org, message, attempt, &failure, retry_after).await
        }
    }
}
