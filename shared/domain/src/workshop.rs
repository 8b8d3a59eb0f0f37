//! A workshop and who is registered for it.
//!
//! The workshop's row is also what waits for the reconciler: whatever changes
//! what should be planned for it (somebody registers or leaves, it is moved, a
//! sequence is run) makes it due in the same write that records the change. So
//! nothing has to be told to a campaign, and nothing can be forgotten.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{AddressKey, CampaignId, ContactId, OrgId, TagId, WorkshopId};

/// Numbers that one workshop gives to registrations.
pub const MAX_REGISTRATIONS: u32 = 20_000;
/// Campaigns of one workshop that may plan or withdraw at a time.
pub const MAX_CAMPAIGNS: usize = 200;
/// Longest title, in characters.
pub const MAX_TITLE: usize = 200;
/// Groups that one workshop has.
pub const MAX_GROUPS: usize = 20;
/// Longest id of a group, in characters.
pub const MAX_GROUP: usize = 100;

/// A dated event with registrants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workshop {
    pub org: OrgId,
    pub id: WorkshopId,
    pub title: String,
    pub tag: TagId,
    pub starts_at: Timestamp,
    /// IANA name; its steps' times of day are told by this clock.
    pub time_zone: String,
    pub whatsapp_group_ids: Vec<String>,
    /// Raised when it is moved: what was planned for an older one is withdrawn.
    pub revision: u32,
    /// Raised by each edit of a person, for who must not overwrite another's.
    pub edition: u32,
    /// Numbers given to registrations: 1 to this one.
    pub registrations: u32,
    /// Campaigns that may still have something to plan or to withdraw.
    pub campaigns: BTreeSet<CampaignId>,
    /// Nothing is sent for it any more, and nobody sees it.
    pub deleted_at: Option<Timestamp>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// When the reconciler has something to do: at once, or to see whether a campaign
    /// is finished.
    pub due: Option<Timestamp>,
    /// Raised by each write, and each is conditional on it.
    pub generation: u32,
}

impl Workshop {
    /// Takes the next number.
    pub fn register(
        &mut self,
        contact: ContactId,
        address: Option<AddressKey>,
        at: Timestamp,
    ) -> Registration {
        self.registrations += 1;
        let number = self.registrations;
        Registration { workshop: self.id, number, contact, address, at, left: None }
    }

    /// The reconciler is to look at it at once, even if it is about to finish
    /// with what it has seen.
    pub fn touch(&mut self, now: Timestamp) {
        self.due = Some(self.due.map_or(now, |due| due.min(now)));
    }
}

/// A place in a workshop. Its number is given once: who leaves and joins again
/// has another, and so another's messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    pub workshop: WorkshopId,
    pub number: u32,
    pub contact: ContactId,
    /// Of the number he had then: with another one, what is planned for him is to
    /// be planned anew.
    pub address: Option<AddressKey>,
    pub at: Timestamp,
    pub left: Option<Left>,
}

/// When somebody left a workshop, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    pub at: Timestamp,
    pub why: Why,
}

/// How somebody left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    Left,
    /// He is registered under another number of the workshop, since his
    /// telephone number is another one.
    NumberChanged,
}

impl Why {
    pub const ALL: [Self; 2] = [Self::Left, Self::NumberChanged];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::NumberChanged => "number_changed",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.as_str() == text)
    }
}

impl Registration {
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.left.is_none()
    }
}
