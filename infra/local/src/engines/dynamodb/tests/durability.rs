//! One process a file, and nothing acknowledged is lost when it is killed.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;
use crate::engines::dynamodb::{DynamoEngine, DynamoOpenError};

#[tokio::test]
async fn a_second_opener_is_refused_until_the_first_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tables.db");
    let first = DynamoEngine::open(Some(&file)).unwrap();
    let refused = DynamoEngine::open(Some(&file)).unwrap_err();
    assert!(matches!(refused, DynamoOpenError::Locked { .. }), "{refused:?}");
    let owner = format!("process {}", std::process::id());
    assert!(refused.to_string().contains(&owner), "{refused}");
    drop(first);
    DynamoEngine::open(Some(&file)).unwrap();
}

const CHILD: &str = "CARILLON_TEST_WRITER_FOLDER";

/// Not a test by itself: the process that `acknowledged_writes_survive_kill_9` kills.
#[tokio::test]
async fn child_that_writes_until_killed() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let engines = open(Some(Path::new(&folder)));
    let (client, tables) = (engines.dynamodb(), engines.tables());
    create_table(&client).await;
    let mut acknowledged = std::fs::File::create(Path::new(&folder).join("acknowledged")).unwrap();
    for write in 0_i64.. {
        let due = [("due_pk", text("d")), ("due_at", text(&format!("{write:08}")))];
        put(&client, &write.to_string(), &due).await;
        if write % 20 == 19 {
            let after = tables.stream_cursor(TABLE).await.unwrap();
            let records = tables.read_stream(TABLE, after, 10).await.unwrap();
            let consumed = records.last().unwrap().sequence.clone();
            tables.set_stream_cursor(TABLE, consumed.clone()).await.unwrap();
            tables.trim_stream(TABLE, consumed).await.unwrap();
        }
        writeln!(acknowledged, "{write}").unwrap();
    }
}

#[tokio::test]
async fn acknowledged_writes_survive_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let this = "engines::dynamodb::tests::durability::child_that_writes_until_killed";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", this])
        .env(CHILD, folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let file = folder.path().join("acknowledged");
    let acknowledged = || match std::fs::File::open(&file) {
        Ok(file) => BufReader::new(file).lines().map_while(Result::ok).count(),
        Err(_) => 0,
    };
    while acknowledged() < 330 {
        assert_eq!(child.try_wait().unwrap(), None, "the child ended by itself");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let refused = DynamoEngine::open(Some(&folder.path().join("tables.db")));
    assert!(matches!(refused, Err(DynamoOpenError::Locked { .. })));
    child.kill().unwrap();
    child.wait().unwrap();

    // The last line may be half written, so that its number is a shorter one: still acknowledged.
    let acknowledged = acknowledged();
    let engines = open(Some(folder.path()));
    let (client, tables) = (engines.dynamodb(), engines.tables());
    for write in 0..acknowledged {
        let get = client.get_item().table_name(TABLE).set_key(Some(row(&write.to_string(), &[])));
        let found = get.send().await.unwrap();
        assert!(found.item().is_some(), "write {write} of {acknowledged} is gone");
    }
    let due = client.query().table_name(TABLE).index_name("due");
    let due = due.key_condition_expression("due_pk = :d");
    let due = due.expression_attribute_values(":d", text("d")).send().await.unwrap();
    let written = due.count() as usize;
    assert!(written >= acknowledged);
    // Ten of every twenty were consumed; all after the cursor are still there.
    let after = tables.stream_cursor(TABLE).await.unwrap();
    let left = tables.read_stream(TABLE, after, 1_000).await.unwrap();
    let consumed = written - left.len();
    assert_eq!(consumed % 10, 0);
    assert!(consumed >= acknowledged / 20 * 10, "{consumed} of {acknowledged}");
    put(&client, "after", &[]).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_put_back_from_a_backup_is_another_table_and_a_moved_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let [first, moved, copy] = ["first", "moved", "copy"].map(|name| folder.path().join(name));
    let id = async |at: &Path| {
        let engines = open(Some(at));
        assert_eq!(engines.tables().table_id("none").await.unwrap(), None);
        engines.tables().table_id(TABLE).await.unwrap().unwrap()
    };
    create_table(&open(Some(&first)).dynamodb()).await;
    let at_first = id(&first).await;
    assert_eq!(id(&first).await, at_first, "started again");
    std::fs::create_dir(&copy).unwrap();
    for file in std::fs::read_dir(&first).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
    }
    assert_ne!(id(&copy).await, at_first);
    std::fs::rename(&first, &moved).unwrap();
    assert_eq!(id(&moved).await, at_first);
    // The backup in the place of what was there.
    std::fs::rename(&copy, &first).unwrap();
    assert_ne!(id(&first).await, at_first);
}
