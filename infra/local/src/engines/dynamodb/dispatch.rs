//! From an operation's name and JSON to the library's call, and back to JSON or to an error in
//! DynamoDB's words.

use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::capacity;
use crate::engines::connector::Reply;
use crate::engines::meter::Usage;

/// Runs one operation. Blocks for as long as SQLite does.
pub(super) fn dispatch(database: &Database, operation: &str, mut body: Value) -> (Reply, Usage) {
    let asked = capacity::prepare(operation, &mut body);
    let row = capacity::row(operation, &body);
    match run(database, operation, &body.to_string()) {
        Ok(mut answer) => {
            let usage = capacity::read(operation, &asked, &mut answer);
            (Reply::ok(&answer), Usage { row, ..usage })
        }
        Err(mut error) => {
            let usage = capacity::of_failure(operation, &body, &asked, &mut error);
            let usage = Usage { row, ..usage };
            (Reply { status: error.status_code(), body: error.to_json(), query_error: None }, usage)
        }
    }
}

pub(super) fn run(db: &Database, operation: &str, body: &str) -> Result<Value, DynoxideError> {
    match operation {
        "GetItem" => via(operation, body, |input| db.get_item(input)),
        "PutItem" => via(operation, body, |input| db.put_item(input)),
        "UpdateItem" => via(operation, body, |input| db.update_item(input)),
        "DeleteItem" => via(operation, body, |input| db.delete_item(input)),
        "Query" => via(operation, body, |input| db.query(input)),
        "Scan" => via(operation, body, |input| db.scan(input)),
        "BatchGetItem" => via(operation, body, |input| db.batch_get_item(input)),
        "BatchWriteItem" => via(operation, body, |input| db.batch_write_item(input)),
        "TransactGetItems" => via(operation, body, |input| db.transact_get_items(input)),
        "TransactWriteItems" => via(operation, body, |input| db.transact_write_items(input)),
        "CreateTable" => via(operation, body, |input| db.create_table(input)),
        "DescribeTable" => via(operation, body, |input| db.describe_table(input)),
        "UpdateTable" => via(operation, body, |input| db.update_table(input)),
        "DeleteTable" => via(operation, body, |input| db.delete_table(input)),
        "ListTables" => via(operation, body, |input| db.list_tables(input)),
        "UpdateTimeToLive" => via(operation, body, |input| db.update_time_to_live(input)),
        "DescribeTimeToLive" => via(operation, body, |input| db.describe_time_to_live(input)),
        "TagResource" => via(operation, body, |input| db.tag_resource(input)),
        "UntagResource" => via(operation, body, |input| db.untag_resource(input)),
        "ListTagsOfResource" => via(operation, body, |input| db.list_tags_of_resource(input)),
        "ExecuteStatement" => via(operation, body, |input| db.execute_statement(input)),
        "ExecuteTransaction" => via(operation, body, |input| db.execute_transaction(input)),
        "BatchExecuteStatement" => via(operation, body, |input| db.batch_execute_statement(input)),
        "ListStreams" => via(operation, body, |input| db.list_streams(input)),
        "DescribeStream" => via(operation, body, |input| db.describe_stream(input)),
        "GetShardIterator" => via(operation, body, |input| db.get_shard_iterator(input)),
        "GetRecords" => via(operation, body, |input| db.get_records(input)),
        _ => Err(DynoxideError::ValidationException(format!(
            "The embedded engine has no operation {operation:?}"
        ))),
    }
}

fn via<I: DeserializeOwned, O: Serialize>(
    operation: &str,
    body: &str,
    call: impl FnOnce(I) -> Result<O, DynoxideError>,
) -> Result<Value, DynoxideError> {
    let input =
        serde_json::from_str(body).map_err(|error| unreadable(operation, &error.to_string()))?;
    let output = call(input)?;
    serde_json::to_value(&output)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// The library checks much while it reads a request, and marks in the message which error DynamoDB
/// would answer with.
fn unreadable(operation: &str, message: &str) -> DynoxideError {
    let without_position = message.rfind(" at line ").map_or(message, |at| &message[..at]);
    let after = |mark: &str| without_position.strip_prefix(mark).map(str::to_owned);
    if let Some(message) = after("VALIDATION_REQUEST:") {
        return DynoxideError::ValidationException(match operation {
            "PutItem" | "UpdateItem" | "DeleteItem" => {
                format!("1 validation error detected: {message}")
            }
            _ => message,
        });
    }
    if let Some(message) = after("VALIDATION_AS_READ:").or_else(|| after("VALIDATION:")) {
        return DynoxideError::ValidationException(message);
    }
    if let Some(message) = after("SERIALIZATION_AS_READ:").or_else(|| after("SERIALIZATION:")) {
        return DynoxideError::SerializationException(message);
    }
    let about_values = ["missing field", "unknown variant", "invalid type: null", "AttributeValue"];
    if about_values.iter().any(|words| message.contains(words)) {
        return DynoxideError::ValidationException(without_position.to_owned());
    }
    DynoxideError::SerializationException(without_position.to_owned())
}
