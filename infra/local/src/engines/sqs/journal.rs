//! The messages of durable queues on disk, until they are deleted.
//!
//! A SQLite file in WAL mode, synced with each transaction. Only the message is kept: after a
//! restart it is visible, with a receive count of zero and without what was left of its delay.
//! Kept is a message, not a queue, so one that was sent to a durable queue stays kept as its dead
//! letter.
//!
//! What is written here is written before the caller is answered and never under the engine's lock
//! (a sync takes milliseconds). So two calls may reach the file in another order than memory. Each
//! [`Change`] therefore names its message: a message is in memory only after it was added here,
//! and a move of one that was deleted meanwhile does nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::types::Type;
use rusqlite::{Connection, Row, named_params};

use super::checksum;
use super::queue::{Message, Millis};

/// SQS's longest retention period: what is older belongs to no queue.
const LONGEST_RETENTION: Millis = 1_209_600_000;

/// Something that happened to kept messages.
#[derive(Debug)]
pub(super) enum Change {
    /// To be put on its queue once it is kept.
    Sent {
        queue: String,
        message: Message,
        delay: Millis,
    },
    /// It became a dead letter of `source`, an ARN, on `queue`.
    Moved {
        id: String,
        queue: String,
        source: String,
    },
    Removed {
        id: String,
    },
}

pub(super) struct Journal {
    connection: Mutex<Connection>,
}

impl Journal {
    /// Opens or creates the file at `path`; gives the messages in it by queue, in the order in
    /// which they were sent.
    pub fn open(
        path: &Path,
        now: Millis,
    ) -> rusqlite::Result<(Self, BTreeMap<String, Vec<Message>>)> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             CREATE TABLE IF NOT EXISTS message (
                 number INTEGER PRIMARY KEY AUTOINCREMENT,
                 id TEXT NOT NULL UNIQUE,
                 queue TEXT NOT NULL,
                 body TEXT NOT NULL,
                 attributes TEXT NOT NULL,
                 fair_group TEXT,
                 sent_at INTEGER NOT NULL,
                 dead_letter_source TEXT
             ) STRICT;",
        )?;
        connection.execute("DELETE FROM message WHERE sent_at < ?", [now - LONGEST_RETENTION])?;
        let mut kept: BTreeMap<String, Vec<Message>> = BTreeMap::new();
        let mut all = connection.prepare("SELECT * FROM message ORDER BY number")?;
        for row in all.query_map([], |row| Ok((row.get("queue")?, read(row)?)))? {
            let (queue, message) = row?;
            kept.entry(queue).or_default().push(message);
        }
        drop(all);
        Ok((Self { connection: Mutex::new(connection) }, kept))
    }

    /// All of `changes` or none. Synced when it returns.
    pub fn write(&self, changes: &[Change]) -> rusqlite::Result<()> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        for change in changes {
            apply(&transaction, change)?;
        }
        transaction.commit()
    }
}

fn apply(connection: &Connection, change: &Change) -> rusqlite::Result<usize> {
    match change {
        Change::Sent { queue, message, .. } => connection
            .prepare_cached(
                "INSERT INTO message (id, queue, body, attributes, fair_group, sent_at)
                 VALUES (:id, :queue, :body, :attributes, :group, :sent_at)",
            )?
            .execute(named_params! {
                ":id": message.id,
                ":queue": queue,
                ":body": message.body,
                ":attributes": serde_json::Value::Object(message.attributes.clone()).to_string(),
                ":group": message.group.as_deref(),
                ":sent_at": message.sent_at,
            }),
        Change::Moved { id, queue, source } => connection
            .prepare_cached(
                "UPDATE message SET queue = :queue, dead_letter_source = :source WHERE id = :id",
            )?
            .execute(named_params! {":id": id, ":queue": queue, ":source": source}),
        Change::Removed { id } => {
            connection.prepare_cached("DELETE FROM message WHERE id = ?")?.execute([id])
        }
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Message> {
    let body: String = row.get("body")?;
    let attributes =
        serde_json::from_str(&row.get::<_, String>("attributes")?).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error))
        })?;
    Ok(Message {
        id: row.get("id")?,
        body_md5: checksum::of_body(&body),
        body,
        attributes_md5: checksum::of_attributes(&attributes),
        attributes,
        group: row.get::<_, Option<String>>("fair_group")?.map(Into::into),
        sent_at: row.get("sent_at")?,
        first_received_at: None,
        receives: 0,
        dead_letter_source: row.get("dead_letter_source")?,
        kept: true,
    })
}
