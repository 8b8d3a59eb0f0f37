//! Sequences and tags as JSON.

use std::collections::BTreeMap;

use carillon_domain::{Channel, Sequence as Domain, SequenceId, StepId, TagId, TemplateId};
use carillon_store::Kept;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// Ordered steps for one channel.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Sequence {
    pub id: SequenceId,
    pub name: String,
    pub description: Option<String>,
    pub channel: Channel,
    pub steps: Vec<Step>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// One message of a sequence.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SequenceStep")]
pub struct Step {
    pub id: StepId,
    pub template: TemplateId,
    /// On the clock of the workshop's zone; null where the step has an `offset`.
    pub send_time: Option<String>,
    /// From the start of the workshop, ISO 8601: `-PT2H` is two hours before it.
    pub offset: Option<String>,
    /// The day of `send_time`: 0 is the workshop's, -1 the day before.
    pub day: i16,
    pub label: Option<String>,
    pub order: u16,
    /// What the template's variables are made of.
    pub variables: BTreeMap<String, String>,
}

impl Sequence {
    pub fn of(kept: &Kept<Domain>) -> Self {
        let sequence = &kept.what;
        let step = |step: &carillon_domain::Step| Step {
            id: step.id,
            template: step.template,
            send_time: step.time.send_time(),
            offset: step.time.offset(),
            day: step.time.day(),
            label: step.label.clone(),
            order: step.order,
            variables: step.variables.clone(),
        };
        Self {
            id: sequence.id,
            name: sequence.name.clone(),
            description: sequence.description.clone(),
            channel: sequence.channel,
            steps: sequence.steps.iter().map(step).collect(),
            created_by: kept.created_by.clone(),
            created_at: kept.created_at,
            updated_at: kept.updated_at,
        }
    }
}

/// A kind of workshop: which sequence on which channel.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Tag {
    pub id: TagId,
    pub name: String,
    #[schemars(regex(pattern = "^#[0-9a-f]{6}$"))]
    pub color: Option<String>,
    pub description: Option<String>,
    pub sequences: BTreeMap<Channel, SequenceId>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Tag {
    pub fn of(kept: &Kept<carillon_domain::Tag>) -> Self {
        let tag = &kept.what;
        Self {
            id: tag.id,
            name: tag.name.clone(),
            color: tag.color.clone(),
            description: tag.description.clone(),
            sequences: tag.sequences.clone(),
            created_by: kept.created_by.clone(),
            created_at: kept.created_at,
            updated_at: kept.updated_at,
        }
    }
}
