//! SQS's errors: the shape's name in JSON and the older code that `x-amzn-query-error` carries.

use crate::engines::connector::Reply;

#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub(super) struct SqsError {
    shape: &'static str,
    code: &'static str,
    pub message: String,
}

/// Shape in the service's own namespace, older code.
const MODELLED: &[(&str, &str)] = &[
    ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
    ("QueueNameExists", "QueueAlreadyExists"),
    ("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest"),
    ("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"),
    ("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
    ("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId"),
    ("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong"),
    ("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight"),
    ("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation"),
    ("RequestThrottled", "RequestThrottled"),
    ("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid"),
    ("InvalidMessageContents", "InvalidMessageContents"),
    ("InvalidAttributeName", "InvalidAttributeName"),
    ("InvalidAttributeValue", "InvalidAttributeValue"),
];

/// Not modelled; HTTP 500, so that the SDK tries again.
const INTERNAL: &str = "InternalFailure";

impl SqsError {
    /// `shape` without its namespace, for instance `QueueDoesNotExist`.
    pub fn new(shape: &'static str, message: impl Into<String>) -> Self {
        let code = MODELLED.iter().find(|(name, _)| *name == shape).map_or(shape, |(_, code)| code);
        Self { shape, code, message: message.into() }
    }

    pub fn no_queue() -> Self {
        Self::new("QueueDoesNotExist", "The specified queue does not exist.")
    }

    /// A parameter out of its range; not modelled as an exception of its own.
    pub fn parameter(message: impl Into<String>) -> Self {
        Self {
            shape: "InvalidParameterValueException",
            code: "InvalidParameterValue",
            message: message.into(),
        }
    }

    pub fn missing(parameter: &str) -> Self {
        Self {
            shape: "MissingRequiredParameterException",
            code: "MissingParameter",
            message: format!("The request must contain the parameter {parameter}."),
        }
    }

    /// The journal could not be written; the one error here that is not the caller's.
    pub fn internal() -> Self {
        Self::new(INTERNAL, "The embedded engine could not keep the change.")
    }

    /// As a failed entry of a batch names it.
    pub fn code(&self) -> &'static str {
        self.code
    }

    pub fn reply(&self) -> Reply {
        let modelled = MODELLED.iter().any(|(name, _)| *name == self.shape);
        let namespace = if modelled { "com.amazonaws.sqs" } else { "com.amazon.coral.service" };
        let (status, fault) =
            if self.shape == INTERNAL { (500, "Receiver") } else { (400, "Sender") };
        let mut reply = Reply::error(status, &format!("{namespace}#{}", self.shape), &self.message);
        reply.query_error = Some(format!("{};{fault}", self.code));
        reply
    }
}
