//! A message: one send to one recipient, or one that came in.
//!
//! Its [`State`] is an enum whose variants carry that state's facts; how it
//! moves is in [`crate::transition`]. What is on the row besides the state is
//! the record of what happened: attempts, events, decisions.

mod single;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use single::Single;

use crate::integration::Money;
use crate::segments::Encoding;
use crate::{
    CampaignId, Channel, ContactId, Failure, ImportId, Lane, MessageId, OrgId, ProviderName,
    Purpose, TemplateId,
};

/// One row of the table, whole.
#[derive(Clone, PartialEq)]
pub struct Message {
    pub id: MessageId,
    pub org: OrgId,
    pub direction: Direction,
    pub channel: Channel,
    /// The person's address: where it goes, or where it came from.
    pub address: String,
    /// Inbound: the address of ours it came to.
    pub our_address: Option<String>,
    pub state: State,
    pub content: Content,
    pub purpose: Purpose,
    pub lane: Lane,
    pub source: Source,
    pub related: Option<Related>,
    /// The contact it was planned for. What is sent goes to `address`.
    pub contact: Option<ContactId>,
    /// The contact's own time zone (IANA) as it was when the message was planned:
    /// the hours of the message stay those it was planned for.
    pub zone: Option<String>,
    pub campaign: Option<CampaignId>,
    /// The integration the caller asked for.
    pub integration: Option<ProviderName>,
    /// The integration of the last attempt.
    pub provider: Option<ProviderName>,
    pub provider_message_id: Option<String>,
    pub price: Option<Money>,
    /// When it should go.
    pub scheduled_for: Timestamp,
    /// After this it must not be sent any more.
    pub expires_at: Option<Timestamp>,
    /// Goes at its time, whatever hour it is for the person.
    pub override_quiet_hours: bool,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    /// When the person was forgotten: address and content are gone.
    pub erased_at: Option<Timestamp>,
    pub attempts: Vec<Attempt>,
    pub events: Vec<Event>,
    pub decisions: Vec<Decision>,
    /// Set while the message waits by itself: its due time. A message of a
    /// pack has none until it leaves the pack (retry, reschedule, Unknown).
    pub due: Option<Timestamp>,
    /// Raised whenever `due` changes; a queue body with another one is stale.
    pub generation: u32,
    /// Raised at every write; each write is conditional on it.
    pub version: u32,
    /// Who wrote last, so that a repeated write knows its own work.
    pub token: String,
    /// Leases since the row was last written: runs that came to nothing.
    pub idle: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Direction {
    Outbound,
    Inbound,
}

/// What is said. Fixed when the message is planned.
#[derive(Clone, PartialEq, Default)]
pub struct Content {
    pub body: String,
    pub encoding: Option<Encoding>,
    pub segments: u16,
    pub template: Option<TemplateRef>,
    pub variables: Map<String, Value>,
    pub media: Vec<String>,
    pub flash: bool,
    /// What was added to it as the first message that its address gets.
    pub introduction: Option<String>,
    /// Body, variables and media are long and have a row of their own, which is
    /// written once; they are empty here when that row was not read.
    pub elsewhere: bool,
}

/// A template's version, pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateRef {
    pub id: TemplateId,
    pub key: String,
    pub version: u32,
}

/// What caused the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Single,
    /// A row of a file: which page planned it, and its line.
    Import {
        id: ImportId,
        page: u32,
        line: u32,
    },
    /// A person wrote to us.
    Person,
    /// Our answer to a word, such as HELP, that a person wrote.
    Answer {
        to: MessageId,
    },
}

/// Something of the caller's that the message belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Related {
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Waits for its time, in a pack or by itself.
    Scheduled,
    /// Claimed; the call is being made until the lease runs out.
    Sending {
        attempt: u16,
        claimed_at: Timestamp,
        lease_until: Timestamp,
    },
    /// The call may or may not have reached the provider.
    Unknown {
        attempt: u16,
        since: Timestamp,
        not_found: u8,
        held: bool,
    },
    /// The provider has it.
    Accepted {
        attempt: u16,
        at: Timestamp,
    },
    Delivered {
        at: Timestamp,
    },
    Read {
        at: Timestamp,
    },
    /// `accepted`: the provider had taken it before it failed.
    Failed {
        failure: Failure,
        at: Timestamp,
        accepted: bool,
    },
    Cancelled {
        by: String,
        at: Timestamp,
    },
    Suppressed {
        reason: SuppressionReason,
        at: Timestamp,
    },
    /// Inbound.
    Received,
}

impl State {
    /// Nothing of ours will change it any more; a receipt still may.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        match self {
            Self::Scheduled | Self::Sending { .. } => false,
            Self::Unknown { held, .. } => *held,
            Self::Accepted { .. }
            | Self::Delivered { .. }
            | Self::Read { .. }
            | Self::Failed { .. }
            | Self::Cancelled { .. }
            | Self::Suppressed { .. }
            | Self::Received => true,
        }
    }
}

/// Why an address must not be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SuppressionReason {
    StopKeyword,
    Provider,
    Manual,
    Bounce,
    /// Of a message, never of an address: no consent for its purpose.
    NoConsent,
}

impl SuppressionReason {
    pub const ALL: [Self; 5] =
        [Self::StopKeyword, Self::Provider, Self::Manual, Self::Bounce, Self::NoConsent];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StopKeyword => "stop_keyword",
            Self::Provider => "provider",
            Self::Manual => "manual",
            Self::Bounce => "bounce",
            Self::NoConsent => "no_consent",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == text)
    }
}

/// One claim and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub number: u16,
    pub provider: ProviderName,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub outcome: AttemptOutcome,
    pub http_status: Option<u16>,
    pub code: Option<String>,
    pub provider_message_id: Option<String>,
    pub text: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// No answer recorded yet.
    InFlight,
    Accepted,
    Refused(Failure),
    Unknown,
    /// Settled: the provider never had it.
    NotSent,
}

impl AttemptOutcome {
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::InFlight => "in_flight",
            Self::Accepted => "accepted",
            Self::Refused(_) => "refused",
            Self::Unknown => "unknown",
            Self::NotSent => "not_sent",
        }
    }
}

macro_rules! vocabulary {
    ($(#[doc = $doc:literal])* $name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($variant),* }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|v| v.as_str() == text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                let known = || serde::de::Error::unknown_variant(&text, &[]);
                Self::parse(&text).ok_or_else(known)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let doc = [$($doc),*].concat();
                crate::schema::words(doc.trim(), Self::ALL.iter().map(|v| v.as_str()))
            }
        }
    };
}

pub(crate) use vocabulary;

vocabulary!(/// What happened.
EventKind {
    Sent = "sent", Delivered = "delivered", Read = "read", Failed = "failed",
    Unknown = "unknown", NotSent = "not_sent", Cancelled = "cancelled",
    Rescheduled = "rescheduled", Retried = "retried", Duplicate = "duplicate",
});

vocabulary!(/// Who says so.
EventSource {
    Response = "response", Callback = "callback", LookUp = "look_up", Api = "api",
    System = "system",
});

vocabulary!(/// What was decided about a send, and can be asked about later.
DecisionKind {
    Suppressed = "suppressed", Retry = "retry", Hold = "hold", Resend = "resend",
    Expired = "expired", GaveUp = "gave_up", Deferred = "deferred",
});

vocabulary!(/// What the API shows.
Status {
    Pending = "pending", Queued = "queued", Sending = "sending", Unknown = "unknown",
    Sent = "sent", Delivered = "delivered", Read = "read", Failed = "failed",
    Cancelled = "cancelled", Suppressed = "suppressed", Received = "received",
});

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub kind: EventKind,
    pub at: Timestamp,
    pub source: EventSource,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub at: Timestamp,
    pub kind: DecisionKind,
    pub reason: String,
    pub until: Option<Timestamp>,
    pub detail: String,
}

impl Message {
    /// What the API shows. `queued` costs no write: it is a message whose time
    /// has come and that no attempt has begun for.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        match &self.state {
            State::Scheduled
                if self.attempts.is_empty()
                    && self.scheduled_for < now
                    && !self.is_deferred(now) =>
            {
                Status::Queued
            }
            State::Scheduled => Status::Pending,
            State::Sending { .. } => Status::Sending,
            State::Unknown { .. } => Status::Unknown,
            State::Accepted { .. } => Status::Sent,
            State::Delivered { .. } => Status::Delivered,
            State::Read { .. } => Status::Read,
            State::Failed { .. } => Status::Failed,
            State::Cancelled { .. } => Status::Cancelled,
            State::Suppressed { .. } => Status::Suppressed,
            State::Received => Status::Received,
        }
    }

    /// Where the person's clock is, if the contact says so.
    #[must_use]
    pub fn zone(&self) -> Option<TimeZone> {
        self.zone.as_deref().and_then(crate::quiet::zones::named)
    }

    /// Whether it waits for a moment that was decided on, such as the end of
    /// quiet hours.
    #[must_use]
    pub fn is_deferred(&self, now: Timestamp) -> bool {
        self.decisions.last().is_some_and(|d| {
            d.kind == DecisionKind::Deferred && d.until.is_some_and(|until| until > now)
        })
    }

    /// The number of the last attempt; 0 before the first.
    #[must_use]
    pub fn attempt(&self) -> u16 {
        self.attempts.last().map_or(0, |a| a.number)
    }

    /// When the event of this kind first happened.
    #[must_use]
    pub fn first(&self, kind: EventKind) -> Option<Timestamp> {
        self.events.iter().find(|e| e.kind == kind).map(|e| e.at)
    }

    /// A pack is done with the message when it is settled or waits by itself.
    #[must_use]
    pub const fn has_left_its_pack(&self) -> bool {
        self.due.is_some() || self.state.is_settled()
    }

    pub(crate) fn note(&mut self, kind: EventKind, at: Timestamp, source: EventSource) {
        self.events.push(Event { kind, at, source });
    }

    pub(crate) fn decide(
        &mut self,
        kind: DecisionKind,
        at: Timestamp,
        reason: &str,
        until: Option<Timestamp>,
        detail: String,
    ) {
        self.decisions.push(Decision { at, kind, reason: reason.to_owned(), until, detail });
    }

    /// Waits by itself until `due`, or no longer waits. Raises the generation:
    /// whatever is on a queue for an older one is stale.
    pub(crate) fn wait_until(&mut self, due: Option<Timestamp>) {
        if self.due.is_some() || due.is_some() {
            self.generation += 1;
        }
        self.due = due;
    }
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.id)
            .field("state", &self.state)
            .field("due", &self.due)
            .field("generation", &self.generation)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
