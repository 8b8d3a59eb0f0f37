//! What a call consumed, from the library's own figures and, for failed conditions, by formula.
//!
//! The library computes `ConsumedCapacity` by index when asked, so every request is made to ask;
//! callers see of it only what they asked for. It gives no figure for a failed condition, which
//! DynamoDB bills all the same. The formula:
//!
//! - a single write whose condition failed: write units of the larger of the item that is there
//!   and, for a put, the item that should have been; at least one. No index is written. Source: the
//!   Developer Guide, "Condition expressions" and "DynamoDB read and write operations" ("the amount
//!   consumed is dependent on the size of the item").
//! - a cancelled transaction: the same for each of its actions, times two as for one that commits.
//!   Of actions that did not fail only a put's own size is known here, the others count one unit
//!   (times two). AWS does not document the exact figure; this is the highest it can be for items
//!   up to 1 KB.
//! - validation errors and throttled calls: nothing.
//!
//! To know the size of the item that is there, requests are also made to ask for it on failure
//! (`ALL_OLD`).

use std::collections::HashMap;

use dynoxide::DynoxideError;
use dynoxide::types::{AttributeValue, ConsumedCapacity, item_size, write_capacity_units};
use serde_json::{Value, json};

use crate::engines::meter::{Part, Units, Usage};

const RETURN_CAPACITY: &str = "ReturnConsumedCapacity";
const RETURN_OLD: &str = "ReturnValuesOnConditionCheckFailure";
const TRANSACTION_FACTOR: f64 = 2.0;

/// What the caller itself asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    capacity: Detail,
    /// One for a single write, one for each action of a transaction: whether the old item was
    /// wanted on failure.
    old_items: Vec<bool>,
}

#[derive(Debug, Default, PartialEq)]
enum Detail {
    #[default]
    None,
    Total,
    Indexes,
}

/// Makes the request ask for all figures, and remembers what the caller wanted.
pub(super) fn prepare(operation: &str, body: &mut Value) -> Asked {
    let mut asked = Asked::default();
    let counted = matches!(
        operation,
        "GetItem"
            | "PutItem"
            | "UpdateItem"
            | "DeleteItem"
            | "Query"
            | "Scan"
            | "BatchGetItem"
            | "BatchWriteItem"
            | "TransactGetItems"
            | "TransactWriteItems"
    );
    if counted {
        asked.capacity = match body[RETURN_CAPACITY].as_str() {
            Some("TOTAL") => Detail::Total,
            Some("INDEXES") => Detail::Indexes,
            _ => Detail::None,
        };
        body[RETURN_CAPACITY] = json!("INDEXES");
    }
    match operation {
        "PutItem" | "UpdateItem" | "DeleteItem" => asked.old_items.push(ask_for_old(body)),
        "TransactWriteItems" => {
            let actions = body["TransactItems"].as_array_mut().into_iter().flatten();
            for action in actions {
                let inner = action.as_object_mut().and_then(|action| action.values_mut().next());
                asked.old_items.push(inner.is_some_and(ask_for_old));
            }
        }
        _ => {}
    }
    asked
}

fn ask_for_old(write: &mut Value) -> bool {
    let wanted = write[RETURN_OLD] == "ALL_OLD";
    if write.get("ConditionExpression").is_some() {
        write[RETURN_OLD] = json!("ALL_OLD");
    }
    wanted
}

/// What kind of row the call is about (see [`Snapshot::rows`](crate::engines::Snapshot)): by the
/// name its sort key begins with, since in a table of many kinds that tells them apart.
pub(super) fn row(operation: &str, body: &Value) -> Option<String> {
    let key = ["Key", "Item"].into_iter().find_map(|part| body[part]["sk"]["S"].as_str());
    let kind = match (key, body["IndexName"].as_str()) {
        (Some(key), _) if key.starts_with(|c: char| c.is_ascii_digit()) => "#",
        (Some(key), _) => key.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default(),
        (None, Some(index)) => index,
        (None, None) => return None,
    };
    let eventual = operation == "GetItem" && body["ConsistentRead"] != true;
    Some(format!("{operation} {kind}{}", if eventual { " eventual" } else { "" }))
}

/// Reads the figures out of an answer and leaves in it what the caller wanted.
pub(super) fn read(operation: &str, asked: &Asked, answer: &mut Value) -> Usage {
    let mut usage = Usage::default();
    let Some(consumed) = answer.get("ConsumedCapacity") else { return usage };
    let tables: Vec<&Value> = match consumed {
        Value::Array(tables) => tables.iter().collect(),
        one => vec![one],
    };
    for table in tables {
        if let Ok(table) = serde_json::from_value::<ConsumedCapacity>(table.clone()) {
            parts(operation, table, &mut usage.parts);
        }
    }
    if asked.capacity == Detail::Indexes {
        return usage;
    }
    match (&asked.capacity, answer.get_mut("ConsumedCapacity"), operation) {
        (Detail::Total, Some(Value::Array(tables)), _) => tables.iter_mut().for_each(total_only),
        (Detail::Total, Some(table), _) => total_only(table),
        _ => {
            if let Some(answer) = answer.as_object_mut() {
                answer.remove("ConsumedCapacity");
            }
        }
    }
    usage
}

fn total_only(table: &mut Value) {
    if let Some(table) = table.as_object_mut() {
        table.retain(|name, _| name.ends_with("CapacityUnits") || name == "TableName");
    }
}

fn parts(operation: &str, consumed: ConsumedCapacity, into: &mut Vec<Part>) {
    // A transaction repeated under its ClientRequestToken writes nothing and is billed as reads.
    let replayed =
        consumed.read_capacity_units.is_some() && consumed.write_capacity_units.is_none();
    let reads = replayed
        || matches!(operation, "GetItem" | "BatchGetItem" | "TransactGetItems" | "Query" | "Scan");
    let units = |count: f64| match reads {
        true => Units { read: count, write: 0.0 },
        false => Units { read: 0.0, write: count },
    };
    let table = consumed.table_name;
    let indexes = consumed
        .global_secondary_indexes
        .into_iter()
        .chain(consumed.local_secondary_indexes)
        .flatten();
    for (index, detail) in indexes {
        into.push(Part {
            table: table.clone(),
            index: Some(index),
            units: units(detail.capacity_units),
        });
    }
    let of_table = consumed.table.map_or(consumed.capacity_units, |detail| detail.capacity_units);
    into.push(Part { table, index: None, units: units(of_table) });
}

/// The formula for failed conditions (see the module header). Takes old items out of the error that
/// nobody asked for.
pub(super) fn of_failure(
    operation: &str,
    body: &Value,
    asked: &Asked,
    error: &mut DynoxideError,
) -> Usage {
    let mut usage = Usage { error: true, ..Usage::default() };
    match error {
        DynoxideError::ConditionalCheckFailedException(_, old) => {
            usage.failed_conditions = 1;
            usage.parts.extend(attempted(body, old.as_ref(), 1.0));
            if asked.old_items.first() != Some(&true) {
                *old = None;
            }
        }
        DynoxideError::TransactionCanceledException(_, reasons)
            if operation == "TransactWriteItems" =>
        {
            let actions = body["TransactItems"].as_array().into_iter().flatten();
            for (position, (action, reason)) in actions.zip(reasons.iter_mut()).enumerate() {
                usage.failed_conditions += u64::from(reason.code == "ConditionalCheckFailed");
                let write = action.as_object().and_then(|action| action.values().next());
                usage.parts.extend(
                    write.and_then(|write| {
                        attempted(write, reason.item.as_ref(), TRANSACTION_FACTOR)
                    }),
                );
                if asked.old_items.get(position) != Some(&true) {
                    reason.item = None;
                }
            }
        }
        _ => {}
    }
    usage
}

fn attempted(
    write: &Value,
    old: Option<&HashMap<String, AttributeValue>>,
    factor: f64,
) -> Option<Part> {
    let new: Option<HashMap<String, AttributeValue>> =
        write.get("Item").and_then(|item| serde_json::from_value(item.clone()).ok());
    let size = old.map_or(0, item_size).max(new.as_ref().map_or(0, item_size));
    let units = Units { read: 0.0, write: factor * write_capacity_units(size) };
    Some(Part { table: write.get("TableName")?.as_str()?.to_owned(), index: None, units })
}
