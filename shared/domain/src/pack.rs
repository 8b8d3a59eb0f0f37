//! A pack: up to a hundred planned messages of one page that wait together.
//! It is their due entry, outbox record and lease in one row.

use jiff::{SignedDuration, Timestamp};

use crate::{Channel, ImportId, Lane, OrgId, PackId};

/// A receipt that has not come a day later does not come.
pub const RECONCILE_AFTER: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    pub org: OrgId,
    pub id: PackId,
    pub source: ImportId,
    pub page: u32,
    /// Entries of the page, from (inclusive) and to (exclusive).
    pub from: u32,
    pub to: u32,
    pub channel: Channel,
    pub lane: Lane,
    pub stage: Stage,
    /// Set until the pack is done.
    pub due: Option<Timestamp>,
    pub generation: u32,
    /// Runs that began and settled nothing.
    pub idle_runs: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its messages are to be sent.
    Send,
    /// All left the pack; once more for receipts that did not come.
    Reconcile,
    Done,
}

impl Stage {
    pub const ALL: [Self; 3] = [Self::Send, Self::Reconcile, Self::Done];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Send => "s",
            Self::Reconcile => "r",
            Self::Done => "d",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

impl Pack {
    /// The same slice of the same page is always the same pack.
    #[must_use]
    pub fn id_of(source: ImportId, page: u32, from: u32) -> PackId {
        let (page, from) = (page.to_be_bytes(), from.to_be_bytes());
        PackId::from_hash(&[b"pack", source.as_bytes(), &page, &from])
    }
}
