//! A file and how far it is.

use carillon_domain::{Channel, ImportId, import as domain};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// A file that is read row by row.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Import {
    pub id: ImportId,
    pub status: ImportStatus,
    /// Why it failed.
    pub error: Option<String>,
    pub rows: u32,
    /// Of these rows it is known what became of them.
    pub processed: u32,
    pub accepted: u32,
    pub duplicates: u32,
    pub rejected: u32,
    pub channel: Channel,
    pub scheduled_for: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub created_by: String,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportStatus {
    Running,
    Completed,
    Failed,
}

impl Import {
    #[must_use]
    pub fn of(i: &domain::Import) -> Self {
        Self {
            id: i.id,
            status: match (&i.failed, i.is_planned()) {
                (Some(_), _) => ImportStatus::Failed,
                (None, true) => ImportStatus::Completed,
                (None, false) => ImportStatus::Running,
            },
            error: i.failed.clone(),
            rows: i.rows,
            processed: i.progress.accepted + i.progress.duplicates + i.progress.rejected,
            accepted: i.progress.accepted,
            duplicates: i.progress.duplicates,
            rejected: i.progress.rejected,
            channel: i.channel,
            scheduled_for: i.scheduled_for,
            expires_at: i.expires_at,
            created_by: i.created_by.clone(),
            created_at: i.created_at,
        }
    }
}
