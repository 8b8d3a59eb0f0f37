//! Sequences and tags: what is sent when around a workshop. A sequence is
//! ordered steps of one channel, each a template and a time; a tag names a kind
//! of workshop and has at most one sequence for each channel.
//!
//! The times are read in [`crate::wall_clock`]; what the variables of a step may
//! mention, and whether the templates exist, is for who stores it.

mod time;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::time::{MAX_DAYS, StepTime, StepTimeError};
use crate::{Channel, SequenceId, StepId, TagId, TemplateId};

/// Steps of one sequence.
pub const MAX_STEPS: usize = 30;
/// Variables that one step sets.
pub const MAX_VARIABLES: usize = 50;
/// Longest text of one such variable, in characters.
pub const MAX_VARIABLE: usize = 500;
/// Highest place of a step.
pub const MAX_ORDER: u16 = 1_000;

/// Ordered steps for one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    pub id: SequenceId,
    pub name: String,
    pub description: Option<String>,
    pub channel: Channel,
    /// In their order.
    pub steps: Vec<Step>,
}

/// One message of a sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Stays with the step when it is edited or moved: messages are found again
    /// by it.
    pub id: StepId,
    pub template: TemplateId,
    pub time: StepTime,
    pub label: Option<String>,
    /// Unlike that of any other step; lower goes first.
    pub order: u16,
    /// For the template's variables, by their name: a text that may mention the
    /// contact, the workshop and the organization (`{{ contact.name }}`).
    pub variables: BTreeMap<String, String>,
}

/// A kind of workshop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    pub id: TagId,
    pub name: String,
    /// `#1e6b52`, for who shows it.
    pub color: Option<String>,
    pub description: Option<String>,
    pub sequences: BTreeMap<Channel, SequenceId>,
}

impl Sequence {
    #[must_use]
    pub fn step(&self, id: StepId) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// The templates it needs, each once.
    #[must_use]
    pub fn templates(&self) -> BTreeSet<TemplateId> {
        self.steps.iter().map(|step| step.template).collect()
    }
}

impl Tag {
    /// The sequences it needs, each once.
    #[must_use]
    pub fn needs(&self) -> BTreeSet<SequenceId> {
        self.sequences.values().copied().collect()
    }
}
