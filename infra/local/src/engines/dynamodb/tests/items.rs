//! Conditions, transactions, indexes, batches, expiry, units.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    ConditionCheck, Delete, Get, KeysAndAttributes, Put, PutRequest, ReturnConsumedCapacity,
    ReturnValue, ReturnValuesOnConditionCheckFailure, TimeToLiveSpecification, TransactGetItem,
    TransactWriteItem, WriteRequest,
};

use super::*;
use crate::engines::ServiceName;

#[tokio::test]
async fn a_failed_condition_answers_with_the_old_row_only_when_asked() {
    let (_engines, client) = memory().await;
    put(&client, "a", &[("state", text("sending")), ("token", text("t1"))]).await;
    for asked in [true, false] {
        let old = asked.then_some(ReturnValuesOnConditionCheckFailure::AllOld);
        let failed = client
            .update_item()
            .table_name(TABLE)
            .set_key(Some(row("a", &[])))
            .update_expression("SET #s = :new")
            .condition_expression("#s = :old")
            .expression_attribute_names("#s", "state")
            .expression_attribute_values(":new", text("sent"))
            .expression_attribute_values(":old", text("scheduled"))
            .set_return_values_on_condition_check_failure(old)
            .send()
            .await
            .unwrap_err()
            .into_service_error();
        let UpdateItemError::ConditionalCheckFailedException(failed) = failed else {
            panic!("{failed:?}")
        };
        let token = failed.item().and_then(|item| item.get("token"));
        assert_eq!(token, asked.then(|| text("t1")).as_ref());
        assert_eq!(failed.message(), Some("The conditional request failed"));
    }
    let updated = client
        .update_item()
        .table_name(TABLE)
        .set_key(Some(row("a", &[])))
        .update_expression("SET attempt = if_not_exists(attempt, :zero) + :one REMOVE #t")
        .condition_expression("attribute_exists(pk)")
        .expression_attribute_names("#t", "token")
        .expression_attribute_values(":zero", number(0))
        .expression_attribute_values(":one", number(1))
        .return_values(ReturnValue::AllNew)
        .send()
        .await
        .unwrap();
    let expected = row("a", &[("state", text("sending")), ("attempt", number(1))]);
    assert_eq!(updated.attributes(), Some(&expected));
}

#[tokio::test]
async fn of_concurrent_claims_one_wins() {
    let (_engines, client) = memory().await;
    let claims = (0..8).map(|claim| {
        let client = client.clone();
        async move {
            let item = row("a", &[("claim", number(claim))]);
            let put = client.put_item().table_name(TABLE).set_item(Some(item));
            put.condition_expression("attribute_not_exists(pk)").send().await.is_ok()
        }
    });
    let won = futures::future::join_all(claims).await;
    assert_eq!(won.iter().filter(|won| **won).count(), 1);
}

fn reasons(error: TransactWriteItemsError) -> Vec<aws_sdk_dynamodb::types::CancellationReason> {
    match error {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            cancelled.cancellation_reasons().to_vec()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_cancelled_transaction_gives_a_reason_for_each_action_and_changes_nothing() {
    let (engines, client) = memory().await;
    put(&client, "a", &[("gen", number(2))]).await;
    engines.meter().reset();
    let create = Put::builder().table_name(TABLE).set_item(Some(row("new", &[])));
    let check = ConditionCheck::builder()
        .table_name(TABLE)
        .set_key(Some(row("a", &[])))
        .condition_expression("gen = :gen")
        .expression_attribute_values(":gen", number(1))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let failed = client
        .transact_write_items()
        .transact_items(TransactWriteItem::builder().put(create.build().unwrap()).build())
        .transact_items(
            TransactWriteItem::builder().condition_check(check.build().unwrap()).build(),
        )
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(failed.meta().message().unwrap().contains("[None, ConditionalCheckFailed]"));
    let reasons_given = reasons(failed);
    let codes: Vec<_> = reasons_given.iter().map(|reason| reason.code().unwrap()).collect();
    assert_eq!(codes, ["None", "ConditionalCheckFailed"]);
    assert_eq!(reasons_given[1].item(), Some(&row("a", &[("gen", number(2))])));
    let count = engines.meter().snapshot().operations["dynamodb:TransactWriteItems"].clone();
    assert_eq!((count.failed_conditions, count.errors, count.units.write), (1, 1, 4.0));

    let unasked = Delete::builder()
        .table_name(TABLE)
        .set_key(Some(row("a", &[])))
        .condition_expression("gen = :gen")
        .expression_attribute_values(":gen", number(1));
    let action = TransactWriteItem::builder().delete(unasked.build().unwrap()).build();
    let failed = client.transact_write_items().transact_items(action).send().await.unwrap_err();
    assert_eq!(reasons(failed.into_service_error())[0].item(), None);

    let get = |pk: &str| {
        let get = Get::builder().table_name(TABLE).set_key(Some(row(pk, &[]))).build().unwrap();
        TransactGetItem::builder().get(get).build()
    };
    let both = client.transact_get_items().transact_items(get("a")).transact_items(get("new"));
    let both = both.send().await.unwrap();
    let found: Vec<bool> = both.responses().iter().map(|one| one.item().is_some()).collect();
    assert_eq!(found, [true, false]);
}

#[tokio::test]
async fn the_due_index_is_sparse_sorted_and_holds_keys_only() {
    let (_engines, client) = memory().await;
    for (pk, due) in [("a", Some("t3")), ("b", Some("t1")), ("c", None), ("d", Some("t2"))] {
        let mut others = vec![("state", text("scheduled"))];
        others.extend(due.map(|due| ("due_at", text(due))));
        others.extend(due.map(|_| ("due_pk", text("due/bulk/0"))));
        put(&client, pk, &others).await;
    }
    let due = |limit: i32, from: Option<HashMap<String, AttributeValue>>| {
        client
            .query()
            .table_name(TABLE)
            .index_name("due")
            .key_condition_expression("due_pk = :lane AND due_at <= :now")
            .expression_attribute_values(":lane", text("due/bulk/0"))
            .expression_attribute_values(":now", text("t2"))
            .limit(limit)
            .set_exclusive_start_key(from)
            .send()
    };
    let first = due(1, None).await.unwrap();
    let expected = row("b", &[("due_pk", text("due/bulk/0")), ("due_at", text("t1"))]);
    assert_eq!(first.items(), [expected]);
    let second = due(5, first.last_evaluated_key().cloned()).await.unwrap();
    let keys: Vec<_> = second.items().iter().map(|item| item["pk"].clone()).collect();
    assert_eq!(keys, [text("d")]);
    let consistent = client.query().table_name(TABLE).index_name("due").consistent_read(true);
    let consistent = consistent.key_condition_expression("due_pk = :l");
    let refused = consistent.expression_attribute_values(":l", text("x")).send().await;
    assert_eq!(refused.unwrap_err().code(), Some("ValidationException"));
}

#[tokio::test]
async fn batches_write_and_read() {
    let (_engines, client) = memory().await;
    let write = |count: i32| {
        let writes = (0..count).map(|pk| {
            let item = Some(row(&pk.to_string(), &[]));
            let put = PutRequest::builder().set_item(item).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        });
        client.batch_write_item().request_items(TABLE, writes.collect()).send()
    };
    let written = write(25).await.unwrap();
    assert!(written.unprocessed_items().is_none_or(HashMap::is_empty));
    let keys = (20..30).map(|pk: i32| row(&pk.to_string(), &[]));
    let keys = KeysAndAttributes::builder().set_keys(Some(keys.collect())).build().unwrap();
    let read = client.batch_get_item().request_items(TABLE, keys).send().await.unwrap();
    assert_eq!(read.responses().unwrap()[TABLE].len(), 5);
    let all = client.scan().table_name(TABLE).limit(100).send().await.unwrap();
    assert_eq!(all.count(), 25);
    assert_eq!(write(26).await.unwrap_err().code(), Some("ValidationException"));
}

async fn expire(client: &Client) {
    let expiry = TimeToLiveSpecification::builder().attribute_name("expires_at").enabled(true);
    let update = client.update_time_to_live().table_name(TABLE);
    update.time_to_live_specification(expiry.build().unwrap()).send().await.unwrap();
}

#[tokio::test]
async fn tables_are_listed_described_and_deleted() {
    let (_engines, client) = memory().await;
    assert_eq!(client.list_tables().send().await.unwrap().table_names(), [TABLE]);
    expire(&client).await;
    let expiry = client.describe_time_to_live().table_name(TABLE).send().await.unwrap();
    let attribute = expiry.time_to_live_description().unwrap().attribute_name();
    assert_eq!(attribute, Some("expires_at"));
    let table = client.describe_table().table_name(TABLE).send().await.unwrap();
    assert_eq!(table.table().unwrap().global_secondary_indexes().len(), 1);
    client.delete_table().table_name(TABLE).send().await.unwrap();
    let get = client.get_item().table_name(TABLE).set_key(Some(row("a", &[])));
    let gone = get.send().await.unwrap_err().into_service_error();
    assert!(gone.is_resource_not_found_exception(), "{gone:?}");
}

#[tokio::test]
async fn expired_rows_go_when_swept() {
    let (engines, client) = memory().await;
    expire(&client).await;
    let now = jiff::Timestamp::now().as_second();
    put(&client, "old", &[("expires_at", number(now - 60))]).await;
    put(&client, "new", &[("expires_at", number(now + 3_600))]).await;
    assert_eq!(engines.tables().sweep_ttl().await.unwrap(), 1);
    let left = client.scan().table_name(TABLE).limit(10).send().await.unwrap();
    let keys: Vec<_> = left.items().iter().map(|item| item["pk"].clone()).collect();
    assert_eq!(keys, [text("new")]);
}

#[tokio::test]
async fn units_are_counted_by_table_and_index_whether_asked_or_not() {
    let (engines, client) = memory().await;
    engines.meter().reset();
    let due = [("due_pk", text("d")), ("due_at", text("t"))];
    let unasked = client.put_item().table_name(TABLE).set_item(Some(row("a", &due)));
    assert_eq!(unasked.send().await.unwrap().consumed_capacity(), None);
    let big = row("b", &[("text", text(&"x".repeat(2_000)))]);
    for (mode, by_table) in
        [(ReturnConsumedCapacity::Total, None), (ReturnConsumedCapacity::Indexes, Some(2.0))]
    {
        let put = client.put_item().table_name(TABLE).set_item(Some(big.clone()));
        let asked = put.return_consumed_capacity(mode).send().await.unwrap();
        let capacity = asked.consumed_capacity().unwrap();
        assert_eq!(capacity.capacity_units(), Some(2.0));
        assert_eq!(capacity.table().and_then(|table| table.capacity_units()), by_table);
    }
    let get = client.get_item().table_name(TABLE).set_key(Some(row("b", &[])));
    get.consistent_read(true).send().await.unwrap();
    let query = client.query().table_name(TABLE).index_name("due").limit(10);
    let query = query.key_condition_expression("due_pk = :d");
    query.expression_attribute_values(":d", text("d")).send().await.unwrap();
    let snapshot = engines.meter().snapshot();
    assert_eq!(snapshot.calls(ServiceName::DynamoDb, "PutItem"), 3);
    assert_eq!((snapshot.tables[TABLE].write, snapshot.tables[TABLE].read), (5.0, 1.0));
    let index = snapshot.indexes["main/due"];
    assert_eq!((index.write, index.read), (1.0, 0.5));
    assert_eq!(snapshot.operations["dynamodb:Query"].units.read, 0.5);

    // The put that fails is smaller than the row that is there: two units all the same.
    engines.meter().reset();
    let put = client.put_item().table_name(TABLE).set_item(Some(row("b", &[])));
    put.condition_expression("attribute_not_exists(pk)").send().await.unwrap_err();
    let count = engines.meter().snapshot().operations["dynamodb:PutItem"].clone();
    assert_eq!((count.failed_conditions, count.errors, count.units.write), (1, 1, 2.0));
}

#[tokio::test]
async fn watched_writes_name_their_partitions_in_the_table_and_in_indexes() {
    let (engines, client) = memory().await;
    let due = |shard: &str| [("due_pk", text(shard)), ("due_at", text("2026"))];
    put(&client, "before", &due("x")).await;
    engines.meter().watch_partitions();
    put(&client, "a", &due("s1")).await;
    put(&client, "b", &[]).await;
    put(&client, "a", &due("s2")).await;
    client
        .update_item()
        .table_name(TABLE)
        .set_key(Some(row("a", &[])))
        .update_expression("REMOVE due_pk SET big = :big")
        .expression_attribute_values(":big", text(&"x".repeat(1_500)))
        .send()
        .await
        .unwrap();
    let item = Some(row("c", &due("s1")));
    let twice = Put::builder().table_name(TABLE).set_item(item).build().unwrap();
    let write = TransactWriteItem::builder().put(twice).build();
    client.transact_write_items().transact_items(write).send().await.unwrap();
    let seen: Vec<(Option<String>, String, f64)> = engines
        .meter()
        .partitions_written()
        .into_iter()
        .map(|write| (write.index, write.partition, write.units))
        .collect();
    let table = |key: &str, units: f64| (None, key.to_owned(), units);
    let index = |key: &str, units: f64| (Some("due".to_owned()), key.to_owned(), units);
    let expected = [
        table("a", 1.0),
        index("s1", 1.0),
        table("b", 1.0),
        table("a", 1.0),
        index("s1", 1.0),
        index("s2", 1.0),
        table("a", 2.0),
        index("s2", 1.0),
        table("c", 2.0),
        index("s1", 2.0),
    ];
    assert_eq!(seen, expected);
    put(&client, "d", &[]).await;
    assert_eq!(engines.meter().partitions_written(), []);
}
