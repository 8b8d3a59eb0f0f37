//! What an event source mapping does on AWS: receives, invokes the function
//! with the payload it would get there, deletes what succeeded.

use std::sync::Arc;

use anyhow::Context as _;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};
use carillon_runtime::Context;
use jiff::SignedDuration;
use serde_json::{Value, json};

/// Lambda's limit on an invocation's payload.
const PAYLOAD_LIMIT: usize = 6 * 1024 * 1024;
/// The sender's time, as in the template.
const SENDER_SECONDS: i64 = 120;

/// A queue and the function behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mapping {
    SmsTransactional,
    SmsBulk,
    Receive,
}

impl Mapping {
    pub const ALL: [Self; 3] = [Self::SmsTransactional, Self::SmsBulk, Self::Receive];

    #[must_use]
    pub fn url(self, ctx: &Context) -> &str {
        match self {
            Self::SmsTransactional => &ctx.config.queues.sms_transactional,
            Self::SmsBulk => &ctx.config.queues.sms_bulk,
            Self::Receive => &ctx.config.queues.receive,
        }
    }

    /// A sender's body is a pack: one at a time.
    const fn batch(self) -> i32 {
        match self {
            Self::SmsTransactional | Self::SmsBulk => 1,
            Self::Receive => 10,
        }
    }

    /// Gives the function an event; answers what it could not do.
    pub async fn invoke(self, ctx: &Arc<Context>, event: SqsEvent) -> SqsBatchResponse {
        match self {
            Self::SmsTransactional | Self::SmsBulk => {
                let deadline = ctx.clock.now() + SignedDuration::from_secs(SENDER_SECONDS);
                // Boxed, as each invocation: a poller holds no sender inside itself.
                Box::pin(carillon_sender::handle(ctx, event, deadline)).await
            }
            Self::Receive => Box::pin(carillon_receiver::handle(ctx, event)).await,
        }
    }

    /// Receives once, waiting up to `wait_seconds` for something; answers how
    /// many bodies the function was given.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn poll(
        self,
        ctx: &Arc<Context>,
        sqs: &aws_sdk_sqs::Client,
        wait_seconds: i32,
    ) -> anyhow::Result<usize> {
        let received = sqs
            .receive_message()
            .queue_url(self.url(ctx))
            .max_number_of_messages(self.batch())
            .wait_time_seconds(wait_seconds)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await?;
        let messages = received.messages();
        if messages.is_empty() {
            return Ok(0);
        }
        let answer = self.invoke(ctx, event(messages)?).await;
        // What the function sees is a copy; what it answers crosses as JSON.
        let answer: Value = serde_json::to_value(&answer)?;
        let failed: Vec<&str> = answer["batchItemFailures"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|f| f["itemIdentifier"].as_str())
            .collect();
        let done =
            messages.iter().filter(|m| !failed.contains(&m.message_id().unwrap_or_default()));
        let mut delete = sqs.delete_message_batch().queue_url(self.url(ctx));
        let mut any = false;
        for (place, message) in done.enumerate() {
            any = true;
            delete = delete.entries(
                DeleteMessageBatchRequestEntry::builder()
                    .id(place.to_string())
                    .receipt_handle(message.receipt_handle().unwrap_or_default())
                    .build()?,
            );
        }
        if any {
            delete.send().await?;
        }
        Ok(messages.len())
    }
}

/// The payload as Lambda would hand it over: through JSON, within its limit.
///
/// # Errors
/// When it is too large.
pub fn event(messages: &[Message]) -> anyhow::Result<SqsEvent> {
    let records: Vec<Value> = messages
        .iter()
        .map(|m| {
            let attributes: serde_json::Map<String, Value> = m
                .attributes()
                .into_iter()
                .flatten()
                .map(|(name, value)| (name.as_str().to_owned(), value.as_str().into()))
                .collect();
            json!({
                "messageId": m.message_id(),
                "receiptHandle": m.receipt_handle(),
                "body": m.body(),
                "attributes": attributes,
                "messageAttributes": {},
                "md5OfBody": m.md5_of_body(),
                "eventSource": "aws:sqs",
                "awsRegion": crate::engines::REGION,
            })
        })
        .collect();
    let payload = json!({"Records": records}).to_string();
    anyhow::ensure!(payload.len() <= PAYLOAD_LIMIT, "the event is larger than Lambda takes");
    serde_json::from_str(&payload).context("the event is not an SQS event")
}
