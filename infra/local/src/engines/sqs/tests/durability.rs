//! What was sent to a durable queue is there after a restart, once, until it is deleted.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::*;
use crate::engines::sqs::SqsEngine;

impl Stack {
    /// The `receive` queue as the stack makes it, with its dead letters: both URLs.
    async fn pair(&self) -> (String, String) {
        let dead = self.queue("receive-dead", &[]).await;
        let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:receive-dead","maxReceiveCount":2}"#;
        (self.queue("receive", &[(QueueAttributeName::RedrivePolicy, policy)]).await, dead)
    }

    async fn send_batch(&self, url: &str, texts: &[&str]) {
        let mut batch = self.client.send_message_batch().queue_url(url);
        for (id, body) in texts.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder().id(id.to_string());
            batch = batch.entries(entry.message_body(*body).build().unwrap());
        }
        assert!(batch.send().await.unwrap().failed().is_empty());
    }

    async fn delete(&self, url: &str, message: &Message) {
        let handle = message.receipt_handle().unwrap();
        self.client.delete_message().queue_url(url).receipt_handle(handle).send().await.unwrap();
    }
}

#[tokio::test]
async fn a_message_comes_back_after_a_restart_as_it_was_sent() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::open(Some(folder.path()));
    let (url, _) = stack.pair().await;
    let kind = MessageAttributeValue::builder().data_type("String").string_value("receipt");
    let send = stack.client.send_message().queue_url(&url).message_body("told \u{1F4E8}");
    let send = send.message_attributes("kind", kind.build().unwrap()).message_group_id("org");
    let sent = send.delay_seconds(60).send().await.unwrap();
    stack.pass(60);
    assert_eq!(stack.receive(&url).await.len(), 1, "in flight when the process ends");
    drop(stack);

    let stack = Stack::open(Some(folder.path()));
    let (url, _) = stack.pair().await;
    let receive = stack.client.receive_message().queue_url(&url).message_attribute_names("All");
    let receive = receive.message_system_attribute_names(MessageSystemAttributeName::All);
    let again = receive.send().await.unwrap().messages.unwrap_or_default();
    assert_eq!(bodies(&again), ["told \u{1F4E8}"]);
    assert_eq!(again[0].message_id(), sent.message_id());
    assert_eq!(again[0].md5_of_body(), sent.md5_of_message_body());
    assert_eq!(again[0].md5_of_message_attributes(), sent.md5_of_message_attributes());
    assert_eq!(again[0].message_attributes().unwrap()["kind"].string_value(), Some("receipt"));
    for (name, value) in [
        (MessageSystemAttributeName::ApproximateReceiveCount, "1"),
        (MessageSystemAttributeName::SentTimestamp, "1000000000"),
        (MessageSystemAttributeName::MessageGroupId, "org"),
    ] {
        assert_eq!(attribute(&again[0], name.clone()), Some(value), "{name}");
    }
}

#[tokio::test]
async fn order_is_kept_and_what_was_deleted_stays_away() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::open(Some(folder.path()));
    let (url, _) = stack.pair().await;
    stack.send(&url, "0").await;
    stack.send_batch(&url, &["1", "2", "3"]).await;
    stack.send(&url, "4").await;
    let taken = stack.receive(&url).await;
    stack.delete(&url, &taken[1]).await;
    let entry = DeleteMessageBatchRequestEntry::builder().id("x");
    let entry = entry.receipt_handle(taken[3].receipt_handle().unwrap()).build().unwrap();
    stack.client.delete_message_batch().queue_url(&url).entries(entry).send().await.unwrap();
    drop(stack);

    let stack = Stack::open(Some(folder.path()));
    let (url, _) = stack.pair().await;
    stack.delete(&url, &taken[0]).await;
    assert_eq!(stack.depth("receive"), (3, 0, 0), "a receipt of the earlier process is spent");
    stack.send(&url, "5").await;
    assert_eq!(bodies(&stack.receive(&url).await), ["0", "2", "4", "5"]);
    stack.client.purge_queue().queue_url(&url).send().await.unwrap();
    drop(stack);

    let stack = Stack::open(Some(folder.path()));
    stack.pair().await;
    assert_eq!(stack.depth("receive"), (0, 0, 0));
}

#[tokio::test]
async fn a_dead_letter_stays_a_dead_letter() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::open(Some(folder.path()));
    let (url, _) = stack.pair().await;
    stack.send_batch(&url, &["poison", "worse poison"]).await;
    for _ in 0..2 {
        assert_eq!(stack.receive(&url).await.len(), 2);
        stack.pass(30);
    }
    assert!(stack.receive(&url).await.is_empty());
    drop(stack);

    let stack = Stack::open(Some(folder.path()));
    let (_, dead) = stack.pair().await;
    assert_eq!(stack.depth("receive"), (0, 0, 0));
    let letters = stack.receive(&dead).await;
    assert_eq!(bodies(&letters), ["poison", "worse poison"]);
    let source = attribute(&letters[0], MessageSystemAttributeName::DeadLetterQueueSourceArn);
    assert_eq!(source, Some("arn:aws:sqs:us-east-1:000000000000:receive"));
    stack.delete(&dead, &letters[0]).await;
    drop(stack);

    let stack = Stack::open(Some(folder.path()));
    let (_, dead) = stack.pair().await;
    assert_eq!(bodies(&stack.receive(&dead).await), ["worse poison"]);
}

#[tokio::test]
async fn only_durable_queues_are_kept_and_only_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    for folder in [Some(folder.path()), None] {
        for _ in 0..2 {
            let stack = Stack::open(folder);
            let (url, send) = (stack.queue("receive", &[]).await, stack.queue("bulk", &[]).await);
            stack.send(&send, "a pack").await;
            stack.send(&url, "told").await;
        }
        let stack = Stack::open(folder);
        let (_, _) = (stack.queue("receive", &[]).await, stack.queue("bulk", &[]).await);
        assert_eq!(stack.depth("bulk"), (0, 0, 0));
        assert_eq!(stack.depth("receive").0, if folder.is_some() { 2 } else { 0 });
    }
}

#[tokio::test]
async fn what_is_older_than_any_retention_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queues.db");
    let rows = || {
        let connection = rusqlite::Connection::open(&file).unwrap();
        connection
            .query_row("SELECT count(*) FROM message", [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    let stack = Stack::open(Some(folder.path()));
    let (url, _) = stack.pair().await;
    stack.send(&url, "told").await;
    drop(stack);
    for (days, left) in [(14, 1), (15, 0)] {
        let now = jiff::Timestamp::from_second(1_000_000 + days * 86_400).unwrap();
        drop(SqsEngine::open(Some(&file), &["receive"], Arc::new(move || now)).unwrap());
        assert_eq!(rows(), left, "after {days} days");
    }
}

#[tokio::test]
async fn a_send_the_disk_refuses_fails_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::open(Some(folder.path()));
    let (url, _) = stack.pair().await;
    let file = rusqlite::Connection::open(folder.path().join("queues.db")).unwrap();
    file.execute_batch("ALTER TABLE message RENAME TO away").unwrap();
    let send = || stack.client.send_message().queue_url(&url).message_body("told").send();
    let refused = send().await.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 500);
    assert_eq!(refused.code(), Some("InternalFailure"));
    assert_eq!(stack.depth("receive"), (0, 0, 0));
    file.execute_batch("ALTER TABLE away RENAME TO message").unwrap();
    send().await.unwrap();
    assert_eq!(stack.depth("receive"), (1, 0, 0));
}

const CHILD: &str = "CARILLON_TEST_TELLER_FOLDER";

/// Not a test by itself: the process that `acknowledged_messages_survive_kill_9` kills. Deletes
/// every third message.
#[tokio::test]
async fn child_that_sends_until_killed() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let stack = Stack::open(Some(Path::new(&folder)));
    let (url, _) = stack.pair().await;
    let mut acknowledged = std::fs::File::create(Path::new(&folder).join("acknowledged")).unwrap();
    for first in (0..).step_by(3) {
        let texts: Vec<String> = (first..first + 3).map(|number| number.to_string()).collect();
        stack.send(&url, &texts[0]).await;
        stack.send_batch(&url, &[&texts[1], &texts[2]]).await;
        let taken = stack.receive(&url).await;
        stack.delete(&url, &taken[0]).await;
        writeln!(acknowledged, "{first}").unwrap();
    }
}

#[tokio::test]
async fn acknowledged_messages_survive_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let this = "engines::sqs::tests::durability::child_that_sends_until_killed";
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
    while acknowledged() < 100 {
        assert_eq!(child.try_wait().unwrap(), None, "the child ended by itself");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();

    // The last line may be half written: still acknowledged.
    let rounds = acknowledged();
    let stack = Stack::open(Some(folder.path()));
    let (url, _) = stack.pair().await;
    let mut found = Vec::new();
    loop {
        let taken = stack.receive(&url).await;
        if taken.is_empty() {
            break;
        }
        found.extend(taken.iter().map(|message| message.body().unwrap().parse::<usize>().unwrap()));
    }
    let whole = found.iter().copied().filter(|number| *number < rounds * 3).collect::<Vec<_>>();
    let expected = (0..rounds * 3).filter(|number| number % 3 != 0).collect::<Vec<_>>();
    assert_eq!(whole, expected, "sent and not deleted, in order");
    let begun = found.len() - whole.len();
    assert!(begun <= 3, "of the round that was cut short: {begun}");
}

/// What keeping costs a send, alone and beside others:
/// `cargo test -p carillon-local --lib -- --ignored --nocapture journal_speed`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn journal_speed() {
    let folder = tempfile::tempdir().unwrap();
    for (folder, lanes) in
        [(None, 1), (None, 32), (Some(folder.path()), 1), (Some(folder.path()), 32)]
    {
        let stack = Stack::open(folder);
        let (url, _) = stack.pair().await;
        let started = std::time::Instant::now();
        let lane = |_| async {
            for _ in 0..3_200 / lanes {
                stack.send(&url, &"x".repeat(600)).await;
            }
        };
        futures::future::join_all((0..lanes).map(lane)).await;
        println!("{folder:?}, {lanes} at a time: 3,200 sends in {:?}", started.elapsed());
    }
}
