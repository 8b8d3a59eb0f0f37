//! The table stream: read, remember how far it was consumed, throw away what was.
//!
//! The library writes a stream record in the same transaction as the change, keeps it for ever, and
//! finds its next sequence number by looking at all of them. So this module adds an index to the
//! library's record table (the look-up stays quick) and deletes consumed records through a
//! connection of its own. The newest record of a table always stays, because numbering goes on from
//! it.
//!
//! The cursor is a row in the same file. Order for a consumer: read, apply, set the cursor, trim.
//! Killed in between, it reads records again, and never misses one.

use std::fmt;
use std::sync::PoisonError;

use dynoxide::actions::get_records::GetRecordsRequest;
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use dynoxide::actions::list_streams::ListStreamsRequest;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{DynamoEngine, Inner};
use crate::engines::REGION;

/// Where the library's numbering begins: what it stores is what it shows less this.
const OFFSET: u128 = 100_000_000_000_000_000_000;

/// Position in one table's stream: 21 digits, so that text order is order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SequenceNumber(String);

impl SequenceNumber {
    /// As in a record's `dynamodb.SequenceNumber`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn stored(&self) -> Result<i64, StreamError> {
        let number = self.0.parse::<u128>().ok().and_then(|number| number.checked_sub(OFFSET));
        number
            .and_then(|number| i64::try_from(number).ok())
            .ok_or_else(|| StreamError::Sequence(self.0.clone()))
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One change of one item.
#[derive(Clone, Debug)]
pub struct StreamRecord {
    pub sequence: SequenceNumber,
    /// In the shape Lambda's event source delivers, an entry of the event's `Records`.
    pub event: Value,
}

/// Why the stream could not be read or trimmed.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    #[error("table {0} has no stream; create it with a StreamSpecification")]
    NoStream(String),
    #[error("{0:?} is not a sequence number of this stream")]
    Sequence(String),
    #[error("the table engine failed")]
    Engine(#[from] dynoxide::DynoxideError),
    #[error("the stream records could not be changed")]
    Sqlite(#[from] rusqlite::Error),
    #[error("a stream record has no readable JSON")]
    Json(#[from] serde_json::Error),
    #[error("the blocking task stopped")]
    Stopped(#[source] tokio::task::JoinError),
}

/// Adds our index and our cursor table to the library's file.
pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE INDEX IF NOT EXISTS carillon_stream_position
             ON _stream_records (table_name, CAST(sequence_number AS INTEGER));
         CREATE TABLE IF NOT EXISTS carillon_stream_cursor (
             table_name TEXT PRIMARY KEY,
             sequence_number TEXT NOT NULL
         );",
    )
}

impl DynamoEngine {
    /// Up to `limit` (at most 1000) records of `table` after a position, oldest first; from the
    /// oldest kept without one.
    ///
    /// # Errors
    /// [`StreamError::NoStream`] when the table does not exist or was made without a stream.
    pub async fn read_stream(
        &self,
        table: &str,
        after: Option<SequenceNumber>,
        limit: usize,
    ) -> Result<Vec<StreamRecord>, StreamError> {
        let table = table.to_owned();
        self.blocking(move |inner| inner.read_stream(&table, after, limit)).await
    }

    /// Deletes the records of `table` up to and with `upto`, save the newest; returns how many.
    /// Space is used again.
    pub async fn trim_stream(
        &self,
        table: &str,
        upto: SequenceNumber,
    ) -> Result<usize, StreamError> {
        let table = table.to_owned();
        self.blocking(move |inner| {
            let upto = upto.stored()?;
            inner.with_side(|side| {
                side.execute(
                    "DELETE FROM _stream_records
                     WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) <= ?2
                       AND CAST(sequence_number AS INTEGER) <
                           (SELECT MAX(CAST(sequence_number AS INTEGER))
                            FROM _stream_records WHERE table_name = ?1)",
                    params![table, upto],
                )
            })
        })
        .await
    }

    /// The position last given to [`Self::set_stream_cursor`], also by an earlier process.
    pub async fn stream_cursor(&self, table: &str) -> Result<Option<SequenceNumber>, StreamError> {
        let table = table.to_owned();
        self.blocking(move |inner| {
            inner.with_side(|side| {
                side.query_row(
                    "SELECT sequence_number FROM carillon_stream_cursor WHERE table_name = ?1",
                    params![table],
                    |row| row.get(0).map(SequenceNumber),
                )
                .optional()
            })
        })
        .await
    }

    /// Remembers, synced to disk, that records up to and with `consumed` need not be delivered
    /// again. A cursor never goes back: a smaller position changes nothing.
    pub async fn set_stream_cursor(
        &self,
        table: &str,
        consumed: SequenceNumber,
    ) -> Result<(), StreamError> {
        let table = table.to_owned();
        self.blocking(move |inner| {
            consumed.stored()?;
            inner.with_side(|side| {
                side.execute(
                    "INSERT INTO carillon_stream_cursor (table_name, sequence_number)
                     VALUES (?1, ?2)
                     ON CONFLICT (table_name) DO UPDATE
                         SET sequence_number = MAX(sequence_number, excluded.sequence_number)",
                    params![table, consumed.0],
                )
            })?;
            Ok(())
        })
        .await
    }
}

impl Inner {
    pub(super) fn with_side<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StreamError> {
        let side = self.side.lock().unwrap_or_else(PoisonError::into_inner);
        let _gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        Ok(work(&side)?)
    }

    fn read_stream(
        &self,
        table: &str,
        after: Option<SequenceNumber>,
        limit: usize,
    ) -> Result<Vec<StreamRecord>, StreamError> {
        let _gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        let only = ListStreamsRequest {
            table_name: Some(table.to_owned()),
            ..ListStreamsRequest::default()
        };
        let stream = self.database.list_streams(only)?.streams.into_iter().next();
        let stream_arn = stream.ok_or_else(|| StreamError::NoStream(table.to_owned()))?.stream_arn;
        let from = if after.is_some() { "AFTER_SEQUENCE_NUMBER" } else { "TRIM_HORIZON" };
        let start = GetShardIteratorRequest {
            stream_arn: stream_arn.clone(),
            shard_id: dynoxide::streams::shard_id(table),
            shard_iterator_type: from.to_owned(),
            sequence_number: after.map(|after| after.0),
        };
        let shard_iterator =
            self.database.get_shard_iterator(start)?.shard_iterator.unwrap_or_default();
        let page = GetRecordsRequest { shard_iterator, limit: Some(limit) };
        // The library's region is no AWS region; in the ARN it comes before the table's name.
        let source = stream_arn.replacen(dynoxide::streams::LOCAL_REGION, REGION, 1);
        let records = self.database.get_records(page)?.records.into_iter().map(|record| {
            let sequence = SequenceNumber(record.dynamodb.sequence_number.clone());
            let mut event = serde_json::to_value(record)?;
            event["eventSourceARN"] = json!(source);
            event["awsRegion"] = json!(REGION);
            Ok(StreamRecord { sequence, event })
        });
        records.collect()
    }
}
