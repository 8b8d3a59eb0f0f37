//! The operations on the queues, each at one moment under one lock.

use std::collections::btree_map::Entry;

use serde_json::{Map, Value, json};

use super::State;
use super::checksum;
use super::error::SqsError;
use super::input::{self, At, Attributes, CreateQueue, Named, Prefix, Receipt, Receive, Send};
use super::journal::Change;
use super::queue::{Delivery, Message, Millis, Queue};
use super::receipt::Held;
use super::settings::{Settings, arn};
use crate::engines::{ACCOUNT, REGION};

/// What one look at a queue found.
pub(super) struct Looked {
    pub answer: Value,
    pub found: bool,
    /// Dead letters moved to another queue, whose pollers may be waiting.
    pub moved: bool,
    pub wait: Millis,
    pub next_change: Option<Millis>,
}

impl State {
    pub fn run(&mut self, operation: &str, body: &Value, now: Millis) -> Result<Value, SqsError> {
        match operation {
            "CreateQueue" => self.create(input::read(body)?, now),
            "GetQueueUrl" => {
                let name = input::read::<Named>(body)?.queue_name;
                self.queues
                    .get(&name)
                    .map(|_| json!({"QueueUrl": url(&name)}))
                    .ok_or_else(SqsError::no_queue)
            }
            "ListQueues" => {
                let prefix = input::read::<Prefix>(body)?.queue_name_prefix.unwrap_or_default();
                let names = self.queues.keys().filter(|name| name.starts_with(&prefix));
                Ok(json!({"QueueUrls": names.map(|name| url(name)).collect::<Vec<_>>()}))
            }
            "DeleteQueue" => {
                let at: At = input::read(body)?;
                let queue = self.queues.remove(at.queue()).ok_or_else(SqsError::no_queue)?;
                self.changes.extend(queue.kept().map(|id| Change::Removed { id }));
                Ok(json!({}))
            }
            "GetQueueAttributes" => self.attributes(body, now),
            "SetQueueAttributes" => {
                let attributes: Attributes = input::read(body)?;
                let queue = self.queue(body)?;
                queue.settings = queue.settings.clone().with(&attributes.attributes)?;
                Ok(json!({}))
            }
            "SendMessage" => self.send(body, body, now),
            "SendMessageBatch" => {
                input::check_batch_size(&input::entries(body)?)?;
                self.each(body, |state, entry| state.send(body, entry, now))
            }
            "DeleteMessage" => self.delete(body, body),
            "DeleteMessageBatch" => self.each(body, |state, entry| state.delete(body, entry)),
            "ChangeMessageVisibility" => self.change_visibility(body, body, now),
            "ChangeMessageVisibilityBatch" => {
                self.each(body, |state, entry| state.change_visibility(body, entry, now))
            }
            "PurgeQueue" => {
                let queue = self.queue(body)?;
                let kept: Vec<String> = queue.kept().collect();
                queue.purge();
                self.changes.extend(kept.into_iter().map(|id| Change::Removed { id }));
                Ok(json!({}))
            }
            _ => {
                let message = format!("The embedded engine has no operation {operation:?}.");
                Err(SqsError::new("UnsupportedOperation", message))
            }
        }
    }

    fn queue(&mut self, body: &Value) -> Result<&mut Queue, SqsError> {
        let at: At = input::read(body)?;
        self.queues.get_mut(at.queue()).ok_or_else(SqsError::no_queue)
    }

    fn create(&mut self, input: CreateQueue, now: Millis) -> Result<Value, SqsError> {
        if !input::is_name(&input.queue_name) {
            let message = "Can only include alphanumeric characters, hyphens, or underscores. \
                           1 to 80 in length. \
                           (The embedded engine has no FIFO queues.)";
            return Err(SqsError::parameter(message));
        }
        let wanted = Settings::default().with(&input.attributes)?;
        let answer = json!({"QueueUrl": url(&input.queue_name)});
        match self.queues.entry(input.queue_name) {
            Entry::Occupied(queue)
                if queue.get().settings.clone().with(&input.attributes)?
                    != queue.get().settings =>
            {
                let message = "A queue already exists with the same name and a different \
                               value for an attribute.";
                return Err(SqsError::new("QueueNameExists", message));
            }
            Entry::Occupied(_) => {}
            Entry::Vacant(place) => {
                let earlier = self.earlier.remove(place.key()).unwrap_or_default();
                let queue = place.insert(Queue::new(wanted, now));
                for message in earlier {
                    queue.send(message, now, 0);
                }
            }
        }
        Ok(answer)
    }

    fn attributes(&mut self, body: &Value, now: Millis) -> Result<Value, SqsError> {
        let wanted = input::read::<Attributes>(body)?.attribute_names.unwrap_or_default();
        let name = input::read::<At>(body)?.queue().to_owned();
        let queue = self.queue(body)?;
        let depth = queue.depth(now);
        let created = (queue.created_at / 1_000).to_string();
        let mut attributes = queue.settings.attributes();
        for (attribute, value) in [
            ("QueueArn", arn(&name)),
            ("ApproximateNumberOfMessages", depth.visible.to_string()),
            ("ApproximateNumberOfMessagesNotVisible", depth.in_flight.to_string()),
            ("ApproximateNumberOfMessagesDelayed", depth.delayed.to_string()),
            ("CreatedTimestamp", created.clone()),
            ("LastModifiedTimestamp", created),
        ] {
            attributes.insert(attribute.to_owned(), json!(value));
        }
        if !wanted.iter().any(|name| name == "All") {
            attributes.retain(|name, _| wanted.contains(name));
        }
        Ok(json!({"Attributes": attributes}))
    }

    fn send(&mut self, body: &Value, entry: &Value, now: Millis) -> Result<Value, SqsError> {
        let send: Send = input::read(entry)?;
        let delay = input::seconds("DelaySeconds", send.delay_seconds, 900)?;
        self.messages += 1;
        let id = message_id(self.instance, self.messages);
        let name = input::read::<At>(body)?.queue().to_owned();
        let kept = self.durable.contains(&&*name);
        let queue = self.queue(body)?;
        let text = send.check(queue.settings.max_size)?.to_owned();
        let message = Message {
            id,
            body_md5: checksum::of_body(&text),
            body: text,
            attributes_md5: checksum::of_attributes(&send.message_attributes),
            attributes: send.message_attributes,
            group: send.message_group_id.map(Into::into),
            sent_at: now,
            first_received_at: None,
            receives: 0,
            dead_letter_source: None,
            kept,
        };
        let mut answer = json!({"MessageId": message.id, "MD5OfMessageBody": message.body_md5});
        if let Some(sum) = &message.attributes_md5 {
            answer["MD5OfMessageAttributes"] = json!(sum);
        }
        let delay = delay.unwrap_or(queue.settings.delay);
        if kept {
            self.changes.push(Change::Sent { queue: name, message, delay });
        } else {
            queue.send(message, now, delay);
        }
        Ok(answer)
    }

    /// Puts on their queues what was sent and is now kept.
    pub fn settle(&mut self, changes: Vec<Change>) {
        for change in changes {
            if let Change::Sent { queue, message, delay } = change
                && let Some(queue) = self.queues.get_mut(&queue)
            {
                let now = message.sent_at;
                queue.send(message, now, delay);
            }
        }
    }

    /// One look; waiting for more is the caller's.
    pub fn receive(&mut self, body: &Value, now: Millis) -> Result<Looked, SqsError> {
        let input: Receive = input::read(body)?;
        let name = input::read::<At>(body)?.queue().to_owned();
        let max = input.max_number_of_messages.unwrap_or(1);
        if !(1..=10).contains(&max) {
            return Err(SqsError::parameter(format!(
                "Value {max} for parameter MaxNumberOfMessages is invalid. \
                 Reason: Must be between 1 and 10, if provided."
            )));
        }
        let visibility = input::seconds("VisibilityTimeout", input.visibility_timeout, 43_200)?;
        let wait = input::seconds("WaitTimeSeconds", input.wait_time_seconds, 20)?;

        let redrive = self.queues.get(&name).and_then(|queue| queue.settings.redrive.clone());
        let redrive = redrive.filter(|redrive| self.queues.contains_key(&redrive.queue));
        let queue = self.queues.get_mut(&name).ok_or_else(SqsError::no_queue)?;
        let mut dead = Vec::new();
        let visibility = visibility.unwrap_or(queue.settings.visibility);
        let limit = redrive.as_ref().map(|redrive| redrive.max_receives);
        let taken = queue.receive(now, max as usize, visibility, limit, &mut dead);
        let (wait, next_change) = (wait.unwrap_or(queue.settings.wait), queue.next_change());
        let moved = !dead.is_empty();
        if let Some(target) = redrive.map(|redrive| redrive.queue)
            && let Some(queue) = self.queues.get_mut(&target)
        {
            for letter in dead {
                let source = arn(&name);
                if letter.kept {
                    let (id, queue, source) = (letter.id.clone(), target.clone(), source.clone());
                    self.changes.push(Change::Moved { id, queue, source });
                }
                queue.send(
                    Message {
                        receives: 0,
                        first_received_at: None,
                        dead_letter_source: Some(source),
                        ..letter
                    },
                    now,
                    0,
                );
            }
        }
        let messages: Vec<Value> =
            taken.iter().map(|delivery| self.shown(&name, delivery, &input)).collect();
        let found = !messages.is_empty();
        let answer = if found { json!({"Messages": messages}) } else { json!({}) };
        Ok(Looked { answer, found, moved, wait, next_change })
    }

    fn shown(&self, queue: &str, delivery: &Delivery, input: &Receive) -> Value {
        let message = &delivery.message;
        let held =
            Held { instance: self.instance, number: delivery.number, receive: message.receives };
        let mut shown = json!({
            "MessageId": message.id,
            "ReceiptHandle": held.handle(queue),
            "MD5OfBody": message.body_md5,
            "Body": message.body,
        });
        let mut system = Map::new();
        for (name, value) in [
            ("ApproximateReceiveCount", Some(message.receives.to_string())),
            ("SentTimestamp", Some(message.sent_at.to_string())),
            (
                "ApproximateFirstReceiveTimestamp",
                message.first_received_at.map(|at| at.to_string()),
            ),
            ("SenderId", Some(ACCOUNT.to_owned())),
            ("MessageGroupId", message.group.as_deref().map(str::to_owned)),
            ("DeadLetterQueueSourceArn", message.dead_letter_source.clone()),
        ] {
            let mut wanted =
                input.attribute_names.iter().chain(&input.message_system_attribute_names);
            if let Some(value) = value
                && wanted.any(|wanted| wanted == "All" || wanted == name)
            {
                system.insert(name.to_owned(), json!(value));
            }
        }
        if !system.is_empty() {
            shown["Attributes"] = Value::Object(system);
        }
        let wanted = |name: &str| {
            input.message_attribute_names.iter().any(|wanted| match wanted.strip_suffix(".*") {
                Some(prefix) => name.starts_with(prefix),
                None => wanted == "All" || wanted == name,
            })
        };
        let mut attributes = message.attributes.clone();
        attributes.retain(|name, _| wanted(name));
        if let Some(sum) = checksum::of_attributes(&attributes) {
            shown["MD5OfMessageAttributes"] = json!(sum);
            shown["MessageAttributes"] = Value::Object(attributes);
        }
        shown
    }

    fn delete(&mut self, body: &Value, entry: &Value) -> Result<Value, SqsError> {
        let input: Receipt = input::read(entry)?;
        let instance = self.instance;
        let name = input::read::<At>(body)?.queue().to_owned();
        let queue = self.queue(body)?;
        let held = Held::read(&name, &input.receipt_handle)?;
        // A receipt of an earlier process names nothing here: what was kept has to be received
        // again.
        if held.instance == instance
            && let Some(message) = queue.delete(held.number, held.receive)
            && message.kept
        {
            self.changes.push(Change::Removed { id: message.id });
        }
        Ok(json!({}))
    }

    fn change_visibility(
        &mut self,
        body: &Value,
        entry: &Value,
        now: Millis,
    ) -> Result<Value, SqsError> {
        let input: Receipt = input::read(entry)?;
        let instance = self.instance;
        let visibility = input::seconds("VisibilityTimeout", input.visibility_timeout, 43_200)?;
        let visibility = visibility.ok_or_else(|| SqsError::missing("VisibilityTimeout"))?;
        let name = input::read::<At>(body)?.queue().to_owned();
        let queue = self.queue(body)?;
        let held = Held::read(&name, &input.receipt_handle)?;
        if held.instance != instance || !queue.contains(held.number) {
            return Err(SqsError::parameter(format!(
                "Value {} for parameter ReceiptHandle is invalid. Reason: Message does \
                 not exist or is not available for \
                 visibility timeout change.",
                input.receipt_handle
            )));
        }
        if !queue.change_visibility(held.number, held.receive, now, visibility) {
            return Err(SqsError::new(
                "MessageNotInflight",
                "The message referred to isn't in flight.",
            ));
        }
        Ok(json!({}))
    }

    /// Runs every entry of a batch by itself; the answer lists which did not work and why.
    fn each(
        &mut self,
        body: &Value,
        mut one: impl FnMut(&mut Self, &Value) -> Result<Value, SqsError>,
    ) -> Result<Value, SqsError> {
        let entries = input::entries(body)?;
        self.queue(body)?;
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for (id, entry) in entries {
            match one(self, &entry) {
                Ok(mut answer) => {
                    answer["Id"] = json!(id);
                    successful.push(answer);
                }
                Err(error) => failed.push(json!({
                    "Id": id, "SenderFault": true, "Code": error.code(), "Message": error.message,
                })),
            }
        }
        Ok(json!({"Successful": successful, "Failed": failed}))
    }
}

/// Bytes of message bodies in an input or an answer, for billing.
pub(super) fn payload(part: &Value) -> usize {
    let lists =
        ["Entries", "Messages"].iter().filter_map(|name| part.get(name)?.as_array()).flatten();
    lists
        .chain(std::iter::once(part))
        .map(|message| {
            let body = message.get("MessageBody").or_else(|| message.get("Body"));
            let attributes = message.get("MessageAttributes").and_then(Value::as_object);
            body.and_then(Value::as_str).map_or(0, str::len)
                + attributes.map_or(0, input::attributes_size)
        })
        .sum()
}

fn url(queue: &str) -> String {
    format!("http://sqs.{REGION}.embedded/{ACCOUNT}/{queue}")
}

/// Shaped like a UUID; unique in one process.
fn message_id(instance: u64, number: u64) -> String {
    let (high, low) = ((instance >> 32) as u32, instance as u16);
    format!("{high:08x}-{low:04x}-4000-8000-{number:012x}")
}
