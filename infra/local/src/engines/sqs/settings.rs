//! A queue's attributes: from the strings of the API to typed settings with their limits.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::error::SqsError;
use super::queue::Millis;
use crate::engines::{ACCOUNT, REGION};

/// Largest body with its attributes, and largest batch: 1 MiB.
pub(super) const MAX_SIZE: usize = 1_048_576;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    pub visibility: Millis,
    pub delay: Millis,
    pub wait: Millis,
    pub retention: Millis,
    pub max_size: usize,
    pub redrive: Option<Redrive>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            visibility: 30_000,
            delay: 0,
            wait: 0,
            retention: 345_600_000,
            max_size: MAX_SIZE,
            redrive: None,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Redrive {
    /// Name of the dead-letter queue, which may not exist yet.
    pub queue: String,
    pub max_receives: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RedrivePolicy {
    dead_letter_target_arn: String,
    /// CloudFormation writes a number, consoles a string.
    max_receive_count: Value,
}

impl Settings {
    /// These settings with `attributes` (name → string) laid over them.
    pub fn with(mut self, attributes: &Map<String, Value>) -> Result<Self, SqsError> {
        for (name, value) in attributes {
            let text = value.as_str().ok_or_else(|| invalid(name))?;
            let number = |low: i64, high: i64| {
                let number =
                    text.parse::<i64>().ok().filter(|number| (low..=high).contains(number));
                number.ok_or_else(|| invalid(name))
            };
            match name.as_str() {
                "VisibilityTimeout" => self.visibility = number(0, 43_200)? * 1_000,
                "DelaySeconds" => self.delay = number(0, 900)? * 1_000,
                "ReceiveMessageWaitTimeSeconds" => self.wait = number(0, 20)? * 1_000,
                "MessageRetentionPeriod" => self.retention = number(60, 1_209_600)? * 1_000,
                "MaximumMessageSize" => self.max_size = number(1_024, MAX_SIZE as i64)? as usize,
                "RedrivePolicy" if text.is_empty() => self.redrive = None,
                "RedrivePolicy" => self.redrive = Some(redrive(text).ok_or_else(|| invalid(name))?),
                // Kept by AWS, without effect here: nobody else can read this process's memory,
                // and the journal is as open as the tables beside it.
                "Policy"
                | "KmsMasterKeyId"
                | "KmsDataKeyReusePeriodSeconds"
                | "SqsManagedSseEnabled"
                | "RedriveAllowPolicy" => {}
                "FifoQueue" if text == "false" => {}
                "FifoQueue" | "ContentBasedDeduplication" => {
                    return Err(SqsError::new(
                        "UnsupportedOperation",
                        "The embedded engine has no FIFO queues.",
                    ));
                }
                _ => {
                    return Err(SqsError::new(
                        "InvalidAttributeName",
                        format!("Unknown Attribute {name}."),
                    ));
                }
            }
        }
        Ok(self)
    }

    /// As GetQueueAttributes shows them.
    pub fn attributes(&self) -> Map<String, Value> {
        let mut shown = Map::new();
        let mut add = |name: &str, value: String| shown.insert(name.to_owned(), json!(value));
        add("VisibilityTimeout", (self.visibility / 1_000).to_string());
        add("DelaySeconds", (self.delay / 1_000).to_string());
        add("ReceiveMessageWaitTimeSeconds", (self.wait / 1_000).to_string());
        add("MessageRetentionPeriod", (self.retention / 1_000).to_string());
        add("MaximumMessageSize", self.max_size.to_string());
        if let Some(redrive) = &self.redrive {
            let policy = json!({
                "deadLetterTargetArn": arn(&redrive.queue),
                "maxReceiveCount": redrive.max_receives,
            });
            add("RedrivePolicy", policy.to_string());
        }
        shown
    }
}

pub(super) fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}")
}

fn redrive(policy: &str) -> Option<Redrive> {
    let policy: RedrivePolicy = serde_json::from_str(policy).ok()?;
    let queue =
        policy.dead_letter_target_arn.strip_prefix("arn:aws:sqs:")?.rsplit(':').next()?.to_owned();
    let count = match &policy.max_receive_count {
        Value::String(count) => count.parse().ok(),
        count => count.as_u64(),
    };
    let max_receives = count
        .and_then(|count| u32::try_from(count).ok())
        .filter(|count| (1..=1_000).contains(count))?;
    Some(Redrive { queue, max_receives })
}

fn invalid(name: &str) -> SqsError {
    SqsError::new("InvalidAttributeValue", format!("Invalid value for the parameter {name}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Result<Settings, String> {
        let mut attributes = Map::new();
        attributes.insert(name.into(), json!(value));
        Settings::default().with(&attributes).map_err(|error| error.code().to_owned())
    }

    #[test]
    fn limits_of_attributes() {
        for (name, value, fine) in [
            ("VisibilityTimeout", "0", true),
            ("VisibilityTimeout", "43200", true),
            ("VisibilityTimeout", "43201", false),
            ("DelaySeconds", "900", true),
            ("DelaySeconds", "-1", false),
            ("MaximumMessageSize", "1048576", true),
            ("MaximumMessageSize", "1048577", false),
            ("MessageRetentionPeriod", "59", false),
            ("RedrivePolicy", "{}", false),
            ("FifoQueue", "true", false),
            ("Colour", "blue", false),
        ] {
            assert_eq!(with(name, value).is_ok(), fine, "{name} {value}");
        }
    }

    #[test]
    fn max_receive_count_may_be_a_number_or_a_string() {
        for count in ["3", "\"3\""] {
            let policy =
                format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":{count}}}"#, arn("dead"));
            let settings = with("RedrivePolicy", &policy).unwrap();
            assert_eq!(settings.redrive, Some(Redrive { queue: "dead".into(), max_receives: 3 }));
        }
    }
}
