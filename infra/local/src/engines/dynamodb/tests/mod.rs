//! The real SDK client against the table engine.

#![expect(clippy::disallowed_methods, reason = "tests of the edge itself use real time")]

mod durability;
mod items;
mod stream;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, Projection, ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType,
};

use crate::engines::dynamodb::DynamoOpenError;
use crate::engines::{Engines, OpenError};

const TABLE: &str = "main";

/// A process that another test is about to start holds the locks of this one until it is a
/// program of its own: so a lock that was let go of may be held for a moment.
#[expect(clippy::disallowed_methods, reason = "waits for another process")]
fn open(folder: Option<&Path>) -> Engines {
    for _ in 0..200 {
        match Engines::open(folder, Arc::new(jiff::Timestamp::now)) {
            Err(OpenError::DynamoDb(DynamoOpenError::Locked { .. })) => {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            opened => return opened.unwrap(),
        }
    }
    panic!("{folder:?} stays locked");
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn row(pk: &str, others: &[(&str, AttributeValue)]) -> HashMap<String, AttributeValue> {
    let key = [("pk", text(pk)), ("sk", text("m"))];
    let all = key.into_iter().chain(others.iter().cloned());
    all.map(|(name, value)| (name.to_owned(), value)).collect()
}

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
}

/// A table with a stream and a sparse, keys-only index `due` on `due_pk` and `due_at`.
async fn create_table(client: &Client) {
    let attribute = |name: &str| {
        let attribute = AttributeDefinition::builder().attribute_name(name);
        attribute.attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    let due = GlobalSecondaryIndex::builder()
        .index_name("due")
        .key_schema(key("due_pk", KeyType::Hash))
        .key_schema(key("due_at", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .unwrap();
    let stream = StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::NewAndOldImages);
    client
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(["pk", "sk", "due_pk", "due_at"].map(attribute).to_vec()))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(due)
        .stream_specification(stream.build().unwrap())
        .send()
        .await
        .unwrap();
}

async fn memory() -> (Engines, Client) {
    let engines = open(None);
    let client = engines.dynamodb();
    create_table(&client).await;
    (engines, client)
}

async fn put(client: &Client, pk: &str, others: &[(&str, AttributeValue)]) {
    client.put_item().table_name(TABLE).set_item(Some(row(pk, others))).send().await.unwrap();
}
