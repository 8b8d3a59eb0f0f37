//! The table, and whether it may send.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// The installation as a whole.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Installation {
    pub table: String,
    /// Restored from a backup: it waits, nothing is planned or sent.
    pub restored: bool,
    /// The table that its rows were written for.
    pub restored_from: Option<String>,
    pub found_at: Option<Timestamp>,
    /// What to do.
    pub detail: Option<String>,
    pub last_release: Option<Release>,
    /// Of the program.
    pub version: &'static str,
}

/// Somebody said that a restored table may send.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Release {
    pub found_at: Timestamp,
    pub released_at: Timestamp,
    pub released_by: String,
}
