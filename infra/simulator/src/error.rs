//! What can go wrong inside the simulator. Providers' own refusals are answers, not errors.

use std::{io, net::SocketAddr, path::PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
    /// Also when another simulator holds the file: it is locked for as long as one runs.
    #[error("cannot open the simulator's file {file} (does another simulator use it?)")]
    Open { file: PathBuf, source: rusqlite::Error },
    #[error("the simulator's file refused a statement")]
    Sql(#[from] rusqlite::Error),
    #[error("the simulator's file did not take the transaction: {reason}")]
    NotCommitted { reason: String },
    #[error("the simulator has been stopped")]
    Stopped,
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
    #[error("cannot make an HTTP client for callbacks")]
    Client(#[source] reqwest::Error),
    #[error("a stored value is not the JSON that was written")]
    Stored(#[source] serde_json::Error),
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// A control call that cannot be followed; the sentence says what to do.
    #[error("{0}")]
    Control(String),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;
