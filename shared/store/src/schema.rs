//! The table's schema, for the local stack and tests. `template.yaml` declares
//! the same for AWS; a test holds the two against each other.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType,
};

use crate::{Result, StoreError, keys, unavailable};

/// The indexes: name, partition attribute, sort attribute. Keys only, both.
pub const INDEXES: [(&str, &str, &str); 2] =
    [(keys::DUE_INDEX, "due", "due_at"), (keys::ATTENTION_INDEX, "attn", "attn_at")];

fn key_schema(
    partition: &str,
    sort: &str,
) -> std::result::Result<Vec<KeySchemaElement>, BuildError> {
    [(partition, KeyType::Hash), (sort, KeyType::Range)]
        .into_iter()
        .map(|(name, kind)| KeySchemaElement::builder().attribute_name(name).key_type(kind).build())
        .collect()
}

/// Creates the table unless it is there.
pub async fn create_table(client: &Client, table: &str) -> Result<()> {
    let built =
        |e: BuildError| StoreError::Unavailable { operation: "create table", source: Box::new(e) };
    let mut create = client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(key_schema("pk", "sk").map_err(built)?))
        .stream_specification(
            StreamSpecification::builder()
                .stream_enabled(true)
                .stream_view_type(StreamViewType::NewAndOldImages)
                .build()
                .map_err(built)?,
        );
    let mut attributes = vec!["pk", "sk"];
    for (name, partition, sort) in INDEXES {
        attributes.extend([partition, sort]);
        create = create.global_secondary_indexes(
            GlobalSecondaryIndex::builder()
                .index_name(name)
                .set_key_schema(Some(key_schema(partition, sort).map_err(built)?))
                .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
                .build()
                .map_err(built)?,
        );
    }
    for name in attributes {
        create = create.attribute_definitions(
            AttributeDefinition::builder()
                .attribute_name(name)
                .attribute_type(ScalarAttributeType::S)
                .build()
                .map_err(built)?,
        );
    }
    match create.send().await {
        Ok(_) => Ok(()),
        Err(error) => match error.as_service_error() {
            Some(CreateTableError::ResourceInUseException(_)) => Ok(()),
            _ => Err(unavailable("create table")(error)),
        },
    }
}
