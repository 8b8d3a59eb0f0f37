//! A booking, and what became of its notices.

use std::collections::HashMap;

use carillon_domain::booking::{
    self as domain, ClientReply, Decided, NoticeKind, Overrides, SkipReason,
};
use carillon_domain::message::{Message, Status as MessageStatus};
use carillon_domain::{BookingId, Channel, ContactId, MessageId};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// A session of a client with a coach.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Booking {
    pub id: BookingId,
    pub client_id: ContactId,
    /// Empty: the organization's name is told.
    pub coach_name: String,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub duration_minutes: u32,
    /// Empty: `TBD` is told.
    pub location: String,
    pub status: domain::BookingStatus,
    /// What it has instead of the organization's settings.
    pub settings: Overrides,
    /// A reminder of the time that it has now was handed to a provider.
    pub reminder_sent: bool,
    pub feedback_sent: bool,
    /// What the client wrote back to a notice.
    pub client_reply: Option<ClientReply>,
    pub client_replied_at: Option<Timestamp>,
    /// How the client found the session.
    pub feedback: Option<Feedback>,
    /// Oldest first, withdrawn ones too.
    pub notices: Vec<Notice>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What a client says of a session.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BookingFeedback")]
pub struct Feedback {
    #[schemars(range(min = 1, max = 5))]
    pub rating: u8,
    pub comment: Option<String>,
    pub at: Timestamp,
}

/// Something that the client is told of a booking.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BookingNotice")]
pub struct Notice {
    pub kind: NoticeKind,
    pub channel: Channel,
    /// None: it is not sent, for `reason`.
    pub message_id: Option<MessageId>,
    pub scheduled_for: Timestamp,
    /// Its message's; `skipped` where there is none.
    pub status: NoticeStatus,
    /// Why it is not sent.
    pub reason: Option<SkipReason>,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum NoticeStatus {
    Message(MessageStatus),
    Skipped(Skipped),
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Skipped {
    Skipped,
}

impl Booking {
    #[must_use]
    pub fn of(b: &domain::Booking, messages: &HashMap<MessageId, Message>, now: Timestamp) -> Self {
        let is_sent = |kind: NoticeKind| {
            b.notices.iter().filter(|n| n.kind == kind && n.revision >= b.moved_in).any(|n| {
                n.message().and_then(|id| messages.get(&id)).is_some_and(|m| m.sent_at.is_some())
            })
        };
        Self {
            id: b.id,
            client_id: b.client,
            coach_name: b.coach_name.clone(),
            starts_at: b.starts_at,
            ends_at: b.ends_at(),
            duration_minutes: b.duration_minutes,
            location: b.location.clone(),
            status: b.status(),
            settings: b.overrides,
            reminder_sent: is_sent(NoticeKind::Reminder),
            feedback_sent: is_sent(NoticeKind::Feedback),
            client_reply: b.reply.as_ref().map(|reply| reply.answer),
            client_replied_at: b.reply.as_ref().map(|reply| reply.at),
            feedback: b.feedback.as_ref().map(|f| Feedback {
                rating: f.rating,
                comment: f.comment.clone(),
                at: f.at,
            }),
            notices: b.notices.iter().map(|n| Notice::of(n, messages, now)).collect(),
            created_by: b.created_by.clone(),
            created_at: b.created_at,
            updated_at: b.updated_at,
        }
    }
}

impl Notice {
    fn of(n: &domain::Notice, messages: &HashMap<MessageId, Message>, now: Timestamp) -> Self {
        let (message_id, status, reason) = match n.what {
            Decided::Planned(id) => {
                // One that is just being stored waits for its time.
                let status = messages.get(&id).map_or(MessageStatus::Pending, |m| m.status(now));
                (Some(id), NoticeStatus::Message(status), None)
            }
            Decided::Skipped(why) => (None, NoticeStatus::Skipped(Skipped::Skipped), Some(why)),
        };
        let (kind, channel, scheduled_for) = (n.kind, n.channel, n.at);
        Self { kind, channel, message_id, scheduled_for, status, reason }
    }
}
