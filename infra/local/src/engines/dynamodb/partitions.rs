//! Which partitions a call writes to, of the table and of its indexes: asked only by who watches for hot keys
//! ([`Meter::watch_partitions`](crate::engines::Meter::watch_partitions)), because it reads each row before and
//! after the change. Someone else who changes the same row in between is counted with it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use dynoxide::Database;
use dynoxide::types::{AttributeValue, item_size, write_capacity_units};
use serde_json::{Map, Value, json};

use super::dispatch;
use crate::engines::meter::Write;

/// Tables' schemas as they were described first: to describe a table is slow where it has many rows.
pub(super) type Schemas = Mutex<HashMap<String, Arc<Value>>>;

/// A row that a call is about to write.
pub(super) struct Row {
    table: String,
    schema: Arc<Value>,
    key: Value,
    before: Value,
    /// 2 in a transaction.
    factor: f64,
}

/// The rows that the call names, as they are now.
pub(super) fn before(
    database: &Database,
    schemas: &Schemas,
    operation: &str,
    body: &Value,
) -> Vec<Row> {
    let row = |write: &Value, table: &Value, factor| {
        let schema = schema(database, schemas, table.as_str()?);
        let mut key = Map::new();
        for part in schema["KeySchema"].as_array().into_iter().flatten() {
            let name = part["AttributeName"].as_str()?;
            let value = ["Key", "Item"].into_iter().find_map(|place| write[place].get(name))?;
            key.insert(name.to_owned(), value.clone());
        }
        let (table, key) = (table.as_str()?.to_owned(), Value::Object(key));
        let before = read(database, &table, &key);
        Some(Row { table, schema, key, before, factor })
    };
    match operation {
        "PutItem" | "UpdateItem" | "DeleteItem" => {
            row(body, &body["TableName"], 1.0).into_iter().collect()
        }
        "TransactWriteItems" => {
            let actions = body["TransactItems"].as_array().into_iter().flatten();
            let writes = actions.filter_map(|action| action.as_object()?.iter().next());
            let writes = writes.filter(|(kind, _)| *kind != "ConditionCheck");
            writes.filter_map(|(_, write)| row(write, &write["TableName"], 2.0)).collect()
        }
        "BatchWriteItem" => {
            let tables = body["RequestItems"].as_object().into_iter().flatten();
            let writes = tables.flat_map(|(table, writes)| {
                let writes = writes.as_array().into_iter().flatten();
                writes
                    .filter_map(|write| write.as_object()?.values().next())
                    .map(move |w| (table, w))
            });
            writes.filter_map(|(table, write)| row(write, &json!(table), 1.0)).collect()
        }
        _ => Vec::new(),
    }
}

fn schema(database: &Database, schemas: &Schemas, table: &str) -> Arc<Value> {
    let mut schemas = schemas.lock().unwrap_or_else(PoisonError::into_inner);
    let described = schemas.entry(table.to_owned()).or_insert_with(|| {
        let mut answer = ask(database, "DescribeTable", &json!({"TableName": table}));
        Arc::new(answer["Table"].take())
    });
    Arc::clone(described)
}

/// What was written, now that the call is over; a write whose condition failed is one as well.
pub(super) fn after(database: &Database, rows: Vec<Row>) -> Vec<Write> {
    rows.iter().flat_map(|row| written(row, &read(database, &row.table, &row.key))).collect()
}

fn written(row: &Row, after: &Value) -> Vec<Write> {
    let name = |part: &Value, place: usize| {
        part["KeySchema"][place]["AttributeName"].as_str().unwrap_or_default().to_owned()
    };
    let text = |item: &Value, name: &str| item[name]["S"].as_str().map(str::to_owned);
    let units = row.factor * write_capacity_units(size(&row.before).max(size(after)));
    let partition = text(&row.key, &name(&row.schema, 0)).unwrap_or_default();
    let mut writes = vec![Write { index: None, partition, units }];
    for index in row.schema["GlobalSecondaryIndexes"].as_array().into_iter().flatten() {
        let entry =
            |item: &Value| Some((text(item, &name(index, 0))?, text(item, &name(index, 1))?));
        let (old, new) = (entry(&row.before), entry(after));
        if old == new {
            continue;
        }
        // One that moves is taken out and put in. Entries have keys only: a unit each.
        let index = index["IndexName"].as_str().map(str::to_owned);
        writes.extend([old, new].into_iter().flatten().map(|(partition, _)| Write {
            index: index.clone(),
            partition,
            units: row.factor,
        }));
    }
    writes
}

fn read(database: &Database, table: &str, key: &Value) -> Value {
    let input = json!({"TableName": table, "Key": key, "ConsistentRead": true});
    ask(database, "GetItem", &input)["Item"].take()
}

fn ask(database: &Database, operation: &str, input: &Value) -> Value {
    dispatch::run(database, operation, &input.to_string()).unwrap_or_default()
}

fn size(item: &Value) -> usize {
    let item: Option<HashMap<String, AttributeValue>> = serde_json::from_value(item.clone()).ok();
    item.as_ref().map_or(0, item_size)
}
