//! A campaign: steps that are sent to the people of a workshop, each at its
//! time. What it sends is fixed when it is started: its steps are a copy, with
//! pinned versions of their templates.
//!
//! Who is in it is not: a reconciler goes through the workshop's registrations
//! by their numbers, in batches, and makes a source of messages of each batch
//! and step. Its [`Plan`] says how far it is.

mod recipient;
mod standing;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::recipient::{Frozen, NUMBER, frozen, read_frozen};
pub use self::standing::{Standing, Withdrawal};
use crate::content::TemplateContent;
use crate::ids::hash;
use crate::integration::Money;
use crate::message::TemplateRef;
use crate::sequence::StepTime;
use crate::wall_clock::{self, Clock, Moment, OutOfRange};
use crate::workshop::Workshop;
use crate::{
    CampaignId, Channel, ImportId, OrgId, ProviderName, Purpose, SequenceId, StepId, WorkshopId,
};

/// Runs of one sequence for one workshop: each after the one before was
/// cancelled.
pub const MAX_RUNS: u32 = 100;

/// A step is sent this much late at most.
const REMINDER: SignedDuration = SignedDuration::from_hours(24);
/// And has this long, however soon the workshop begins.
const AT_LEAST: SignedDuration = SignedDuration::from_mins(10);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    pub org: OrgId,
    pub id: CampaignId,
    pub name: String,
    pub channel: Channel,
    pub purpose: Purpose,
    pub integration: Option<ProviderName>,
    pub workshop: WorkshopId,
    pub audience: Audience,
    pub status: Status,
    /// Who paused, resumed or cancelled it last, and when.
    pub changed: Option<(String, Timestamp)>,
    /// How many steps it has; they have rows of their own.
    pub steps: u16,
    pub max_segments: u16,
    /// What it was thought to cost when it was started.
    pub estimate: Option<Money>,
    /// When it was seen that nothing of it waits any more. A workshop that is moved
    /// begins it again.
    pub completed_at: Option<Timestamp>,
    pub plan: Plan,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Raised by each write, and each is conditional on it.
    pub version: u32,
}

/// Whom it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Whoever is registered when a step's time comes; its times follow the
    /// workshop.
    Sequence(SequenceId),
    /// Who was registered then: numbers up to this one. It follows nothing.
    Registered { until: u32 },
}

impl Audience {
    /// Whether what was planned is withdrawn when the workshop is moved.
    #[must_use]
    pub const fn follows(self) -> bool {
        matches!(self, Self::Sequence(_))
    }
}

/// What somebody wants of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Running,
    Paused,
    Cancelled,
}

impl Status {
    pub const ALL: [Self; 3] = [Self::Running, Self::Paused, Self::Cancelled];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Cancelled => "cancelled",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// How far planning is, for one revision of the workshop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    pub revision: u32,
    /// Of this revision. A step whose time has passed by then is skipped.
    pub began_at: Timestamp,
    /// Registrations below this number are planned.
    pub next: u32,
    /// The batch that is being planned ends with this number: said before its
    /// first source is made, so that a repeat makes the same ones. 0: none is.
    pub until: u32,
}

impl Plan {
    #[must_use]
    pub const fn new(revision: u32, began_at: Timestamp) -> Self {
        Self { revision, began_at, next: 1, until: 0 }
    }
}

/// A step, as it was when the campaign was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its place in the campaign, from 0.
    pub place: u16,
    pub id: StepId,
    pub label: Option<String>,
    pub when: When,
    pub template: TemplateRef,
    /// What this version of the template says, as its row has it.
    pub body: String,
    pub details: Map<String, Value>,
    /// What stands for the text's variables: texts that may mention the contact,
    /// the workshop and the organization.
    pub mapping: BTreeMap<String, String>,
    /// Values that are the same for everybody.
    pub given: Map<String, Value>,
}

/// When a step is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    At(Timestamp),
    /// By the workshop's start, on its clock.
    Workshop(StepTime),
}

impl Step {
    #[must_use]
    pub fn content(&self) -> TemplateContent {
        TemplateContent::of_row(&self.body, &self.details)
    }

    /// When it is sent for a workshop, whose zone that is.
    ///
    /// # Errors
    /// When that is beyond the calendar.
    pub fn moment(&self, workshop: &Workshop, zone: &TimeZone) -> Result<Moment, OutOfRange> {
        match self.when {
            When::At(at) => Ok(Moment { at, clock: Clock::Once }),
            When::Workshop(time) => wall_clock::step(workshop.starts_at, zone, time),
        }
    }

    /// After this it is of no use any more: what is to be read before the
    /// workshop, once that has begun.
    #[must_use]
    pub fn expires(at: Timestamp, workshop: &Workshop) -> Timestamp {
        let day = at + REMINDER;
        if at < workshop.starts_at { day.min(workshop.starts_at.max(at + AT_LEAST)) } else { day }
    }
}

/// A batch of registrations that one step is planned for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    pub revision: u32,
    /// The step's place.
    pub step: u16,
    /// Numbers, from the first to the last.
    pub first: u32,
    pub last: u32,
    /// The messages of it.
    pub source: ImportId,
    pub recipients: u32,
    pub at: Timestamp,
}

impl Campaign {
    /// The n-th run of a sequence for a workshop, from 1. A repeat meets the
    /// same one.
    #[must_use]
    pub fn id_of_run(workshop: WorkshopId, sequence: SequenceId, run: u32) -> CampaignId {
        let run = run.to_be_bytes();
        CampaignId::from_hash(&[b"run", workshop.as_bytes(), sequence.as_bytes(), &run])
    }

    /// The messages of a batch: the same batch has the same source.
    #[must_use]
    pub fn source_of(&self, step: StepId, revision: u32, first: u32) -> ImportId {
        let (revision, first) = (revision.to_be_bytes(), first.to_be_bytes());
        let parts = [b"step", self.id.as_bytes().as_slice(), step.as_bytes(), &revision, &first];
        ImportId::from_hash(&parts)
    }

    /// The last number that it is for.
    #[must_use]
    pub const fn last(&self, registrations: u32) -> u32 {
        match self.audience {
            Audience::Sequence(_) => registrations,
            Audience::Registered { until } => {
                if until < registrations {
                    until
                } else {
                    registrations
                }
            }
        }
    }

    /// # Errors
    /// When that cannot be asked of it any more.
    pub fn change(&mut self, to: Status, by: &str, now: Timestamp) -> Result<(), Cancelled> {
        if self.status == Status::Cancelled && to != Status::Cancelled {
            return Err(Cancelled);
        }
        if self.status != to {
            self.status = to;
            self.changed = Some((by.to_owned(), now));
        }
        Ok(())
    }
}

/// It was cancelled, which is for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the campaign was cancelled")]
pub struct Cancelled;

/// What keeps messages of two registrations, steps or revisions apart.
#[must_use]
pub fn cause(campaign: CampaignId, step: StepId, revision: u32, number: u32) -> [u8; 32] {
    let (revision, number) = (revision.to_be_bytes(), number.to_be_bytes());
    let parts = [b"step", campaign.as_bytes().as_slice(), step.as_bytes(), &revision, &number];
    hash(&parts)
}
