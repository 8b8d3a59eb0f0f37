//! A pack: up to a hundred planned messages of one page that wait together.
//! It is their due entry, outbox record and lease in one row.

use jiff::{SignedDuration, Timestamp};

use crate::import::{Entry, Page};
use crate::{Channel, ImportId, Lane, OrgId, PackId};

/// Runs in a row that began and settled nothing, after which a pack is given up.
/// With the pauses between them that is about three hours.
pub const GIVE_UP_AFTER: u32 = 10;

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
    /// Set until the pack is done or given up.
    pub due: Option<Timestamp>,
    pub generation: u32,
    /// Runs that began and settled nothing.
    pub idle_runs: u32,
    /// Set while a person must decide what becomes of it.
    pub given_up: Option<GivenUp>,
}

/// Why and when a pack became a dead letter. Its stage stays the one it was in,
/// so that it can go on from there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    pub at: Timestamp,
    /// For people; without addresses or texts.
    pub reason: String,
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
    /// Its entries of its page; `None` when the page does not have them.
    #[must_use]
    pub fn entries<'a>(&self, page: &'a Page) -> Option<&'a [Entry]> {
        let place = |n: u32| usize::try_from(n).ok();
        page.entries.get(place(self.from)?..place(self.to)?)
    }

    /// Messages in it, whatever has become of them.
    #[must_use]
    pub const fn size(&self) -> u32 {
        self.to.saturating_sub(self.from)
    }

    /// The same slice of the same page is always the same pack.
    #[must_use]
    pub fn id_of(source: ImportId, page: u32, from: u32) -> PackId {
        let (page, from) = (page.to_be_bytes(), from.to_be_bytes());
        PackId::from_hash(&[b"pack", source.as_bytes(), &page, &from])
    }
}
