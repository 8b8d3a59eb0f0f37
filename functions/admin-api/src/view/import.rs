//! A file and how far it is.

use std::collections::BTreeMap;

use carillon_domain::contact::import as contacts;
use carillon_domain::{Channel, ImportId, import as domain};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::counts::Counts;

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
    /// What became of the messages of accepted rows, as of a few seconds ago.
    pub messages: Counts,
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
    pub fn of(i: &domain::Import, messages: Counts) -> Self {
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
            messages,
            channel: i.channel,
            scheduled_for: i.scheduled_for,
            expires_at: i.expires_at,
            created_by: i.created_by.clone(),
            created_at: i.created_at,
        }
    }
}

/// A file of people that become contacts.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ContactImport {
    pub id: ImportId,
    pub status: ImportStatus,
    /// Why it failed.
    pub error: Option<String>,
    /// Rows that were taken in so far; all of them, once any of them is
    /// processed.
    pub rows: u32,
    /// Of these rows it is known what became of them.
    pub processed: u32,
    /// Created, updated or unchanged.
    pub accepted: u32,
    pub created: u32,
    pub updated: u32,
    /// They said nothing that was not known.
    pub unchanged: u32,
    /// About a person whom an earlier row was about.
    pub duplicates: u32,
    pub rejected: u32,
    /// Nothing is stored but this.
    pub dry_run: bool,
    /// What each column is taken for; null is left out. To change it, import
    /// again with a `mapping`.
    pub mapping: BTreeMap<String, Option<String>>,
    /// Given to each contact of the file.
    pub labels: Vec<String>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub completed_at: Option<Timestamp>,
}

impl ContactImport {
    #[must_use]
    pub fn of(i: &contacts::ContactImport) -> Self {
        let p = &i.progress;
        let shown = i.mapping.shown(&i.head.header).into_iter();
        Self {
            id: i.id,
            status: match (&i.failed, i.is_done()) {
                (Some(_), _) => ImportStatus::Failed,
                (None, true) => ImportStatus::Completed,
                (None, false) => ImportStatus::Running,
            },
            error: i.failed.clone(),
            rows: i.rows,
            processed: p.accepted() + p.duplicates + p.rejected,
            accepted: p.accepted(),
            created: p.created,
            updated: p.updated,
            unchanged: p.unchanged,
            duplicates: p.duplicates,
            rejected: p.rejected,
            dry_run: i.dry_run,
            mapping: shown.map(|(column, field)| (column.to_owned(), field)).collect(),
            labels: i.labels.clone(),
            created_by: i.created_by.clone(),
            created_at: i.created_at,
            completed_at: i.done_at,
        }
    }
}

/// A file of recipients or of people.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum AnyImport {
    Messages(Import),
    Contacts(ContactImport),
}
