//! What the calls cost: requests, capacity units, billed SQS requests, by operation, table and
//! index.
//!
//! Everything the engines did is counted, also calls whose answer was lost on purpose and whose
//! caller went away, because the real service bills those too.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::fault::{ServiceName, Verdict};

/// DynamoDB capacity units: one write unit is 1 KB written, one read unit 4 KB read consistently
/// (half of that otherwise).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Units {
    pub read: f64,
    pub write: f64,
}

impl Units {
    fn add(&mut self, other: Units) {
        self.read += other.read;
        self.write += other.write;
    }
}

/// All calls of one operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Count {
    /// Calls that reached the engine, retries of the SDK included.
    pub calls: u64,
    /// Of those, answered with an error (a failed condition too).
    pub errors: u64,
    /// Conditions that failed; several may fail in one transaction.
    pub failed_conditions: u64,
    /// Calls that an injected fault stopped before they reached the engine. Not among `calls`.
    pub stopped: u64,
    /// SQS: requests as billed, one for each 64 KiB of payload begun, at least one a call.
    pub billed_requests: u64,
    /// DynamoDB: over all tables and indexes.
    pub units: Units,
}

impl Count {
    fn add(&mut self, usage: &Usage) {
        self.calls += 1;
        self.errors += u64::from(usage.error);
        self.failed_conditions += usage.failed_conditions;
        self.billed_requests += usage.billed_requests;
        usage.parts.iter().for_each(|part| self.units.add(part.units));
    }
}

/// A copy of the counters at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Key: `service:Operation`, for instance `dynamodb:PutItem`.
    pub operations: BTreeMap<String, Count>,
    /// DynamoDB's operations on single rows and on indexes, by kind of row. Key: operation, then
    /// the letters that the sort key begins with (`#` for a digit), or the index; then `eventual`
    /// for a read that is not consistent. For instance `PutItem m`, `GetItem m eventual`.
    pub rows: BTreeMap<String, Count>,
    /// Key: table name. Without its indexes.
    pub tables: BTreeMap<String, Units>,
    /// Key: `table/index`.
    pub indexes: BTreeMap<String, Units>,
}

impl Snapshot {
    /// Calls of one operation, 0 when there were none.
    pub fn calls(&self, service: ServiceName, operation: &str) -> u64 {
        self.operations.get(&key(service, operation)).map_or(0, |count| count.calls)
    }

    /// Units over all operations, tables and indexes.
    pub fn units(&self) -> Units {
        let mut all = Units::default();
        self.operations.values().for_each(|count| all.add(count.units));
        all
    }

    /// SQS requests as billed, over all operations.
    pub fn billed_requests(&self) -> u64 {
        self.operations.values().map(|count| count.billed_requests).sum()
    }
}

/// What one call consumed, as its engine found out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Usage {
    /// Key in [`Snapshot::rows`].
    pub row: Option<String>,
    pub error: bool,
    pub failed_conditions: u64,
    pub billed_requests: u64,
    pub parts: Vec<Part>,
}

/// Units of one table, or of one of its indexes.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub table: String,
    pub index: Option<String>,
    pub units: Units,
}

/// One write to one partition, of the table or of an index.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    pub index: Option<String>,
    /// The partition key.
    pub partition: String,
    pub units: f64,
}

/// The counters, shared by all engines of one stack.
#[derive(Debug, Default)]
pub struct Meter {
    counters: Mutex<Snapshot>,
    /// In the order of the writes; `None` while nobody watches.
    partitions: Mutex<Option<Vec<Write>>>,
}

impl Meter {
    /// The counters now.
    pub fn snapshot(&self) -> Snapshot {
        self.lock().clone()
    }

    /// Starts again at zero, and returns what was counted until now.
    pub fn reset(&self) -> Snapshot {
        std::mem::take(&mut *self.lock())
    }

    /// From now on the partition of each write is noted, which makes writes slower. (Off otherwise.)
    pub fn watch_partitions(&self) {
        *self.partitions() = Some(Vec::new());
    }

    /// What was written since, oldest first; ends the watch.
    pub fn partitions_written(&self) -> Vec<Write> {
        self.partitions().take().unwrap_or_default()
    }

    pub(crate) fn watches_partitions(&self) -> bool {
        self.partitions().is_some()
    }

    pub(crate) fn wrote(&self, writes: Vec<Write>) {
        if let Some(all) = &mut *self.partitions() {
            all.extend(writes);
        }
    }

    fn partitions(&self) -> std::sync::MutexGuard<'_, Option<Vec<Write>>> {
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn record(&self, service: ServiceName, operation: &str, usage: Usage) {
        let mut counters = self.lock();
        counters.operations.entry(key(service, operation)).or_default().add(&usage);
        if let Some(row) = &usage.row {
            counters.rows.entry(row.clone()).or_default().add(&usage);
        }
        for part in usage.parts {
            match part.index {
                Some(index) => {
                    let name = format!("{}/{index}", part.table);
                    counters.indexes.entry(name).or_default().add(part.units);
                }
                None => counters.tables.entry(part.table).or_default().add(part.units),
            }
        }
    }

    pub(crate) fn stopped(&self, service: ServiceName, operation: &str, verdict: Verdict) {
        tracing::debug!(%service, operation, ?verdict, "call stopped on purpose");
        self.lock().operations.entry(key(service, operation)).or_default().stopped += 1;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Snapshot> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(service: ServiceName, operation: &str) -> String {
    format!("{service}:{operation}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_survives_json_and_reset_starts_at_zero() {
        let meter = Meter::default();
        let units = Units { read: 0.0, write: 2.0 };
        let part =
            |index: Option<&str>| Part { table: "t".into(), index: index.map(Into::into), units };
        meter.record(
            ServiceName::DynamoDb,
            "PutItem",
            Usage { parts: vec![part(None), part(Some("due"))], ..Usage::default() },
        );
        meter.stopped(ServiceName::DynamoDb, "PutItem", Verdict::Throttle);
        let snapshot = meter.snapshot();
        assert_eq!(snapshot.calls(ServiceName::DynamoDb, "PutItem"), 1);
        assert_eq!(snapshot.operations["dynamodb:PutItem"].stopped, 1);
        assert_eq!(snapshot.units(), Units { read: 0.0, write: 4.0 });
        assert_eq!(snapshot.tables["t"], units);
        assert_eq!(snapshot.indexes["t/due"], units);
        let json = serde_json::to_string(&snapshot).unwrap();
        assert_eq!(serde_json::from_str::<Snapshot>(&json).unwrap(), snapshot);
        assert_eq!(meter.reset(), snapshot);
        assert_eq!(meter.snapshot(), Snapshot::default());
    }
}
