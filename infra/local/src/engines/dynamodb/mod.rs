//! DynamoDB on a SQLite file, or in memory, behind the real SDK client.
//!
//! The engine itself is `dynoxide`. Around it stand a lock file (a second process on the same file
//! is refused, which the library does not do), blocking threads (SQLite stays off the async
//! workers), the cost of each call ([`capacity`]) and the table stream ([`stream`]). A write that
//! was answered has been synced to disk: `kill -9` loses none.
//!
//! What real DynamoDB does and this engine does not: throttle, conflict, answer inconsistently, let
//! an index lag (the fault layer injects those), expire rows by itself
//! ([`DynamoEngine::expire`]), remember a `ClientRequestToken` over a restart. DescribeTable and
//! unlimited scans grow with the table and hold the one lock: not for health checks.

mod bulk;
mod capacity;
mod dispatch;
mod expire;
mod identity;
mod partitions;
mod stream;

#[cfg(test)]
mod tests;

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use dynoxide::Database;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::connector::{Call, Reply, Service};
use super::fault::ServiceName;
pub use stream::{SequenceNumber, StreamError, StreamRecord};

/// Why the engine could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum DynamoOpenError {
    #[error(
        "{path} is in use by another process ({owner}); stop it first, or choose \
         another data directory"
    )]
    Locked { path: PathBuf, owner: String },
    #[error("{0} is not a path SQLite can open (it must be valid UTF-8)")]
    Path(PathBuf),
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("the table engine could not be opened")]
    Engine(#[from] dynoxide::DynoxideError),
    #[error("the stream tables could not be prepared")]
    Sqlite(#[from] rusqlite::Error),
}

/// A DynamoDB-compatible engine. Cheap to clone; all clones are the same engine.
#[derive(Clone)]
pub struct DynamoEngine {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    /// Calls of the library hold this for reading, the statements of our own connection for
    /// writing: neither ever finds the file busy.
    gate: RwLock<()>,
    /// Our own connection to the same database, for what the library does not offer.
    side: Mutex<rusqlite::Connection>,
    schemas: partitions::Schemas,
    /// How far the look for rows that are over has come.
    expired_to: Mutex<Option<serde_json::Value>>,
    path: Option<PathBuf>,
    /// Held as long as the engine lives; the system lets go of it when the process dies, however it
    /// dies.
    _lock: Option<File>,
}

impl std::fmt::Debug for DynamoEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DynamoEngine")
    }
}

impl DynamoEngine {
    /// Opens or creates the database file at `path`, or an empty one in memory without a path.
    ///
    /// # Errors
    /// [`DynamoOpenError::Locked`] when another engine, of this process or another, has the file
    /// open.
    pub fn open(path: Option<&Path>) -> Result<Self, DynamoOpenError> {
        let lock = path.map(lock).transpose()?;
        let address = match path {
            Some(path) => {
                path.to_str().ok_or_else(|| DynamoOpenError::Path(path.into()))?.to_owned()
            }
            None => private_memory(),
        };
        let database = Database::new(&address)?;
        let side = rusqlite::Connection::open(&address)?;
        side.busy_timeout(std::time::Duration::from_secs(5))?;
        stream::prepare(&side)?;
        let inner = Inner {
            database,
            gate: RwLock::new(()),
            side: Mutex::new(side),
            schemas: Mutex::default(),
            expired_to: Mutex::default(),
            path: path.map(Path::to_owned),
            _lock: lock,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Deletes the rows whose time to live has passed by the system's clock; returns how many. Real
    /// DynamoDB does it within days, so nothing may rely on when it happens.
    pub async fn sweep_ttl(&self) -> Result<usize, StreamError> {
        self.blocking(|inner| {
            let _gate = inner.gate.read().unwrap_or_else(PoisonError::into_inner);
            Ok(inner.database.sweep_ttl()?)
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, StreamError> + Send + 'static,
    ) -> Result<T, StreamError> {
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || work(&inner)).await.map_err(StreamError::Stopped)?
    }
}

impl Service for DynamoEngine {
    const NAME: ServiceName = ServiceName::DynamoDb;

    fn call(self: Arc<Self>, call: Call) -> BoxFuture<'static, Reply> {
        let inner = Arc::clone(&self.inner);
        let work = move || {
            let (reply, usage) = {
                let _gate = inner.gate.read().unwrap_or_else(PoisonError::into_inner);
                let watched = call.meter.watches_partitions().then(|| {
                    partitions::before(&inner.database, &inner.schemas, &call.operation, &call.body)
                });
                let done = dispatch::dispatch(&inner.database, &call.operation, call.body);
                if let Some(rows) = watched {
                    call.meter.wrote(partitions::after(&inner.database, rows));
                }
                done
            };
            call.meter.record(Self::NAME, &call.operation, usage);
            reply
        };
        async {
            tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
                tracing::error!(%error, "table engine stopped in a call");
                Reply::error(
                    500,
                    "com.amazonaws.dynamodb.v20120810#InternalServerError",
                    "the engine stopped",
                )
            })
        }
        .boxed()
    }

    fn throttled() -> Reply {
        Reply::error(
            400,
            "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded (injected)",
        )
    }
}

/// A memory database of its own that two connections of this process can share.
fn private_memory() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("file:carillon-tables-{number}?mode=memory&cache=shared")
}

fn lock(path: &Path) -> Result<File, DynamoOpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let io = |source| DynamoOpenError::Io { path: name.clone(), source };
    // Not truncated before the lock is ours: the owner's note is for whoever is refused.
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&name)
        .map_err(io)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).map_err(io)?;
            write!(file, "process {}", std::process::id()).map_err(io)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            file.read_to_string(&mut owner).map_err(io)?;
            Err(DynamoOpenError::Locked { path: path.into(), owner })
        }
        Err(TryLockError::Error(source)) => Err(io(source)),
    }
}
