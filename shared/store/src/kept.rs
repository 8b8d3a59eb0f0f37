//! Content as it is kept: what it says, and who wrote it when.

use jiff::Timestamp;

use crate::Result;
use crate::attributes::{Reader, Writer};

/// Something that people write and change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept<T> {
    pub what: T,
    /// Counts the changes, so that two do not undo each other.
    pub version: u32,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl<T> Kept<T> {
    pub fn new(what: T, by: impl Into<String>, at: Timestamp) -> Self {
        Self { what, version: 1, created_by: by.into(), created_at: at, updated_at: at }
    }

    /// The same thing, said anew.
    #[must_use]
    pub fn changed(&self, what: T, at: Timestamp) -> Self {
        Self {
            what,
            version: self.version + 1,
            created_by: self.created_by.clone(),
            created_at: self.created_at,
            updated_at: at,
        }
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        w.number("vn", self.version).text("by", &self.created_by);
        w.time("ca", self.created_at).time("ua", self.updated_at);
    }

    pub(crate) fn read(r: &Reader<'_>, what: T) -> Result<Self> {
        Ok(Self {
            what,
            version: r.number("vn")?,
            created_by: r.text("by")?.to_owned(),
            created_at: r.time("ca")?,
            updated_at: r.time("ua")?,
        })
    }
}

/// What came of storing something that has a name and needs other things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored<N> {
    Done,
    /// Somebody else made or changed it first.
    Changed,
    /// Another one has this name.
    NameTaken,
    /// What it needs was deleted just now.
    Gone(N),
}

/// What came of deleting something that others may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deleted {
    Done,
    /// Somebody else changed or deleted it first.
    Changed,
    InUse(crate::Users),
}
