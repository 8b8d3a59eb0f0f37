//! The layer below the SDK clients where calls fail on purpose.
//!
//! The embedded engines answer at once, never throttle, never conflict and never lag. What the
//! design must survive there is injected here, before or after a call takes effect. Faults sit
//! below the SDK's own retries, so a retried call passes this layer again under the next number.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;

/// Which engine a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ServiceName {
    DynamoDb,
    Sqs,
    Kms,
}

impl ServiceName {
    /// Lower case, as in an endpoint: `dynamodb`, `sqs`, `kms`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DynamoDb => "dynamodb",
            Self::Sqs => "sqs",
            Self::Kms => "kms",
        }
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One call about to be made.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    pub service: ServiceName,
    /// As in the API: `PutItem`, `SendMessageBatch`, `Decrypt`.
    pub name: &'a str,
    /// Counts from 1 over all services, since the start or the last [`FaultLayer::set`].
    pub number: u64,
    /// Table or queue name; of a transaction or batch, the first table named.
    pub resource: Option<&'a str>,
    /// The index a Query or Scan reads.
    pub index: Option<&'a str>,
    /// The whole input.
    pub body: &'a Value,
}

impl Operation<'_> {
    /// Whether the call changes something, so that a lost answer leaves the caller in doubt.
    pub fn is_write(&self) -> bool {
        !matches!(
            self.name,
            "GetItem"
                | "BatchGetItem"
                | "TransactGetItems"
                | "Query"
                | "Scan"
                | "DescribeTable"
                | "ListTables"
                | "GetQueueUrl"
                | "GetQueueAttributes"
                | "ListQueues"
                | "Encrypt"
                | "Decrypt"
        )
    }
}

/// What becomes of a call. A verdict that makes no sense for an operation (a transaction conflict
/// on a read) passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    #[default]
    Pass,
    /// Connection error; nothing took effect. The SDK retries it.
    FailBefore,
    /// HTTP 500; nothing took effect. The SDK retries it.
    ServerError,
    /// The call takes effect, then the connection breaks. The SDK retries it.
    LoseAnswer,
    /// The service's throttling error; nothing took effect. The SDK retries it with backoff.
    Throttle,
    /// `TransactionCanceledException` with `TransactionConflict` reasons, or
    /// `TransactionConflictException` on a single write; nothing took effect. The SDK does not
    /// retry it.
    TransactionConflict,
    /// A Query on an index answers as if the index had not caught up: no items.
    StaleIndex,
    /// A batch takes effect for its first half only (rounded down); the rest is answered as
    /// unprocessed or failed.
    Unprocessed,
    /// Nothing takes effect and the call never answers: for dropping the caller's future there.
    /// Where [`Faults::hang`] ends, the call is made then, however late.
    HangBefore,
    /// The call takes effect and never answers; it does where [`Faults::hang`] ends.
    HangAfter,
}

/// Decides the fate of each call. Closures `Fn(&Operation) -> Verdict` are faults too.
pub trait Faults: Send + Sync {
    fn before(&self, operation: &Operation<'_>) -> Verdict;

    /// What a call waits for that hangs. By default it does so for ever.
    fn hang(&self) -> BoxFuture<'static, ()> {
        std::future::pending().boxed()
    }
}

impl<F: Fn(&Operation<'_>) -> Verdict + Send + Sync> Faults for F {
    fn before(&self, operation: &Operation<'_>) -> Verdict {
        self(operation)
    }
}

/// The default: every call passes.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFaults;

impl Faults for NoFaults {
    fn before(&self, _: &Operation<'_>) -> Verdict {
        Verdict::Pass
    }
}

/// Numbers the calls of all engines and asks the current [`Faults`] about each.
pub struct FaultLayer {
    faults: RwLock<Arc<dyn Faults>>,
    count: AtomicU64,
}

impl Default for FaultLayer {
    fn default() -> Self {
        Self { faults: RwLock::new(Arc::new(NoFaults)), count: AtomicU64::new(0) }
    }
}

impl fmt::Debug for FaultLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultLayer").field("count", &self.count()).finish_non_exhaustive()
    }
}

impl FaultLayer {
    /// Sets what may go wrong from now on and starts counting at 1 again.
    pub fn set(&self, faults: impl Faults + 'static) {
        let mut current = self.faults.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(faults);
        self.count.store(0, Ordering::SeqCst);
    }

    /// Calls since the start or the last [`FaultLayer::set`].
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    pub(crate) fn judge(&self, service: ServiceName, name: &str, body: &Value) -> Verdict {
        let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        let index = body.get("IndexName").and_then(Value::as_str);
        let resource = resource(body);
        self.current().before(&Operation { service, name, number, resource, index, body })
    }

    pub(crate) fn hang(&self) -> BoxFuture<'static, ()> {
        self.current().hang()
    }

    fn current(&self) -> Arc<dyn Faults> {
        Arc::clone(&self.faults.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The table or queue a request names, wherever its operation carries it.
fn resource(body: &Value) -> Option<&str> {
    if let Some(table) = body.get("TableName").or_else(|| body.get("QueueName")) {
        return table.as_str();
    }
    if let Some(url) = body.get("QueueUrl").and_then(Value::as_str) {
        return url.rsplit('/').next();
    }
    if let Some(tables) = body.get("RequestItems").and_then(Value::as_object) {
        return tables.keys().next().map(String::as_str);
    }
    let action = body.get("TransactItems")?.get(0)?.as_object()?.values().next()?;
    action.get("TableName")?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_resource_is_found_wherever_the_operation_carries_it() {
        for (body, expected) in [
            (json!({"TableName": "t", "IndexName": "due"}), Some("t")),
            (json!({"QueueUrl": "http://sqs.local/000000000000/bulk"}), Some("bulk")),
            (json!({"RequestItems": {"t": []}}), Some("t")),
            (json!({"TransactItems": [{"Put": {"TableName": "t"}}]}), Some("t")),
            (json!({"KeyId": "k"}), None),
        ] {
            assert_eq!(resource(&body), expected, "{body}");
        }
    }

    #[test]
    fn setting_faults_starts_the_count_again() {
        let layer = FaultLayer::default();
        assert_eq!(layer.judge(ServiceName::Kms, "Encrypt", &json!({})), Verdict::Pass);
        assert_eq!(layer.count(), 1);
        layer.set(|operation: &Operation<'_>| match operation.number {
            2 => Verdict::LoseAnswer,
            _ => Verdict::Pass,
        });
        assert_eq!(layer.count(), 0);
        assert_eq!(layer.judge(ServiceName::Kms, "Encrypt", &json!({})), Verdict::Pass);
        assert_eq!(layer.judge(ServiceName::Kms, "Encrypt", &json!({})), Verdict::LoseAnswer);
    }
}
