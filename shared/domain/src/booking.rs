//! A booking: one session of a client with a coach, and what the client is told
//! of it.
//!
//! Everything that people change raises the revision, and the ids of its notices
//! are made of it: what was planned for an earlier revision and not sent is
//! withdrawn, and planned anew if it still matters. Which notices that is,
//! [`notices::wanted`] says; it knows nothing of rows or queues.

mod change;
pub mod link;
pub mod notices;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use change::{Edit, Move, Refused};

use crate::message::vocabulary;
use crate::{BookingId, Channel, ContactId, MessageId, OrgId};

/// Longest time before and after a session that something is sent at: 30 days.
pub const MOST_HOURS: u16 = 720;
/// Longest session, in minutes: a day.
pub const LONGEST: u32 = 24 * 60;
/// Most notices that a booking remembers; those that were withdrawn go first.
pub const MOST_NOTICES: usize = 60;

/// What clients are told of their bookings, where a booking does not say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct BookingSettings {
    /// At once, when a booking is made.
    pub confirmations: bool,
    pub reminders: bool,
    /// A request to rate the session.
    pub feedback: bool,
    /// Before its beginning.
    pub reminder_hours_before: u16,
    /// After its end.
    pub feedback_hours_after: u16,
}

impl Default for BookingSettings {
    fn default() -> Self {
        Self {
            confirmations: true,
            reminders: true,
            feedback: true,
            reminder_hours_before: 24,
            feedback_hours_after: 2,
        }
    }
}

/// What one booking has instead of the organization's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Overrides {
    pub confirmations: Option<bool>,
    pub reminders: Option<bool>,
    pub feedback: Option<bool>,
    pub reminder_hours_before: Option<u16>,
    pub feedback_hours_after: Option<u16>,
    /// Of its notices; SMS, where it is absent.
    pub channel: Option<Channel>,
}

impl Overrides {
    /// What counts for this booking.
    #[must_use]
    pub fn over(&self, s: &BookingSettings) -> BookingSettings {
        BookingSettings {
            confirmations: self.confirmations.unwrap_or(s.confirmations),
            reminders: self.reminders.unwrap_or(s.reminders),
            feedback: self.feedback.unwrap_or(s.feedback),
            reminder_hours_before: self.reminder_hours_before.unwrap_or(s.reminder_hours_before),
            feedback_hours_after: self.feedback_hours_after.unwrap_or(s.feedback_hours_after),
        }
    }

    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel.unwrap_or(Channel::Sms)
    }
}

vocabulary!(/// What a notice says.
NoticeKind {
    Confirmation = "confirmation", Reminder = "reminder", Feedback = "feedback",
    Moved = "moved", Reassigned = "reassigned", Cancelled = "cancelled",
});

impl NoticeKind {
    /// The key of the template that it is made from.
    #[must_use]
    pub const fn template(self) -> &'static str {
        match self {
            Self::Confirmation => "booking_confirmation",
            Self::Reminder => "session_reminder",
            Self::Feedback => "feedback_request",
            Self::Moved => "booking_moved",
            Self::Reassigned => "booking_reassigned",
            Self::Cancelled => "booking_cancelled",
        }
    }
}

vocabulary!(/// Why a notice is not sent.
SkipReason {
    NoPhone = "no_phone", NoTemplate = "no_template", TemplateInactive = "template_inactive",
    TemplateUnusable = "template_unusable", NoProvider = "no_provider",
    NoPublicUrl = "no_public_url", TooLate = "too_late", NoContact = "no_contact",
});

vocabulary!(/// What the API shows of a booking.
BookingStatus { Confirmed = "confirmed", Cancelled = "cancelled", Completed = "completed" });

vocabulary!(/// What the client answered.
ClientReply { Confirmed = "confirmed", RescheduleRequested = "reschedule_requested" });

/// One row of the table, whole.
#[derive(Clone, PartialEq, Eq)]
pub struct Booking {
    pub id: BookingId,
    pub org: OrgId,
    pub client: ContactId,
    /// Empty: the organization's name is told.
    pub coach_name: String,
    pub starts_at: Timestamp,
    pub duration_minutes: u32,
    /// Empty: not known yet.
    pub location: String,
    pub state: State,
    pub overrides: Overrides,
    /// Raised when anything changes that notices tell.
    pub revision: u32,
    /// When that was.
    pub changed_at: Timestamp,
    /// The revision that last set the time of the session.
    pub moved_in: u32,
    /// The revision that last gave it to another coach; 0: none.
    pub reassigned_in: u32,
    /// All that was planned or decided against, oldest first.
    pub notices: Vec<Notice>,
    pub reply: Option<Reply>,
    pub feedback: Option<Feedback>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Set while its notices are not yet as they should be.
    pub due: Option<Timestamp>,
    /// Raised with each lease.
    pub generation: u32,
    /// Raised at every write; each write is conditional on it.
    pub version: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Confirmed,
    Cancelled { by: String, at: Timestamp },
    Completed { by: String, at: Timestamp },
}

/// A notice as it was decided; what became of it, its message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub kind: NoticeKind,
    pub revision: u32,
    pub channel: Channel,
    pub at: Timestamp,
    pub what: Decided,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    Planned(MessageId),
    Skipped(SkipReason),
}

impl Notice {
    #[must_use]
    pub const fn message(&self) -> Option<MessageId> {
        match self.what {
            Decided::Planned(id) => Some(id),
            Decided::Skipped(_) => None,
        }
    }
}

/// What the client wrote back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub answer: ClientReply,
    pub at: Timestamp,
    pub message: MessageId,
}

/// What the client says of the session.
#[derive(Clone, PartialEq, Eq)]
pub struct Feedback {
    /// 1 to 5.
    pub rating: u8,
    pub comment: Option<String>,
    pub at: Timestamp,
}

impl Booking {
    #[must_use]
    pub const fn status(&self) -> BookingStatus {
        match self.state {
            State::Confirmed => BookingStatus::Confirmed,
            State::Cancelled { .. } => BookingStatus::Cancelled,
            State::Completed { .. } => BookingStatus::Completed,
        }
    }

    /// When it was to end; earlier, where it was completed earlier.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        let planned = self
            .starts_at
            .saturating_add(SignedDuration::from_mins(self.duration_minutes.into()))
            .unwrap_or(Timestamp::MAX);
        match &self.state {
            State::Completed { at, .. } => planned.min(*at),
            State::Confirmed | State::Cancelled { .. } => planned,
        }
    }

    /// The id of the message of a notice: the same for whoever plans it again.
    #[must_use]
    pub fn message_id(&self, kind: NoticeKind, address: crate::AddressKey) -> MessageId {
        let at = u64::try_from(self.changed_at.as_millisecond()).unwrap_or(0);
        let revision = self.revision.to_be_bytes();
        let (kind, channel) = (kind.as_str().as_bytes(), self.overrides.channel().as_str());
        let cause: [&[u8]; 5] =
            [b"booking", self.id.as_bytes(), &revision, kind, channel.as_bytes()];
        MessageId::new(address, at, &cause)
    }
}

/// Names and places are people's.
impl std::fmt::Debug for Booking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Booking")
            .field("id", &self.id)
            .field("state", &self.status())
            .field("revision", &self.revision)
            .field("due", &self.due)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Feedback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Feedback({})", self.rating)
    }
}
