//! Sending to the queues. Receiving is the platform's work (an event source
//! mapping, or the local stack's pollers).

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use carillon_domain::{Channel, Lane, OrgId};
use jiff::SignedDuration;

use crate::body::{ReceiveBody, SendBody};
use crate::config::QueueUrls;

/// The longest that a queue keeps a body back.
pub const LONGEST_DELAY: SignedDuration = SignedDuration::from_mins(15);

/// Seconds that a given-up body is hidden while somebody keeps it.
const OUT_OF_SIGHT: i32 = 60;

#[derive(Debug, Clone)]
pub struct Queues {
    client: Client,
    urls: QueueUrls,
}

/// A queue did not take a body. Due rows are the durable record: what was not
/// queued is due again when its lease runs out.
#[derive(Debug, thiserror::Error)]
#[error("the queue did not take the message")]
pub struct QueueError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

impl Queues {
    #[must_use]
    pub const fn new(client: Client, urls: QueueUrls) -> Self {
        Self { client, urls }
    }

    fn url(&self, channel: Channel, lane: Lane) -> &str {
        match (channel, lane) {
            // The other channels have no senders yet; the API refuses them.
            (
                Channel::Sms | Channel::Whatsapp | Channel::WhatsappGroup | Channel::Voice,
                Lane::Transactional,
            ) => &self.urls.sms_transactional,
            (
                Channel::Sms | Channel::Whatsapp | Channel::WhatsappGroup | Channel::Voice,
                Lane::Bulk,
            ) => &self.urls.sms_bulk,
        }
    }

    /// Queues up to ten bodies in one request, each to be seen after its delay;
    /// answers which of them (by place) the queue did not take.
    ///
    /// # Errors
    /// When the request as a whole failed.
    pub async fn send(
        &self,
        channel: Channel,
        lane: Lane,
        bodies: &[(SendBody, SignedDuration)],
    ) -> Result<Vec<usize>, QueueError> {
        let mut request = self.client.send_message_batch().queue_url(self.url(channel, lane));
        for (place, (body, delay)) in bodies.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(place.to_string())
                .delay_seconds(delay_seconds(*delay))
                // Fair queues: one organization's bulk does not make others wait.
                .message_group_id(body.org.key())
                .message_body(serde_json::to_string(body).map_err(|e| QueueError(e.into()))?)
                .build()
                .map_err(|e| QueueError(e.into()))?;
            request = request.entries(entry);
        }
        let answer = request.send().await.map_err(|e| QueueError(e.into()))?;
        Ok(answer.failed().iter().filter_map(|f| f.id().parse().ok()).collect())
    }

    /// Keeps what a provider told us until the receiver has applied it.
    ///
    /// # Errors
    /// When it is not kept: the provider must not be answered 2xx.
    pub async fn receive(&self, body: &ReceiveBody) -> Result<(), QueueError> {
        let text = serde_json::to_string(body).map_err(|e| QueueError(e.into()))?;
        self.receive_again(Some(body.org), text).await
    }

    /// The same for a body that was on the queue before, as it was.
    ///
    /// # Errors
    /// As [`Self::receive`].
    pub async fn receive_again(&self, org: Option<OrgId>, body: String) -> Result<(), QueueError> {
        self.client
            .send_message()
            .queue_url(&self.urls.receive)
            .message_group_id(org.map_or_else(|| "nobody".to_owned(), |org| org.key()))
            .message_body(body)
            .send()
            .await
            .map(drop)
            .map_err(|e| QueueError(e.into()))
    }
}

/// A body that the queue gave up.
#[derive(Clone)]
pub struct DeadBody {
    /// The queue's name for it, the same each time it is received.
    pub id: String,
    pub body: String,
    /// For [`Queues::forget`].
    pub handle: String,
}

impl Queues {
    /// Up to ten callbacks that could not be applied; each is then out of sight
    /// for a while and comes again, until it is forgotten.
    ///
    /// # Errors
    /// When the queue does not answer.
    pub async fn given_up_callbacks(&self) -> Result<Vec<DeadBody>, QueueError> {
        // An installation whose template does not name the queue yet.
        if self.urls.receive_dead.is_empty() {
            return Ok(Vec::new());
        }
        let answer = self
            .client
            .receive_message()
            .queue_url(&self.urls.receive_dead)
            .max_number_of_messages(10)
            .wait_time_seconds(0)
            .visibility_timeout(OUT_OF_SIGHT)
            .send()
            .await
            .map_err(|e| QueueError(e.into()))?;
        let read = |m: aws_sdk_sqs::types::Message| {
            Some(DeadBody { id: m.message_id?, body: m.body?, handle: m.receipt_handle? })
        };
        Ok(answer.messages.unwrap_or_default().into_iter().filter_map(read).collect())
    }

    /// A given-up callback that is kept elsewhere now.
    ///
    /// # Errors
    /// When the queue does not answer: it comes again.
    pub async fn forget(&self, dead: &DeadBody) -> Result<(), QueueError> {
        self.client
            .delete_message()
            .queue_url(&self.urls.receive_dead)
            .receipt_handle(&dead.handle)
            .send()
            .await
            .map(drop)
            .map_err(|e| QueueError(e.into()))
    }
}

/// Whole seconds, rounded up: never before its time.
fn delay_seconds(delay: SignedDuration) -> i32 {
    let delay = delay.clamp(SignedDuration::ZERO, LONGEST_DELAY);
    let seconds = delay.as_secs() + i64::from(delay.subsec_nanos() > 0);
    i32::try_from(seconds).unwrap_or(0)
}
