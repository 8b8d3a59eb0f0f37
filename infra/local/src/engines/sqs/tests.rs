#![expect(clippy::disallowed_methods, reason = "tests of the edge itself use real time")]

mod durability;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::operation::get_queue_url::GetQueueUrlError;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
    MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName,
    SendMessageBatchRequestEntry,
};

use crate::engines::{Depth, Engines, ServiceName};

/// A stack whose clock a test sets, in seconds.
struct Stack {
    engines: Engines,
    client: Client,
    clock: Arc<AtomicI64>,
}

impl Stack {
    fn new() -> Self {
        Self::open(None)
    }

    fn open(folder: Option<&Path>) -> Self {
        let clock = Arc::new(AtomicI64::new(1_000_000));
        let read = Arc::clone(&clock);
        let now = move || jiff::Timestamp::from_second(read.load(Ordering::SeqCst)).unwrap();
        let engines = Engines::open(folder, Arc::new(now)).unwrap();
        Self { client: engines.sqs(), engines, clock }
    }

    fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
        self.engines.queues().clock_moved();
    }

    async fn queue(&self, name: &str, attributes: &[(QueueAttributeName, &str)]) -> String {
        let mut create = self.client.create_queue().queue_name(name);
        for (attribute, value) in attributes {
            create = create.attributes(attribute.clone(), *value);
        }
        create.send().await.unwrap().queue_url.unwrap()
    }

    async fn send(&self, url: &str, body: &str) {
        self.client.send_message().queue_url(url).message_body(body).send().await.unwrap();
    }

    async fn receive(&self, url: &str) -> Vec<Message> {
        let receive = self.client.receive_message().queue_url(url).max_number_of_messages(10);
        let receive = receive.message_system_attribute_names(MessageSystemAttributeName::All);
        receive.send().await.unwrap().messages.unwrap_or_default()
    }

    fn depth(&self, queue: &str) -> (usize, usize, usize) {
        let Depth { visible, in_flight, delayed } = self.engines.queues().depth(queue).unwrap();
        (visible, in_flight, delayed)
    }
}

fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.body().unwrap()).collect()
}

fn attribute(message: &Message, name: MessageSystemAttributeName) -> Option<&str> {
    message.attributes()?.get(&name).map(String::as_str)
}

#[tokio::test]
async fn a_message_is_hidden_while_in_flight_and_comes_back_unless_deleted() {
    let stack = Stack::new();
    let url = stack.queue("q", &[]).await;
    let sent =
        stack.client.send_message().queue_url(&url).message_body("hello").send().await.unwrap();
    assert_eq!(sent.md5_of_message_body(), Some("5d41402abc4b2a76b9719d911017c592"));
    let first = stack.receive(&url).await;
    assert_eq!(bodies(&first), ["hello"]);
    assert_eq!(first[0].md5_of_body(), sent.md5_of_message_body());
    assert_eq!(first[0].message_id(), sent.message_id());
    assert_eq!(
        attribute(&first[0], MessageSystemAttributeName::ApproximateReceiveCount),
        Some("1")
    );
    assert_eq!(attribute(&first[0], MessageSystemAttributeName::SentTimestamp), Some("1000000000"));
    assert_eq!(attribute(&first[0], MessageSystemAttributeName::MessageGroupId), None);
    assert_eq!(stack.depth("q"), (0, 1, 0));
    stack.pass(29);
    assert!(stack.receive(&url).await.is_empty());
    stack.pass(1);
    let second = stack.receive(&url).await;
    assert_eq!(
        attribute(&second[0], MessageSystemAttributeName::ApproximateReceiveCount),
        Some("2")
    );
    let handle = second[0].receipt_handle().unwrap();
    stack.client.delete_message().queue_url(&url).receipt_handle(handle).send().await.unwrap();
    stack.client.delete_message().queue_url(&url).receipt_handle(handle).send().await.unwrap();
    assert_eq!(stack.depth("q"), (0, 0, 0));
}

#[tokio::test]
async fn visibility_of_zero_gives_a_message_back_at_once() {
    let stack = Stack::new();
    let url = stack.queue("q", &[]).await;
    stack.send(&url, "m").await;
    let peeked = stack
        .client
        .receive_message()
        .queue_url(&url)
        .visibility_timeout(0)
        .max_number_of_messages(10);
    assert_eq!(peeked.send().await.unwrap().messages().len(), 1);
    assert_eq!(stack.depth("q"), (1, 0, 0));
    let held = stack.receive(&url).await.remove(0);
    assert_eq!(attribute(&held, MessageSystemAttributeName::ApproximateReceiveCount), Some("2"));
    let change = || {
        stack
            .client
            .change_message_visibility()
            .queue_url(&url)
            .receipt_handle(held.receipt_handle().unwrap())
    };
    change().visibility_timeout(100).send().await.unwrap();
    stack.pass(99);
    assert_eq!(stack.depth("q"), (0, 1, 0));
    change().visibility_timeout(0).send().await.unwrap();
    assert_eq!(stack.depth("q"), (1, 0, 0));
    let late = change().visibility_timeout(5).send().await.unwrap_err().into_service_error();
    assert!(late.is_message_not_inflight(), "{late:?}");
}

#[tokio::test]
async fn delays_of_message_and_queue() {
    let stack = Stack::new();
    let url = stack.queue("q", &[(QueueAttributeName::DelaySeconds, "10")]).await;
    stack.send(&url, "by queue").await;
    for (body, delay) in [("at once", 0), ("by message", 900)] {
        stack
            .client
            .send_message()
            .queue_url(&url)
            .message_body(body)
            .delay_seconds(delay)
            .send()
            .await
            .unwrap();
    }
    assert_eq!(stack.depth("q"), (1, 0, 2));
    assert_eq!(bodies(&stack.receive(&url).await), ["at once"]);
    let next = stack.engines.queues().next_change().unwrap();
    assert_eq!(next, jiff::Timestamp::from_second(1_000_010).unwrap());
    stack.pass(10);
    assert_eq!(bodies(&stack.receive(&url).await), ["by queue"]);
    let refused = stack
        .client
        .send_message()
        .queue_url(&url)
        .message_body("m")
        .delay_seconds(901)
        .send()
        .await;
    assert_eq!(refused.unwrap_err().code(), Some("InvalidParameterValue"));
}

#[tokio::test]
async fn a_message_received_too_often_becomes_a_dead_letter() {
    let stack = Stack::new();
    for (name, count) in [("number", "2"), ("string", "\"2\"")] {
        let arn = format!("arn:aws:sqs:us-east-1:000000000000:{name}");
        let policy = format!(r#"{{"deadLetterTargetArn":"{arn}-dead","maxReceiveCount":{count}}}"#);
        let url = stack.queue(name, &[(QueueAttributeName::RedrivePolicy, &policy)]).await;
        stack.send(&url, "poison").await;
        // Without its dead-letter queue the message is never dropped.
        for receive in 1..=4 {
            let messages = stack.receive(&url).await;
            let count = receive.to_string();
            assert_eq!(
                attribute(&messages[0], MessageSystemAttributeName::ApproximateReceiveCount),
                Some(&*count)
            );
            stack.pass(30);
        }
        let dead = stack.queue(&format!("{name}-dead"), &[]).await;
        assert!(stack.receive(&url).await.is_empty());
        assert_eq!(stack.depth(name), (0, 0, 0));
        let letters = stack.receive(&dead).await;
        assert_eq!(bodies(&letters), ["poison"]);
        let source = format!("arn:aws:sqs:us-east-1:000000000000:{name}");
        assert_eq!(
            attribute(&letters[0], MessageSystemAttributeName::DeadLetterQueueSourceArn),
            Some(&*source)
        );

        stack.send(&url, "poison two").await;
        for _ in 0..2 {
            assert_eq!(stack.receive(&url).await.len(), 1);
            stack.pass(30);
        }
        assert!(stack.receive(&url).await.is_empty());
        assert_eq!(stack.depth(&format!("{name}-dead")).0, 2);
    }
}

#[tokio::test]
async fn groups_share_a_standard_queue_fairly() {
    let stack = Stack::new();
    let url = stack.queue("q", &[]).await;
    for number in 0..30 {
        let send = stack
            .client
            .send_message()
            .queue_url(&url)
            .message_group_id("big")
            .message_body(format!("big{number}"));
        send.send().await.unwrap();
    }
    assert_eq!(stack.receive(&url).await.len(), 10);
    stack
        .client
        .send_message()
        .queue_url(&url)
        .message_group_id("small")
        .message_body("small")
        .send()
        .await
        .unwrap();
    let messages = stack.receive(&url).await;
    assert_eq!(bodies(&messages)[..2], ["small", "big10"]);
    assert_eq!(attribute(&messages[0], MessageSystemAttributeName::MessageGroupId), Some("small"));
}

#[tokio::test]
async fn batches_fail_entry_by_entry_and_are_limited_as_a_whole() {
    let stack = Stack::new();
    let url = stack.queue("q", &[]).await;
    let entry = |id: &str, body: &str| {
        SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap()
    };
    let batch = |entries: Vec<SendMessageBatchRequestEntry>| {
        stack.client.send_message_batch().queue_url(&url).set_entries(Some(entries)).send()
    };
    let mixed =
        batch(vec![entry("good", "m"), entry("bad", "\u{0}"), entry("empty", "")]).await.unwrap();
    assert_eq!(mixed.successful().len(), 1);
    let failed: Vec<(&str, &str)> =
        mixed.failed().iter().map(|failed| (failed.id(), failed.code())).collect();
    assert_eq!(failed, [("bad", "InvalidMessageContents"), ("empty", "MissingParameter")]);

    let error = batch((0..11).map(|id| entry(&id.to_string(), "m")).collect())
        .await
        .unwrap_err()
        .into_service_error();
    assert!(error.is_too_many_entries_in_batch_request(), "{error:?}");
    let error = batch(Vec::new()).await.unwrap_err().into_service_error();
    assert!(error.is_empty_batch_request(), "{error:?}");
    let error =
        batch(vec![entry("a", "m"), entry("a", "m")]).await.unwrap_err().into_service_error();
    assert!(error.is_batch_entry_ids_not_distinct(), "{error:?}");
    let error = batch(vec![entry("a b", "m")]).await.unwrap_err().into_service_error();
    assert!(error.is_invalid_batch_entry_id(), "{error:?}");
    let half = "x".repeat(524_289);
    let error =
        batch(vec![entry("a", &half), entry("b", &half)]).await.unwrap_err().into_service_error();
    assert!(error.is_batch_request_too_long(), "{error:?}");
    assert_eq!(stack.depth("q"), (1, 0, 0));

    batch((0..9).map(|id| entry(&id.to_string(), "m")).collect()).await.unwrap();
    let messages = stack.receive(&url).await;
    assert_eq!(messages.len(), 10);
    let mut change = stack.client.change_message_visibility_batch().queue_url(&url);
    let mut delete = stack.client.delete_message_batch().queue_url(&url);
    for (number, message) in messages.iter().enumerate() {
        let (id, handle) = (number.to_string(), message.receipt_handle().unwrap());
        if number < 3 {
            let entry =
                ChangeMessageVisibilityBatchRequestEntry::builder().id(id).receipt_handle(handle);
            change = change.entries(entry.visibility_timeout(0).build().unwrap());
        } else {
            delete = delete.entries(
                DeleteMessageBatchRequestEntry::builder()
                    .id(id)
                    .receipt_handle(handle)
                    .build()
                    .unwrap(),
            );
        }
    }
    let garbage = DeleteMessageBatchRequestEntry::builder()
        .id("garbage")
        .receipt_handle("garbage")
        .build()
        .unwrap();
    let bad =
        stack.client.delete_message_batch().queue_url(&url).entries(garbage).send().await.unwrap();
    assert_eq!(bad.failed()[0].code(), "ReceiptHandleIsInvalid");
    assert_eq!(change.send().await.unwrap().successful().len(), 3);
    assert_eq!(delete.send().await.unwrap().successful().len(), 7);
    assert_eq!(stack.depth("q"), (3, 0, 0));
    stack.client.purge_queue().queue_url(&url).send().await.unwrap();
    assert_eq!(stack.depth("q"), (0, 0, 0));
}

#[tokio::test]
async fn bodies_up_to_one_mebibyte() {
    let stack = Stack::new();
    let url = stack.queue("q", &[]).await;
    let send = |length: usize| {
        stack.client.send_message().queue_url(&url).message_body("x".repeat(length)).send()
    };
    stack.engines.meter().reset();
    send(1_048_576).await.unwrap();
    assert_eq!(stack.engines.meter().snapshot().billed_requests(), 16);
    assert_eq!(send(1_048_577).await.unwrap_err().code(), Some("InvalidParameterValue"));
    assert_eq!(stack.receive(&url).await[0].body().unwrap().len(), 1_048_576);
    let too_many =
        stack.client.receive_message().queue_url(&url).max_number_of_messages(11).send().await;
    assert_eq!(too_many.unwrap_err().code(), Some("InvalidParameterValue"));
}

#[tokio::test]
async fn message_attributes_come_back_when_asked_for() {
    let stack = Stack::new();
    let url = stack.queue("q", &[]).await;
    let value =
        MessageAttributeValue::builder().data_type("String").string_value("pack").build().unwrap();
    let send = stack
        .client
        .send_message()
        .queue_url(&url)
        .message_body("m")
        .message_attributes("kind", value.clone());
    let sent = send.send().await.unwrap();
    let receive = || stack.client.receive_message().queue_url(&url).visibility_timeout(0);
    let asked = receive().message_attribute_names("All").send().await.unwrap();
    assert_eq!(asked.messages()[0].message_attributes().unwrap()["kind"], value);
    assert_eq!(asked.messages()[0].md5_of_message_attributes(), sent.md5_of_message_attributes());
    assert_eq!(receive().send().await.unwrap().messages()[0].message_attributes(), None);
}

#[tokio::test]
async fn queues_are_found_by_name_and_described() {
    let stack = Stack::new();
    let missing =
        stack.client.get_queue_url().queue_name("q").send().await.unwrap_err().into_service_error();
    assert!(matches!(missing, GetQueueUrlError::QueueDoesNotExist(_)), "{missing:?}");
    let url = stack.queue("q", &[(QueueAttributeName::VisibilityTimeout, "60")]).await;
    assert_eq!(stack.queue("q", &[(QueueAttributeName::VisibilityTimeout, "60")]).await, url);
    let other = stack
        .client
        .create_queue()
        .queue_name("q")
        .attributes(QueueAttributeName::VisibilityTimeout, "61");
    assert!(other.send().await.unwrap_err().into_service_error().is_queue_name_exists());
    assert_eq!(
        stack.client.get_queue_url().queue_name("q").send().await.unwrap().queue_url(),
        Some(&*url)
    );
    stack.send(&url, "m").await;
    let shown = stack
        .client
        .get_queue_attributes()
        .queue_url(&url)
        .attribute_names(QueueAttributeName::All);
    let shown = shown.send().await.unwrap().attributes.unwrap();
    for (name, value) in [
        (QueueAttributeName::ApproximateNumberOfMessages, "1"),
        (QueueAttributeName::VisibilityTimeout, "60"),
        (QueueAttributeName::QueueArn, "arn:aws:sqs:us-east-1:000000000000:q"),
    ] {
        assert_eq!(shown[&name], value, "{name}");
    }
    let gone = format!("{url}x");
    let refused =
        stack.client.send_message().queue_url(gone).message_body("m").send().await.unwrap_err();
    assert_eq!(refused.code(), Some("AWS.SimpleQueueService.NonExistentQueue"));
    let fifo = stack.client.create_queue().queue_name("q.fifo").send().await.unwrap_err();
    assert_eq!(fifo.code(), Some("InvalidParameterValue"));
}

#[tokio::test]
async fn a_long_poll_ends_when_a_message_is_sent() {
    let stack = Stack::new();
    let url = stack.queue("q", &[]).await;
    let poll =
        tokio::spawn(stack.client.receive_message().queue_url(&url).wait_time_seconds(20).send());
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!(!poll.is_finished());
    stack.send(&url, "m").await;
    assert_eq!(poll.await.unwrap().unwrap().messages().len(), 1);
}

#[tokio::test]
async fn a_long_poll_follows_the_clock_that_was_given() {
    let stack = Stack::new();
    let url = stack.queue("q", &[]).await;
    stack
        .client
        .send_message()
        .queue_url(&url)
        .message_body("m")
        .delay_seconds(600)
        .send()
        .await
        .unwrap();
    let poll = || {
        tokio::spawn(stack.client.receive_message().queue_url(&url).wait_time_seconds(20).send())
    };
    let empty = poll();
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!(!empty.is_finished());
    stack.pass(20);
    assert!(empty.await.unwrap().unwrap().messages().is_empty());
    stack.pass(575);
    let found = poll();
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!(!found.is_finished());
    stack.pass(5);
    assert_eq!(found.await.unwrap().unwrap().messages().len(), 1);
}

#[tokio::test]
async fn a_long_poll_on_the_real_clock_sees_a_delay_end() {
    let engines = Engines::open(None, Arc::new(jiff::Timestamp::now)).unwrap();
    let client = engines.sqs();
    let url = client.create_queue().queue_name("q").send().await.unwrap().queue_url.unwrap();
    client.send_message().queue_url(&url).message_body("m").delay_seconds(1).send().await.unwrap();
    let started = std::time::Instant::now();
    let found =
        client.receive_message().queue_url(&url).wait_time_seconds(20).send().await.unwrap();
    assert_eq!(found.messages().len(), 1);
    let waited = started.elapsed();
    assert!((900..3_000).contains(&waited.as_millis()), "{waited:?}");
    assert_eq!(engines.meter().snapshot().calls(ServiceName::Sqs, "ReceiveMessage"), 1);
}
