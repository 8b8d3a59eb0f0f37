//! Campaigns, what is running a sequence comes to, and checkpoints.

use carillon_domain::campaign::{self as domain, Audience, Step, When};
use carillon_domain::integration::Money;
use carillon_domain::wall_clock::Clock;
use carillon_domain::{CampaignId, Channel, MessageId, ProviderName, Purpose, StepId, WorkshopId};
use carillon_runtime::broadcast::outlook::Outlook;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::counts::Counts;

/// What comes of running a sequence, or of a send to a workshop.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Run {
    /// Null for a dry run of what does not run yet.
    pub campaign_id: Option<CampaignId>,
    /// Messages that this request plans.
    pub scheduled: u32,
    /// People that are registered.
    pub recipients: u32,
    pub skipped: Vec<Skipped>,
    pub steps: Vec<RunStep>,
    /// By the price tables; null where they say nothing.
    pub estimate: Option<Money>,
}

/// What comes of a send to everybody who is registered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SendNowAnswer")]
pub struct SendNow {
    /// Null for a dry run and a test.
    pub campaign_id: Option<CampaignId>,
    /// Of a test.
    pub test_message_id: Option<MessageId>,
    /// Messages that this request plans.
    pub scheduled: u32,
    /// People who get it.
    pub recipients: u32,
    /// Parts that the provider bills, of all messages.
    pub segments: u64,
    /// By the price tables; null where they say nothing.
    pub price: Option<Money>,
    /// Messages that would wait, as things are now.
    pub deferred: Vec<Deferred>,
    pub skipped: Vec<Skipped>,
}

/// Messages that wait for something.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Deferred {
    /// A stable word, such as `quiet_hours`.
    pub reason: String,
    pub until: Option<Timestamp>,
    pub count: u32,
}

/// Messages that are not planned, and why.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Skipped {
    /// A stable word: `no_phone` (counted once a person), `past`,
    /// `missing_variable`, `already_scheduled`, and others.
    pub reason: String,
    pub count: u32,
    /// The step, where it is one step's reason.
    pub step: Option<StepName>,
}

/// Which step.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StepName {
    pub id: StepId,
    pub label: Option<String>,
}

/// What comes of one step.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunStep {
    pub id: StepId,
    pub label: Option<String>,
    /// `key@version` of its template.
    pub template: String,
    /// Null when its time has passed.
    pub at: Option<Timestamp>,
    /// Set where the clock does not show the step's time once on that day.
    pub clock: Option<ClockNote>,
    pub scheduled: u32,
    /// Parts that the provider bills.
    pub segments: u64,
}

/// What a change of the clock does to a step's time.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClockNote {
    /// `time_left_out` or `time_twice`.
    pub code: String,
    /// For people.
    pub detail: String,
}

impl ClockNote {
    fn of(clock: Clock) -> Option<Self> {
        Some(Self { code: clock.code()?.to_owned(), detail: clock.detail()? })
    }
}

impl StepName {
    fn of(step: &Step) -> Self {
        Self { id: step.id, label: step.label.clone() }
    }
}

impl Skipped {
    #[must_use]
    pub fn all(steps: &[Step], outlook: &Outlook) -> Vec<Self> {
        let name = |place: u16| steps.iter().find(|s| s.place == place).map(StepName::of);
        let all = outlook.skipped.iter().map(|((reason, step), count)| Self {
            reason: reason.clone(),
            count: *count,
            step: step.and_then(name),
        });
        all.collect()
    }

    #[must_use]
    pub fn already(count: u32) -> Self {
        Self { reason: "already_scheduled".to_owned(), count, step: None }
    }
}

impl Run {
    #[must_use]
    pub fn steps(steps: &[Step], outlook: &Outlook) -> Vec<RunStep> {
        let all = steps.iter().zip(&outlook.steps).map(|(step, of)| RunStep {
            id: step.id,
            label: step.label.clone(),
            template: format!("{}@{}", step.template.key, step.template.version),
            at: of.moment.map(|moment| moment.at),
            clock: of.moment.and_then(|moment| ClockNote::of(moment.clock)),
            scheduled: of.scheduled,
            segments: of.segments,
        });
        all.collect()
    }
}

/// A step of a workshop, and how many of its messages are where.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Checkpoint {
    pub campaign_id: CampaignId,
    pub step_id: StepId,
    /// When it is sent, as the workshop stands.
    pub at: Option<Timestamp>,
    pub label: Option<String>,
    /// `key@version`
    pub template: String,
    /// `past`: it is not sent, since its time had passed when it was planned.
    pub skipped: Option<String>,
    pub counts: Counts,
}

/// The counts of a campaign.
#[derive(Debug, Clone, Copy, Default, Serialize, JsonSchema)]
pub struct CampaignCounts {
    /// All messages that it plans.
    pub audience: u64,
    #[serde(flatten)]
    pub by_status: Counts,
    pub replied: u64,
    pub opted_out: u64,
}

/// Something that is sent to many.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Campaign {
    pub id: CampaignId,
    pub name: String,
    pub kind: CampaignKind,
    pub channel: Channel,
    pub status: CampaignStatus,
    pub purpose: Purpose,
    pub integration: Option<ProviderName>,
    pub workshop_id: Option<WorkshopId>,
    pub started_at: Option<Timestamp>,
    /// When it was seen that nothing of it waits any more: minutes after it is
    /// `completed`.
    pub completed_at: Option<Timestamp>,
    pub cancelled_at: Option<Timestamp>,
    pub cost: Cost,
    pub audience: CampaignAudience,
    pub steps: Vec<CampaignStep>,
    pub counts: CampaignCounts,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CampaignKind {
    Broadcast,
}

/// What it is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CampaignStatus {
    Running,
    Paused,
    Completed,
    Cancelled,
}

/// Whom it is for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CampaignAudience {
    pub workshop_id: Option<WorkshopId>,
}

/// What it was thought to cost, and what it has cost so far.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Cost {
    pub estimate: Option<Money>,
    pub actual: Option<Money>,
    /// Of those that have a price.
    pub per_message: Option<Money>,
}

/// A step of a campaign, as it was when that was started.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CampaignStep {
    pub id: StepId,
    pub order: u16,
    pub label: Option<String>,
    /// A time of day on the workshop's clock.
    pub send_time: Option<String>,
    /// From the workshop's start: `-PT2H`.
    pub offset: Option<String>,
    /// Days from the workshop's; −1 is the day before.
    pub day: i16,
    /// When it is sent, as the workshop stands.
    pub at: Option<Timestamp>,
    /// `key@version`
    pub template: String,
}

impl CampaignStep {
    #[must_use]
    pub fn of(step: &Step, at: Option<Timestamp>) -> Self {
        let time = match step.when {
            When::Workshop(time) => Some(time),
            When::At(_) => None,
        };
        Self {
            id: step.id,
            order: step.place + 1,
            label: step.label.clone(),
            send_time: time.and_then(|t| t.send_time()),
            offset: time.and_then(|t| t.offset()),
            day: time.map_or(0, |t| t.day()),
            at,
            template: format!("{}@{}", step.template.key, step.template.version),
        }
    }
}

impl Campaign {
    /// `is_over`: no step is ahead, and everything is planned.
    #[must_use]
    pub fn of(
        c: &domain::Campaign,
        steps: Vec<CampaignStep>,
        (counts, actual): (Counts, Option<(u64, u64, String)>),
        is_over: bool,
    ) -> Self {
        let status = match c.status {
            domain::Status::Running if is_over && counts.is_done() => CampaignStatus::Completed,
            domain::Status::Running => CampaignStatus::Running,
            domain::Status::Paused => CampaignStatus::Paused,
            domain::Status::Cancelled => CampaignStatus::Cancelled,
        };
        let changed = c.changed.as_ref().map(|(_, at)| *at);
        let audience = match c.audience {
            Audience::Sequence(_) | Audience::Registered { .. } => Some(c.workshop),
        };
        Self {
            id: c.id,
            name: c.name.clone(),
            kind: CampaignKind::Broadcast,
            channel: c.channel,
            status,
            purpose: c.purpose,
            integration: c.integration,
            workshop_id: audience,
            started_at: Some(c.created_at),
            completed_at: c.completed_at.filter(|_| matches!(status, CampaignStatus::Completed)),
            cancelled_at: changed.filter(|_| c.status == domain::Status::Cancelled),
            cost: Cost {
                estimate: c.estimate.clone(),
                per_message: actual.as_ref().map(|(micros, priced, currency)| {
                    Money::from_micros(micros / (*priced).max(1), currency)
                }),
                actual: actual.map(|(micros, _, currency)| Money::from_micros(micros, &currency)),
            },
            audience: CampaignAudience { workshop_id: audience },
            steps,
            counts: CampaignCounts {
                audience: counts.all(),
                by_status: counts,
                replied: 0,
                opted_out: 0,
            },
            created_by: c.created_by.clone(),
            created_at: c.created_at,
            updated_at: c.updated_at,
        }
    }
}
