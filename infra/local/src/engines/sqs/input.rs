//! The inputs of the operations and the checks SQS makes on them.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::SqsError;
use super::settings::MAX_SIZE;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateQueue {
    pub queue_name: String,
    #[serde(default)]
    pub attributes: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    pub queue_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Prefix {
    pub queue_name_prefix: Option<String>,
}

/// The part of every input that says which queue.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct At {
    pub queue_url: String,
}

impl At {
    pub fn queue(&self) -> &str {
        self.queue_url.rsplit('/').next().unwrap_or_default()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Attributes {
    pub attribute_names: Option<Vec<String>>,
    #[serde(default)]
    pub attributes: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Send {
    pub message_body: Option<String>,
    pub delay_seconds: Option<i64>,
    #[serde(default)]
    pub message_attributes: Map<String, Value>,
    pub message_group_id: Option<String>,
    pub message_deduplication_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Receive {
    pub max_number_of_messages: Option<i64>,
    pub visibility_timeout: Option<i64>,
    pub wait_time_seconds: Option<i64>,
    #[serde(default)]
    pub attribute_names: Vec<String>,
    #[serde(default)]
    pub message_system_attribute_names: Vec<String>,
    #[serde(default)]
    pub message_attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Receipt {
    pub receipt_handle: String,
    pub visibility_timeout: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch {
    #[serde(default)]
    entries: Vec<Value>,
}

pub(super) fn read<T: DeserializeOwned>(body: &Value) -> Result<T, SqsError> {
    T::deserialize(body).map_err(|error| SqsError::parameter(error.to_string()))
}

/// The entries of a batch by id, each still to be read, so that one bad entry fails alone.
pub(super) fn entries(body: &Value) -> Result<Vec<(String, Value)>, SqsError> {
    let batch: Batch = read(body)?;
    if batch.entries.is_empty() {
        let message = "There should be at least one entry in the request.";
        return Err(SqsError::new("EmptyBatchRequest", message));
    }
    if batch.entries.len() > 10 {
        let message = format!(
            "Maximum number of entries per request are 10. You have sent {}.",
            batch.entries.len()
        );
        return Err(SqsError::new("TooManyEntriesInBatchRequest", message));
    }
    let mut seen = HashSet::new();
    let mut all = Vec::with_capacity(batch.entries.len());
    for entry in batch.entries {
        let id = entry["Id"].as_str().unwrap_or_default().to_owned();
        if !is_name(&id) {
            let message = "A batch entry id can only contain alphanumeric characters, hyphens and \
                           underscores. \
                           It can be at most 80 letters long.";
            return Err(SqsError::new("InvalidBatchEntryId", message));
        }
        if !seen.insert(id.clone()) {
            return Err(SqsError::new("BatchEntryIdsNotDistinct", format!("Id {id} repeated.")));
        }
        all.push((id, entry));
    }
    Ok(all)
}

/// Batches are limited as a whole, before any entry is sent.
pub(super) fn check_batch_size(entries: &[(String, Value)]) -> Result<(), SqsError> {
    let total: usize = entries
        .iter()
        .map(|(_, entry)| {
            let attributes = entry["MessageAttributes"].as_object().map_or(0, attributes_size);
            entry["MessageBody"].as_str().map_or(0, str::len) + attributes
        })
        .sum();
    if total > MAX_SIZE {
        let message = format!(
            "Batch requests cannot be longer than {MAX_SIZE} bytes. You have sent {total} bytes."
        );
        return Err(SqsError::new("BatchRequestTooLong", message));
    }
    Ok(())
}

impl Send {
    /// The body, when all parameters are within SQS's limits.
    pub fn check(&self, max_size: usize) -> Result<&str, SqsError> {
        let body = self.message_body.as_deref().filter(|body| !body.is_empty());
        let body = body.ok_or_else(|| SqsError::missing("MessageBody"))?;
        if body.len() + attributes_size(&self.message_attributes) > max_size {
            let message = format!(
                "One or more parameters are invalid. Reason: Message must be shorter than \
                 {max_size} bytes."
            );
            return Err(SqsError::parameter(message));
        }
        if !body.chars().all(is_allowed) {
            let message = "Invalid characters found. Valid unicode characters are #x9 | #xA | \
                           #xD | \
                           #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.";
            return Err(SqsError::new("InvalidMessageContents", message));
        }
        if self.message_attributes.len() > 10 {
            return Err(SqsError::parameter(
                "Number of message attributes exceeds the allowed maximum [10].",
            ));
        }
        if self.message_deduplication_id.is_some() {
            let message = "The request includes a parameter that is not valid for this queue type: \
                           MessageDeduplicationId.";
            return Err(SqsError::parameter(message));
        }
        let group_fits = |group: &str| {
            (1..=128).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if let Some(group) = &self.message_group_id
            && !group_fits(group)
        {
            let message = "MessageGroupId can only include alphanumeric and punctuation \
                           characters, 1 to 128 in length.";
            return Err(SqsError::parameter(message));
        }
        Ok(body)
    }
}

/// `value` in milliseconds when it is between `low` and `high` seconds.
pub(super) fn seconds(name: &str, value: Option<i64>, high: i64) -> Result<Option<i64>, SqsError> {
    match value {
        Some(value) if !(0..=high).contains(&value) => Err(SqsError::parameter(format!(
            "Value {value} for parameter {name} is invalid. \
             Reason: Must be >= 0 and <= {high}, if provided."
        ))),
        value => Ok(value.map(|value| value * 1_000)),
    }
}

/// Bytes of message attributes as SQS counts them: name, type and value.
pub(super) fn attributes_size(attributes: &Map<String, Value>) -> usize {
    let value = |attribute: &Value| {
        let text = attribute["StringValue"].as_str().map_or(0, str::len);
        // Base64 on the wire: four characters for three bytes.
        let binary = attribute["BinaryValue"]
            .as_str()
            .map_or(0, |text| text.trim_end_matches('=').len() * 3 / 4);
        attribute["DataType"].as_str().map_or(0, str::len) + text + binary
    };
    attributes.iter().map(|(name, attribute)| name.len() + value(attribute)).sum()
}

/// Queue names and batch entry ids.
pub(super) fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=80).contains(&name.len()) && name.bytes().all(allowed)
}

fn is_allowed(character: char) -> bool {
    matches!(character, '\u{9}' | '\u{A}' | '\u{D}' | '\u{20}'..='\u{D7FF}'
        | '\u{E000}'..='\u{FFFD}'
        | '\u{10000}'..='\u{10FFFF}')
}
