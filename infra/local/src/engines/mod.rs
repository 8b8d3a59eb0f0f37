//! The AWS services a laptop needs, in this process, behind the real SDK clients and without a
//! port.
//!
//! | service | engine | kept |
//! |---|---|---|
//! | DynamoDB with its stream | [`DynamoEngine`], on `dynoxide` | a file, or memory for tests |
//! | SQS | [`SqsEngine`] | memory: due rows are the durable record; [`DURABLE`] queues: a file |
//! | KMS | [`KmsEngine`] | the key: a file, or memory for tests |
//!
//! Each call passes [`fault::FaultLayer`], where tests let it fail, and is counted by
//! [`meter::Meter`].

mod connector;
pub mod dynamodb;
pub mod fault;
mod injected;
pub mod kms;
pub mod meter;
pub mod sqs;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use self::connector::Layers;
pub use self::dynamodb::{DynamoEngine, SequenceNumber, StreamRecord};
pub use self::fault::{FaultLayer, Faults, Operation, ServiceName, Verdict};
pub use self::kms::KmsEngine;
pub use self::meter::{Meter, Snapshot, Write};
pub use self::sqs::{Depth, SqsEngine, SqsOpenError};

/// The region in every ARN of the embedded services.
pub const REGION: &str = "us-east-1";
/// The account in every ARN of the embedded services.
pub const ACCOUNT: &str = "000000000000";

/// The queues that survive a restart. No row knows of a callback between our 2xx and its
/// application: the receive queue, and what could not be applied its dead letters, are the only
/// record. (What the send queues carry is also a due row, which comes again by itself.)
pub const DURABLE: &[&str] = &["receive", "receive-dead"];

/// The stack's time.
pub type Clock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// Why the engines could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{path}: {source}")]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("DynamoDB engine: {0}")]
    DynamoDb(#[from] dynamodb::DynamoOpenError),
    #[error("KMS engine: {0}")]
    Kms(#[from] kms::KmsOpenError),
    #[error("SQS engine: {0}")]
    Sqs(#[from] sqs::SqsOpenError),
}

/// The same configuration for each service; every SDK crate has types of its own for it.
macro_rules! client {
    ($sdk:ident, $endpoint:literal, $http_client:expr, $attempts:expr) => {{
        use $sdk::config::retry::{RetryConfig, RetryPartition, TokenBucket};
        use $sdk::config::{Config, Region, StalledStreamProtectionConfig};
        let retries = RetryConfig::standard()
            .with_max_attempts($attempts)
            .with_initial_backoff(BACKOFF)
            .with_max_backoff(MAX_BACKOFF);
        let quota =
            RetryPartition::custom(partition()).token_bucket(TokenBucket::unlimited()).build();
        let config = Config::builder()
            .behavior_version_latest()
            .region(Region::new(REGION))
            .endpoint_url($endpoint)
            .credentials_provider(credentials())
            .http_client($http_client)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .retry_config(retries)
            .retry_partition(quota);
        $sdk::Client::from_conf(config.build())
    }};
}

/// All engines of one stack. Cheap to clone; all clones are the same stack.
#[derive(Clone, Debug)]
pub struct Engines {
    dynamodb: Arc<DynamoEngine>,
    sqs: Arc<SqsEngine>,
    kms: Arc<KmsEngine>,
    layers: Layers,
    attempts: u32,
}

impl Engines {
    /// Opens the engines on the files of `folder` (made when missing: `tables.db` and
    /// `queues.db` with their companions, `kms.key`), or in memory without one.
    ///
    /// # Errors
    /// When another process has the folder in use, or a file is not what it should be.
    pub fn open(folder: Option<&Path>, clock: Clock) -> Result<Self, OpenError> {
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder)
                .map_err(|source| OpenError::Folder { path: folder.into(), source })?;
        }
        let file = |name: &str| folder.map(|folder| folder.join(name));
        Ok(Self {
            // First, for its lock is the folder's.
            dynamodb: Arc::new(DynamoEngine::open(file("tables.db").as_deref())?),
            sqs: Arc::new(SqsEngine::open(file("queues.db").as_deref(), DURABLE, clock)?),
            kms: Arc::new(KmsEngine::open(file("kms.key").as_deref())?),
            layers: Layers::default(),
            attempts: 3,
        })
    }

    /// The same stack, whose clients from now on try `attempts` times, first try included. Default
    /// 3.
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// A client with a retry quota of its own, so that injected faults of one stack do not use up
    /// another's.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        client!(
            aws_sdk_dynamodb,
            "http://dynamodb.us-east-1.embedded",
            self.dynamodb_http_client(),
            self.attempts
        )
    }

    /// As [`Self::dynamodb`].
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        client!(aws_sdk_sqs, "http://sqs.us-east-1.embedded", self.sqs_http_client(), self.attempts)
    }

    /// As [`Self::dynamodb`].
    pub fn kms(&self) -> aws_sdk_kms::Client {
        client!(aws_sdk_kms, "http://kms.us-east-1.embedded", self.kms_http_client(), self.attempts)
    }

    /// For a DynamoDB client with another configuration, through the same layers.
    pub fn dynamodb_http_client(&self) -> SharedHttpClient {
        self.layers.over(Arc::clone(&self.dynamodb))
    }

    /// For an SQS client with another configuration, through the same layers.
    pub fn sqs_http_client(&self) -> SharedHttpClient {
        self.layers.over(Arc::clone(&self.sqs))
    }

    /// For a KMS client with another configuration, through the same layers.
    pub fn kms_http_client(&self) -> SharedHttpClient {
        self.layers.over(Arc::clone(&self.kms))
    }

    /// The engine itself: stream, cursor, time to live.
    pub fn tables(&self) -> &DynamoEngine {
        &self.dynamodb
    }

    /// The engine itself: depth, clock.
    pub fn queues(&self) -> &SqsEngine {
        &self.sqs
    }

    /// Where calls are made to fail.
    pub fn faults(&self) -> &FaultLayer {
        &self.layers.faults
    }

    /// What the calls cost.
    pub fn meter(&self) -> &Meter {
        &self.layers.meter
    }
}

/// The engines answer within milliseconds; long pauses would only make tests slow.
const BACKOFF: Duration = Duration::from_millis(2);
const MAX_BACKOFF: Duration = Duration::from_millis(50);

fn credentials() -> Credentials {
    Credentials::new("embedded", "embedded", None, None, "embedded")
}

fn partition() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("embedded-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
