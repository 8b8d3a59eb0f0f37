//! The answers and half-done batches that injected faults stand for, in the words of the services.

use serde_json::{Value, json};

use super::connector::{Reply, Service};
use super::fault::Verdict;

/// How a call ends that must not reach its engine.
pub(super) enum Stop {
    Broken,
    Answer(Reply),
}

pub(super) fn stop<S: Service>(verdict: Verdict, operation: &str, body: &Value) -> Option<Stop> {
    match verdict {
        Verdict::Pass
        | Verdict::LoseAnswer
        | Verdict::HangBefore
        | Verdict::HangAfter
        | Verdict::Unprocessed => None,
        Verdict::FailBefore => Some(Stop::Broken),
        Verdict::ServerError => Some(Stop::Answer(Reply::error(
            500,
            "InternalServerError",
            "Internal server error (injected)",
        ))),
        Verdict::Throttle => Some(Stop::Answer(S::throttled())),
        Verdict::TransactionConflict => conflict(operation, body).map(Stop::Answer),
        Verdict::StaleIndex if operation == "Query" && body.get("IndexName").is_some() => {
            Some(Stop::Answer(Reply::ok(&json!({"Items": [], "Count": 0, "ScannedCount": 0}))))
        }
        Verdict::StaleIndex => None,
    }
}

/// A conflict with another transaction, in the words of DynamoDB.
fn conflict(operation: &str, body: &Value) -> Option<Reply> {
    let message = "Transaction is ongoing for the item";
    match operation {
        "TransactWriteItems" | "TransactGetItems" => {
            let actions = body.get("TransactItems").and_then(Value::as_array).map_or(1, Vec::len);
            let reasons = vec![json!({"Code": "TransactionConflict", "Message": message}); actions];
            let codes = vec!["TransactionConflict"; actions].join(", ");
            let body = json!({
                "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                "Message": format!(
                    "Transaction cancelled, please refer cancellation reasons for \
                     specific reasons [{codes}]"
                ),
                "CancellationReasons": reasons,
            });
            Some(Reply { status: 400, body: body.to_string(), query_error: None })
        }
        "PutItem" | "UpdateItem" | "DeleteItem" => {
            let kind = "com.amazonaws.dynamodb.v20120810#TransactionConflictException";
            Some(Reply::error(400, kind, message))
        }
        _ => None,
    }
}

/// The second half of a batch, kept from the engine and answered as not done.
pub(super) enum HeldBack {
    /// `UnprocessedItems` or `UnprocessedKeys`, by table.
    Dynamo { member: &'static str, rest: Value },
    /// Entry ids of an SQS batch.
    Sqs(Vec<Value>),
}

impl HeldBack {
    pub fn take(operation: &str, body: &mut Value) -> Option<Self> {
        match operation {
            "BatchWriteItem" | "BatchGetItem" => {
                let member = if operation == "BatchGetItem" {
                    "UnprocessedKeys"
                } else {
                    "UnprocessedItems"
                };
                let tables = body.get_mut("RequestItems")?.as_object_mut()?;
                let mut rest = serde_json::Map::new();
                for (table, request) in tables.iter_mut() {
                    // Keys carry their projection along; writes are the list itself.
                    let mut left = request.clone();
                    let list = if request.is_array() {
                        Some(&mut *request)
                    } else {
                        request.get_mut("Keys")
                    };
                    let list = list?.as_array_mut()?;
                    let tail = Value::Array(list.split_off(list.len() / 2));
                    if left.is_array() {
                        left = tail
                    } else {
                        left["Keys"] = tail
                    }
                    rest.insert(table.clone(), left);
                }
                // A table without a single request would be refused.
                tables.retain(|_, request| {
                    let list = request.as_array().or_else(|| request["Keys"].as_array());
                    list.is_some_and(|list| !list.is_empty())
                });
                Some(Self::Dynamo { member, rest: Value::Object(rest) })
            }
            "SendMessageBatch" | "DeleteMessageBatch" | "ChangeMessageVisibilityBatch" => {
                let entries = body.get_mut("Entries")?.as_array_mut()?;
                Some(Self::Sqs(entries.split_off(entries.len() / 2)))
            }
            _ => None,
        }
    }

    /// Whether the engine is left with nothing to do, which it would refuse.
    pub fn is_everything(&self, body: &Value) -> bool {
        match self {
            Self::Dynamo { .. } => {
                body["RequestItems"].as_object().is_none_or(serde_json::Map::is_empty)
            }
            Self::Sqs(_) => body["Entries"].as_array().is_none_or(Vec::is_empty),
        }
    }

    pub fn put(self, reply: Reply) -> Reply {
        if reply.status != 200 {
            return reply;
        }
        let mut body = serde_json::from_str(&reply.body).unwrap_or_else(|_| json!({}));
        match self {
            Self::Dynamo { member, rest } => body[member] = rest,
            Self::Sqs(entries) => {
                let failed = entries.iter().map(|entry| {
                    json!({
                        "Id": entry["Id"], "SenderFault": false,
                        "Code": "InternalError", "Message": "injected",
                    })
                });
                let mut all = body["Failed"].as_array().cloned().unwrap_or_default();
                all.extend(failed);
                body["Failed"] = Value::Array(all);
            }
        }
        for (part, empty) in [("Responses", json!({})), ("Successful", json!([]))] {
            if body.get(part).is_none() {
                body[part] = empty;
            }
        }
        Reply::ok(&body)
    }
}
