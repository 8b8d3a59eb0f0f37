//! The table stream, and that its records do not pile up.

use aws_lambda_events::event::dynamodb::EventRecord;

use super::*;
use crate::engines::dynamodb::StreamError;

#[tokio::test]
async fn the_stream_gives_changes_in_the_shape_lambda_delivers() {
    let (engines, client) = memory().await;
    put(&client, "a", &[("state", text("scheduled"))]).await;
    put(&client, "a", &[("state", text("sent"))]).await;
    client.delete_item().table_name(TABLE).set_key(Some(row("a", &[]))).send().await.unwrap();
    let tables = engines.tables();
    let records = tables.read_stream(TABLE, None, 100).await.unwrap();
    let read = records.iter().map(|record| serde_json::from_value(record.event.clone()).unwrap());
    let events: Vec<EventRecord> = read.collect();
    let names: Vec<&str> = events.iter().map(|event| event.event_name.as_str()).collect();
    assert_eq!(names, ["INSERT", "MODIFY", "REMOVE"]);
    let source = events[1].event_source_arn.as_deref().unwrap();
    assert!(
        source.starts_with("arn:aws:dynamodb:us-east-1:000000000000:table/main/stream/"),
        "{source}"
    );
    let event = &records[1].event;
    assert_eq!(event["eventSource"], "aws:dynamodb");
    assert_eq!(event["awsRegion"], "us-east-1");
    assert_eq!(event["dynamodb"]["OldImage"]["state"]["S"], "scheduled");
    assert_eq!(event["dynamodb"]["NewImage"]["state"]["S"], "sent");
    assert_eq!(event["dynamodb"]["Keys"]["pk"]["S"], "a");
    assert_eq!(event["dynamodb"]["SequenceNumber"], records[1].sequence.as_str());
    assert_eq!(event["dynamodb"]["StreamViewType"], "NEW_AND_OLD_IMAGES");

    let rest = tables.read_stream(TABLE, Some(records[0].sequence.clone()), 1).await.unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].sequence, records[1].sequence);
    let missing = tables.read_stream("other", None, 1).await;
    assert!(matches!(missing, Err(StreamError::NoStream(_))));
}

#[tokio::test]
async fn trimming_keeps_the_newest_record_and_numbers_go_on() {
    let folder = tempfile::tempdir().unwrap();
    for folder in [None, Some(folder.path())] {
        let engines = open(folder);
        let (client, tables) = (engines.dynamodb(), engines.tables());
        create_table(&client).await;
        for pk in ["a", "b", "c"] {
            put(&client, pk, &[]).await;
        }
        let all = tables.read_stream(TABLE, None, 100).await.unwrap();
        assert_eq!(tables.trim_stream(TABLE, all[0].sequence.clone()).await.unwrap(), 1);
        assert_eq!(tables.read_stream(TABLE, None, 100).await.unwrap().len(), 2);
        assert_eq!(tables.trim_stream(TABLE, all[2].sequence.clone()).await.unwrap(), 1);
        put(&client, "d", &[]).await;
        let after = Some(all[2].sequence.clone());
        let new = tables.read_stream(TABLE, after, 100).await.unwrap();
        assert_eq!(new.len(), 1);
        assert!(new[0].sequence > all[2].sequence);
    }
}

#[tokio::test]
async fn the_cursor_survives_and_never_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let engines = open(Some(folder.path()));
    let client = engines.dynamodb();
    create_table(&client).await;
    put(&client, "a", &[]).await;
    put(&client, "b", &[]).await;
    let records = engines.tables().read_stream(TABLE, None, 100).await.unwrap();
    assert_eq!(engines.tables().stream_cursor(TABLE).await.unwrap(), None);
    for record in [&records[1], &records[0]] {
        engines.tables().set_stream_cursor(TABLE, record.sequence.clone()).await.unwrap();
    }
    drop((engines, client));
    let engines = open(Some(folder.path()));
    let cursor = engines.tables().stream_cursor(TABLE).await.unwrap();
    assert_eq!(cursor.as_ref(), Some(&records[1].sequence));
}

/// Bytes of the database with its log.
fn size(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

#[tokio::test]
async fn the_file_does_not_grow_when_the_stream_is_consumed() {
    let folder = tempfile::tempdir().unwrap();
    let engines = open(Some(folder.path()));
    let (client, tables) = (engines.dynamodb(), engines.tables());
    create_table(&client).await;
    let body = text(&"x".repeat(400));
    let write_100 = async |round: i64| {
        for write in 0..100_i64 {
            let others = [("round", number(round)), ("body", body.clone())];
            put(&client, &(write % 10).to_string(), &others).await;
        }
    };
    let mut sizes = Vec::new();
    for round in 0..20 {
        write_100(round).await;
        let after = tables.stream_cursor(TABLE).await.unwrap();
        let records = tables.read_stream(TABLE, after, 1_000).await.unwrap();
        assert_eq!(records.len(), 100);
        let consumed = records[99].sequence.clone();
        tables.set_stream_cursor(TABLE, consumed.clone()).await.unwrap();
        tables.trim_stream(TABLE, consumed).await.unwrap();
        sizes.push(size(folder.path()));
    }
    // The log reaches its full size (4 MB) in the first rounds and stays there.
    let trimmed = sizes[19] - sizes[4];
    for round in 20..35 {
        write_100(round).await;
    }
    let untrimmed = size(folder.path()) - sizes[19];
    assert!(trimmed < 100_000 && untrimmed > 1_000_000, "{trimmed} {untrimmed} {sizes:?}");
}

/// How fast the engine is, and that stream records nobody consumes do not slow it:
/// `cargo test -p carillon-local --lib -- --ignored --nocapture speed`.
#[tokio::test]
#[ignore = "measures"]
async fn speed() {
    let folder = tempfile::tempdir().unwrap();
    for folder in [None, Some(folder.path())] {
        let engines = open(folder);
        let client = engines.dynamodb();
        create_table(&client).await;
        let others =
            [("body", text(&"x".repeat(400))), ("due_pk", text("d")), ("due_at", text("t"))];
        for _ in 0..5 {
            let started = std::time::Instant::now();
            for write in 0..2_000_i64 {
                put(&client, &write.to_string(), &others).await;
            }
            println!("{folder:?}: 2,000 puts in {:?}", started.elapsed());
        }
    }
}
