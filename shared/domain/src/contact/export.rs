//! Contacts on their way into a file for spreadsheets: what was asked, how far it
//! is, and a contact as a line.

use jiff::Timestamp;
use serde_json::Value;

use crate::{Contact, ExportId, OrgId};

/// What was asked, and how far it is. Goes on part by part, on the version of the
/// row.
#[derive(Clone, PartialEq, Debug)]
pub struct ContactExport {
    pub org: OrgId,
    pub id: ExportId,
    /// Rules of a segment; all contacts where there are none.
    pub rules: Option<Value>,
    /// Behind which place of the list the next part begins.
    pub after: Option<String>,
    /// Contacts in the file.
    pub rows: u32,
    /// The bucket's name of the upload that parts belong to.
    pub upload: Option<String>,
    /// What the bucket called each part.
    pub parts: Vec<String>,
    /// Why it was given up, if it was.
    pub failed: Option<String>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub done_at: Option<Timestamp>,
    pub due: Option<Timestamp>,
    pub generation: u32,
    /// Raised by each write.
    pub version: u64,
}

impl ContactExport {
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.done_at.is_some() || self.failed.is_some()
    }
}

/// The first line; an import reads most of it back.
pub const HEADER: [&str; 12] = [
    "id",
    "name",
    "phone",
    "email",
    "external_id",
    "status",
    "score",
    "time_zone",
    "language",
    "labels",
    "attributes",
    "created_at",
];

/// A contact as the cells of a line. Attributes are one cell, as JSON.
#[must_use]
pub fn cells(c: &Contact) -> [String; 12] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let attributes = match c.attributes.is_empty() {
        true => String::new(),
        false => serde_json::json!(c.attributes).to_string(),
    };
    [
        c.id.to_string(),
        text(&c.name),
        c.phone.as_ref().map(|p| p.as_str().to_owned()).unwrap_or_default(),
        text(&c.email),
        text(&c.external_id),
        text(&c.status),
        c.score.map(|score| score.to_string()).unwrap_or_default(),
        text(&c.time_zone),
        text(&c.language),
        c.labels.join(";"),
        attributes,
        c.created_at.to_string(),
    ]
}
