//! The queues of a stack, as the template declares them for AWS.

use std::collections::HashMap;

use anyhow::Context as _;
use aws_sdk_sqs::types::QueueAttributeName;
use carillon_runtime::config::QueueUrls;

/// Six times the sender's time, as AWS asks for.
const SENDER_VISIBILITY: &str = "720";
const RECEIVER_VISIBILITY: &str = "180";
/// Deliveries before a body goes to the dead-letter queue.
const DELIVERIES: u32 = 5;

/// Makes the queues and their dead-letter queues.
///
/// # Errors
/// When the engine refuses.
pub async fn create(sqs: &aws_sdk_sqs::Client) -> anyhow::Result<QueueUrls> {
    let (sms_transactional, _) = pair(sqs, "sms-transactional", SENDER_VISIBILITY).await?;
    let (sms_bulk, _) = pair(sqs, "sms-bulk", SENDER_VISIBILITY).await?;
    let (receive, receive_dead) = pair(sqs, "receive", RECEIVER_VISIBILITY).await?;
    Ok(QueueUrls { sms_transactional, sms_bulk, receive, receive_dead })
}

/// URLs of the queue and of its dead letters.
async fn pair(
    sqs: &aws_sdk_sqs::Client,
    name: &str,
    visibility: &str,
) -> anyhow::Result<(String, String)> {
    let dead = queue(sqs, &format!("{name}-dead"), HashMap::new()).await?;
    let attributes = sqs
        .get_queue_attributes()
        .queue_url(&dead)
        .attribute_names(QueueAttributeName::QueueArn)
        .send()
        .await?;
    let arn = attributes.attributes().and_then(|a| a.get(&QueueAttributeName::QueueArn));
    let arn = arn.context("a queue without an ARN")?;
    let redrive = serde_json::json!({"deadLetterTargetArn": arn, "maxReceiveCount": DELIVERIES});
    let attributes = HashMap::from([
        (QueueAttributeName::VisibilityTimeout, visibility.to_owned()),
        (QueueAttributeName::RedrivePolicy, redrive.to_string()),
    ]);
    Ok((queue(sqs, name, attributes).await?, dead))
}

async fn queue(
    sqs: &aws_sdk_sqs::Client,
    name: &str,
    attributes: HashMap<QueueAttributeName, String>,
) -> anyhow::Result<String> {
    let made = sqs.create_queue().queue_name(name).set_attributes(Some(attributes)).send().await?;
    made.queue_url.context("a queue without a URL")
}
