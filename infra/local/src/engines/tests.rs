//! Faults between the real SDK clients and the engines, and KMS.

#![expect(clippy::disallowed_methods, reason = "tests of the edge itself use real time")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, Projection, ProjectionType, Put, PutRequest, ScalarAttributeType, TransactWriteItem,
    WriteRequest,
};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

use super::kms::{KmsEngine, KmsOpenError};
use super::{Engines, Operation, ServiceName, Verdict};

fn open(folder: Option<&Path>) -> Engines {
    Engines::open(folder, Arc::new(jiff::Timestamp::now)).unwrap()
}

/// The first call of `name` meets `verdict`, all others pass.
fn first(engines: &Engines, name: &'static str, verdict: Verdict) {
    let met = std::sync::atomic::AtomicBool::new(false);
    engines.faults().set(move |operation: &Operation<'_>| {
        if operation.name == name && !met.swap(true, std::sync::atomic::Ordering::SeqCst) {
            verdict
        } else {
            Verdict::Pass
        }
    });
}

async fn table(engines: &Engines) -> aws_sdk_dynamodb::Client {
    let client = engines.dynamodb();
    let key = |name: &str| {
        KeySchemaElement::builder().attribute_name(name).key_type(KeyType::Hash).build().unwrap()
    };
    let attribute = |name: &str| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .unwrap()
    };
    let index = GlobalSecondaryIndex::builder()
        .index_name("by_state")
        .key_schema(key("state"))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build());
    let create = client.create_table().table_name("main").billing_mode(BillingMode::PayPerRequest);
    let create =
        create.attribute_definitions(attribute("pk")).attribute_definitions(attribute("state"));
    create
        .key_schema(key("pk"))
        .global_secondary_indexes(index.build().unwrap())
        .send()
        .await
        .unwrap();
    client
}

async fn rows(client: &aws_sdk_dynamodb::Client) -> i32 {
    client.scan().table_name("main").limit(100).send().await.unwrap().count()
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.into())
}

#[tokio::test]
async fn the_sdk_retries_what_failed_before_it_took_effect() {
    let engines = open(None);
    let client = table(&engines).await;
    for (number, verdict) in
        [Verdict::FailBefore, Verdict::ServerError, Verdict::Throttle].into_iter().enumerate()
    {
        engines.meter().reset();
        first(&engines, "PutItem", verdict);
        client
            .put_item()
            .table_name("main")
            .item("pk", text(&number.to_string()))
            .send()
            .await
            .unwrap();
        let count = engines.meter().snapshot().operations["dynamodb:PutItem"].clone();
        assert_eq!((count.stopped, count.calls), (1, 1), "{verdict:?}");
        assert_eq!(engines.faults().count(), 2);
    }
    assert_eq!(rows(&client).await, 3);
    engines.faults().set(|_: &Operation<'_>| Verdict::Throttle);
    let failed =
        client.put_item().table_name("main").item("pk", text("x")).send().await.unwrap_err();
    assert!(failed.into_service_error().is_provisioned_throughput_exceeded_exception());
    assert_eq!(engines.faults().count(), 3, "three attempts");
}

#[tokio::test]
async fn a_lost_answer_makes_the_retry_meet_its_own_write() {
    let engines = open(None);
    let client = table(&engines).await;
    first(&engines, "PutItem", Verdict::LoseAnswer);
    let put = client
        .put_item()
        .table_name("main")
        .item("pk", text("a"))
        .condition_expression("attribute_not_exists(pk)");
    assert!(
        put.send().await.unwrap_err().into_service_error().is_conditional_check_failed_exception()
    );
    assert_eq!(rows(&client).await, 1);

    // A transaction is remembered by its token, so that its retry succeeds.
    first(&engines, "TransactWriteItems", Verdict::LoseAnswer);
    let put = Put::builder()
        .table_name("main")
        .item("pk", text("b"))
        .condition_expression("attribute_not_exists(pk)");
    let action = TransactWriteItem::builder().put(put.build().unwrap()).build();
    client.transact_write_items().transact_items(action).send().await.unwrap();
    assert_eq!(rows(&client).await, 2);

    let once = engines.clone().with_attempts(1).dynamodb();
    first(&engines, "PutItem", Verdict::LoseAnswer);
    let lost = once.put_item().table_name("main").item("pk", text("c")).send().await.unwrap_err();
    assert!(lost.as_service_error().is_none(), "{lost:?}");
    assert_eq!(rows(&client).await, 3);
}

#[tokio::test]
async fn conflicts_come_in_the_words_of_dynamodb() {
    let engines = open(None);
    let client = table(&engines).await;
    first(&engines, "TransactWriteItems", Verdict::TransactionConflict);
    let action = |pk: &str| {
        TransactWriteItem::builder()
            .put(Put::builder().table_name("main").item("pk", text(pk)).build().unwrap())
            .build()
    };
    let send = client
        .transact_write_items()
        .transact_items(action("a"))
        .transact_items(action("b"))
        .send();
    let failed = send.await.unwrap_err().into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(failed) = failed else {
        panic!("{failed:?}")
    };
    assert!(
        failed
            .cancellation_reasons()
            .iter()
            .all(|reason| reason.code() == Some("TransactionConflict"))
    );
    assert_eq!(failed.cancellation_reasons().len(), 2);
    first(&engines, "PutItem", Verdict::TransactionConflict);
    let failed =
        client.put_item().table_name("main").item("pk", text("a")).send().await.unwrap_err();
    assert!(failed.into_service_error().is_transaction_conflict_exception());
    assert_eq!(rows(&client).await, 0);
}

#[tokio::test]
async fn batches_may_be_done_by_half_and_an_index_may_lag() {
    let engines = open(None);
    let client = table(&engines).await;
    let write = |pk: i32| {
        let put = PutRequest::builder()
            .item("pk", text(&pk.to_string()))
            .item("state", text("due"))
            .build()
            .unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    for (size, done) in [(5, 2), (1, 0)] {
        first(&engines, "BatchWriteItem", Verdict::Unprocessed);
        let before = rows(&client).await;
        let writes = (before..before + size).map(write).collect();
        let answer = client.batch_write_item().request_items("main", writes).send().await.unwrap();
        assert_eq!(answer.unprocessed_items().unwrap()["main"].len(), (size - done) as usize);
        assert_eq!(rows(&client).await, before + done);
    }
    let query = || {
        let query = client
            .query()
            .table_name("main")
            .index_name("by_state")
            .key_condition_expression("#s = :s");
        query
            .expression_attribute_names("#s", "state")
            .expression_attribute_values(":s", text("due"))
            .send()
    };
    first(&engines, "Query", Verdict::StaleIndex);
    assert_eq!(query().await.unwrap().count(), 0);
    assert_eq!(query().await.unwrap().count(), 2);

    let sqs = engines.sqs();
    let url = sqs.create_queue().queue_name("q").send().await.unwrap().queue_url.unwrap();
    first(&engines, "SendMessageBatch", Verdict::Unprocessed);
    let entry = |id: i32| {
        SendMessageBatchRequestEntry::builder()
            .id(id.to_string())
            .message_body("m")
            .build()
            .unwrap()
    };
    let sent = sqs
        .send_message_batch()
        .queue_url(&url)
        .set_entries(Some((0..3).map(entry).collect()))
        .send()
        .await
        .unwrap();
    assert_eq!((sent.successful().len(), sent.failed().len()), (1, 2));
    first(&engines, "GetQueueUrl", Verdict::Throttle);
    sqs.get_queue_url().queue_name("q").send().await.unwrap();
}

#[tokio::test]
async fn a_call_may_hang_before_or_after_it_took_effect() {
    let engines = open(None);
    let client = table(&engines).await;
    for (verdict, written) in [(Verdict::HangBefore, 0), (Verdict::HangAfter, 1)] {
        first(&engines, "PutItem", verdict);
        let put = client.put_item().table_name("main").item("pk", text("a")).send();
        assert!(tokio::time::timeout(Duration::from_millis(200), put).await.is_err());
        assert_eq!(rows(&client).await, written);
    }
}

#[tokio::test]
async fn what_is_encrypted_for_one_context_opens_only_there() {
    let folder = tempfile::tempdir().unwrap();
    let engines = open(Some(folder.path()));
    let client = engines.kms();
    let encrypt = client.encrypt().key_id("alias/carillon").plaintext(Blob::new("api key"));
    let encrypted = encrypt
        .encryption_context("org", "org_1")
        .encryption_context("use", "twilio")
        .send()
        .await
        .unwrap();
    let blob = encrypted.ciphertext_blob().unwrap().clone();
    assert!(!blob.as_ref().windows(7).any(|window| window == b"api key"));

    let reopened = {
        drop((engines, client));
        open(Some(folder.path()))
    };
    let client = reopened.kms();
    let decrypt = |blob: Blob, context: &[(&str, &str)]| {
        // A name is not in the ciphertext: a new process must be told it.
        let mut decrypt = client.decrypt().key_id("alias/carillon").ciphertext_blob(blob);
        for (name, value) in context {
            decrypt = decrypt.encryption_context(*name, *value);
        }
        decrypt.send()
    };
    let context = [("use", "twilio"), ("org", "org_1")];
    let opened = decrypt(blob.clone(), &context).await.unwrap();
    assert_eq!(opened.plaintext().unwrap().as_ref(), b"api key");
    assert_eq!(opened.key_id(), encrypted.key_id());

    let bytes = blob.as_ref();
    let changed = |position: usize| {
        let mut bytes = bytes.to_vec();
        bytes[position] ^= 1;
        Blob::new(bytes)
    };
    for (blob, context) in [
        (blob.clone(), &[("org", "org_2"), ("use", "twilio")][..]),
        (blob.clone(), &[("org", "org_1")]),
        (blob.clone(), &[]),
        (changed(0), &context),
        (changed(1), &context),
        (changed(20), &context),
        (changed(bytes.len() - 1), &context),
        (Blob::new(&bytes[..20]), &context),
    ] {
        let refused = decrypt(blob, context).await.unwrap_err().into_service_error();
        assert!(refused.is_invalid_ciphertext_exception(), "{refused:?}");
    }
    let other = open(None)
        .kms()
        .decrypt()
        .ciphertext_blob(blob)
        .set_encryption_context(None)
        .send()
        .await
        .unwrap_err();
    assert!(other.into_service_error().is_invalid_ciphertext_exception());
    let long =
        client.encrypt().key_id("k").plaintext(Blob::new(vec![0; 4_097])).send().await.unwrap_err();
    assert_eq!(long.code(), Some("ValidationException"));
    assert_eq!(reopened.meter().snapshot().calls(ServiceName::Kms, "Decrypt"), 9);
}

#[test]
fn the_key_file_is_private_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kms.key");
    let engine = KmsEngine::open(Some(&path)).unwrap();
    let metadata = std::fs::metadata(&path).unwrap();
    assert_eq!((metadata.permissions().mode() & 0o777, metadata.len()), (0o600, 32));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let key = std::fs::read(&path).unwrap();
    assert!(!format!("{engine:?}").contains(&hex::encode(&key)));
    std::fs::write(&path, b"short").unwrap();
    assert!(matches!(KmsEngine::open(Some(&path)), Err(KmsOpenError::Length { found: 5, .. })));
    assert_eq!(std::fs::read(&path).unwrap(), b"short");
}
