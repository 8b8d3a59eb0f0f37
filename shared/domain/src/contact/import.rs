//! A file of people: what its columns mean, what a row says, and how far the
//! file is.
//!
//! Columns are guessed by their names, in several spellings, so that the files
//! that spreadsheets, Google Contacts and Outlook save are read as they are.
//! An empty cell says nothing: it takes nothing away from a contact.

mod mapping;
mod row;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

pub use mapping::{Field, Mapping, MappingError};
pub use row::{Matched, Refused, RowContact};

use crate::rows::stream::Head;
use crate::{ContactId, Country, ImportId, OrgId, UploadId, WorkshopId};

/// A file that was uploaded by itself, before the import that reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    pub id: UploadId,
    /// Bytes.
    pub size: u64,
}

/// What was asked, and how far it is.
#[derive(Clone, PartialEq)]
pub struct ContactImport {
    pub org: OrgId,
    pub id: ImportId,
    /// Encoding, separator and header; and where the next rows are taken in.
    pub head: Head,
    pub mapping: Mapping,
    pub default_country: Option<Country>,
    /// Each contact of the file gets them.
    pub labels: Vec<String>,
    /// Each contact of the file is registered for it.
    pub workshop: Option<WorkshopId>,
    /// Nothing is stored but the report.
    pub dry_run: bool,
    /// Where the rest of the file is taken in from; `None`: all of it is stored
    /// in pieces.
    pub upload: Option<Upload>,
    /// Pieces that are stored.
    pub chunks: u32,
    /// Rows in them.
    pub rows: u32,
    pub progress: Progress,
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

/// Where it stands. Moves page by page, on the version of the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Pages done.
    pub pages: u32,
    /// The piece the next page begins in, and how many of its rows are done.
    pub chunk: u32,
    pub record: u32,
    pub created: u32,
    pub updated: u32,
    pub unchanged: u32,
    /// Rows about a person whom an earlier row was about.
    pub duplicates: u32,
    pub rejected: u32,
}

impl Progress {
    /// Rows that a contact came of, or was there for.
    #[must_use]
    pub const fn accepted(&self) -> u32 {
        self.created + self.updated + self.unchanged
    }
}

impl ContactImport {
    /// Whether part of the file is still to be taken in.
    #[must_use]
    pub fn is_coming_in(&self) -> bool {
        self.upload.as_ref().is_some_and(|upload| self.head.place.byte < upload.size)
    }

    #[must_use]
    pub fn is_done(&self) -> bool {
        self.failed.is_some() || (!self.is_coming_in() && self.progress.chunk >= self.chunks)
    }

    /// The contact that a line makes, if it makes one: the same for its repeat.
    #[must_use]
    pub fn contact_of(&self, line: u32) -> ContactId {
        ContactId::from_hash(&[b"import", self.id.as_bytes(), &line.to_be_bytes()])
    }
}
