//! A message and its history.

use carillon_domain::integration::Money;
use carillon_domain::message::{self as domain, DecisionKind, EventKind, EventSource, Related};
use carillon_domain::segments::Encoding;
use carillon_domain::{
    CampaignId, Channel, ContactId, Failure, ImportId, MessageId, ProviderName, Purpose,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

pub use carillon_domain::message::{Direction, Status};

/// A message, out or in.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Message {
    pub id: MessageId,
    pub direction: Direction,
    pub channel: Channel,
    /// Whom it is for: a number as `+61412345678`.
    pub to: Option<String>,
    /// Whose it is, where it is known.
    pub from: Option<String>,
    pub contact_id: Option<ContactId>,
    pub status: Status,
    /// The text with its variables filled in.
    pub body: String,
    /// Parts that the provider bills.
    pub segments: u16,
    pub encoding: Option<Encoding>,
    /// `key@version` of the template that it was made from.
    pub template: Option<String>,
    pub scheduled_for: Timestamp,
    /// It is not sent after this.
    pub expires_at: Option<Timestamp>,
    pub override_quiet_hours: bool,
    pub purpose: Purpose,
    /// The integration that was asked for.
    pub integration: Option<ProviderName>,
    /// Who took it, or was asked last.
    pub provider: Option<ProviderName>,
    /// The provider's id of it.
    pub provider_message_id: Option<String>,
    pub price: Option<Money>,
    /// Why it failed.
    pub error: Option<Failure>,
    pub campaign_id: Option<CampaignId>,
    pub workshop_id: Option<String>,
    pub booking_id: Option<String>,
    /// The row of a file that it comes from.
    pub import: Option<ImportRow>,
    pub variables: Map<String, Value>,
    pub media: Vec<String>,
    pub flash: bool,
    pub related: Option<Related>,
    /// The key or member that made it.
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The person was forgotten then: address and content are gone.
    pub erased_at: Option<Timestamp>,
    pub queued_at: Option<Timestamp>,
    pub sent_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
    pub read_at: Option<Timestamp>,
    pub failed_at: Option<Timestamp>,
    pub attempts: Vec<Attempt>,
    pub events: Vec<Event>,
    pub decisions: Vec<Decision>,
}

/// A row of an uploaded file.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ImportRow {
    pub id: ImportId,
    /// As a spreadsheet counts them; the header is line 1.
    pub line: u32,
}

/// One call to a provider.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Attempt {
    pub number: u16,
    pub provider: ProviderName,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub outcome: Outcome,
    pub error: Option<Failure>,
    pub response: Response,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// No answer was recorded yet.
    InFlight,
    Accepted,
    Refused,
    /// Nobody can tell whether the provider has it.
    Unknown,
    /// Looked up: the provider never had it.
    NotSent,
}

/// What the provider answered.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Response {
    pub http_status: Option<u16>,
    pub code: Option<String>,
    pub id: Option<String>,
    pub text: Option<String>,
}

/// Something that happened to the message.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Event {
    #[serde(rename = "type")]
    pub kind: EventKind,
    pub at: Timestamp,
    pub source: EventSource,
}

/// Something that was decided about it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Decision {
    pub at: Timestamp,
    pub decision: DecisionKind,
    /// A stable word, such as `quiet_hours`.
    pub reason: String,
    /// When it is looked at again.
    pub until: Option<Timestamp>,
    /// For people.
    pub detail: String,
}

/// A message with its story.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExplainedMessage {
    #[serde(flatten)]
    pub message: Message,
    /// What happened to it and what will, in plain sentences.
    pub explanation: String,
}

impl Message {
    #[must_use]
    pub fn of(m: &domain::Message, now: Timestamp) -> Self {
        let status = m.status(now);
        let (error, failed_at) = match &m.state {
            domain::State::Failed { failure, at, .. } => (Some(failure.clone()), Some(*at)),
            _ => (None, None),
        };
        let related = |kind: &str| {
            let same = m.related.as_ref().filter(|r| r.kind == kind);
            same.map(|r| r.id.clone())
        };
        let person = Some(m.address.clone()).filter(|address| !address.is_empty());
        let (to, from) = match m.direction {
            Direction::Outbound => (person, m.our_address.clone()),
            Direction::Inbound => (m.our_address.clone(), person),
        };
        let import = match m.source {
            // What a campaign plans is nobody's file.
            domain::Source::Import { id, page: _, line } => {
                m.campaign.is_none().then_some(ImportRow { id, line })
            }
            domain::Source::Single | domain::Source::Person | domain::Source::Answer { .. } => None,
        };
        Self {
            id: m.id,
            direction: m.direction,
            channel: m.channel,
            to,
            from,
            contact_id: m.contact,
            status,
            body: m.content.sent_body(),
            segments: m.content.segments,
            encoding: m.content.encoding,
            template: m.content.template.as_ref().map(|t| format!("{}@{}", t.key, t.version)),
            scheduled_for: m.scheduled_for,
            expires_at: m.expires_at,
            override_quiet_hours: m.override_quiet_hours,
            purpose: m.purpose,
            integration: m.integration,
            provider: m.provider,
            provider_message_id: m.provider_message_id.clone(),
            price: m.price.clone(),
            error,
            campaign_id: m.campaign,
            workshop_id: related("workshop"),
            booking_id: related("booking"),
            import,
            variables: m.content.variables.clone(),
            media: m.content.media.clone(),
            flash: m.content.flash,
            related: m.related.clone(),
            created_by: m.created_by.clone(),
            created_at: m.created_at,
            updated_at: m.updated_at,
            erased_at: m.erased_at,
            queued_at: queued_at(m, status),
            sent_at: m.sent_at,
            delivered_at: m.first(EventKind::Delivered),
            read_at: m.first(EventKind::Read),
            failed_at,
            attempts: m.attempts.iter().map(Attempt::of).collect(),
            events: m.events.iter().map(Event::of).collect(),
            decisions: m.decisions.iter().map(Decision::of).collect(),
        }
    }
}

/// A message is queued when its time comes; that is derived, not stored.
fn queued_at(m: &domain::Message, status: Status) -> Option<Timestamp> {
    match status {
        Status::Queued => Some(m.scheduled_for),
        Status::Pending | Status::Cancelled | Status::Received | Status::Suppressed => None,
        Status::Sending
        | Status::Unknown
        | Status::Sent
        | Status::Delivered
        | Status::Read
        | Status::Failed => m.attempts.first().map(|_| m.scheduled_for),
    }
}

impl Attempt {
    fn of(a: &domain::Attempt) -> Self {
        use domain::AttemptOutcome as Of;
        let (outcome, error) = match &a.outcome {
            Of::InFlight => (Outcome::InFlight, None),
            Of::Accepted => (Outcome::Accepted, None),
            Of::Refused(failure) => (Outcome::Refused, Some(failure.clone())),
            Of::Unknown => (Outcome::Unknown, None),
            Of::NotSent => (Outcome::NotSent, None),
        };
        Self {
            number: a.number,
            provider: a.provider,
            started_at: a.started_at,
            ended_at: a.ended_at,
            outcome,
            error,
            response: Response {
                http_status: a.http_status,
                code: a.code.clone(),
                id: a.provider_message_id.clone(),
                text: a.text.clone(),
            },
        }
    }
}

impl Event {
    fn of(e: &domain::Event) -> Self {
        Self { kind: e.kind, at: e.at, source: e.source }
    }
}

impl Decision {
    #[must_use]
    pub fn of(d: &domain::Decision) -> Self {
        Self {
            at: d.at,
            decision: d.kind,
            reason: d.reason.clone(),
            until: d.until,
            detail: d.detail.clone(),
        }
    }
}
