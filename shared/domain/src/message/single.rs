//! A message that waits by itself, as it is planned.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Content, Direction, Message, Related, Source, State, TemplateRef};
use crate::{Channel, ContactId, Lane, MessageId, OrgId, ProviderName, Purpose, expiry, segments};

/// What is to be said, to whom and when.
#[derive(Clone)]
pub struct Single {
    pub id: MessageId,
    pub org: OrgId,
    pub channel: Channel,
    pub address: String,
    pub content: Content,
    pub source: Source,
    pub related: Option<Related>,
    pub contact: Option<ContactId>,
    /// The contact's own time zone, if it is known.
    pub zone: Option<String>,
    pub integration: Option<ProviderName>,
    pub scheduled_for: Timestamp,
    /// By default, when it is of no use any more.
    pub expires_at: Option<Timestamp>,
    pub override_quiet_hours: bool,
    pub created_by: String,
}

impl Single {
    /// Planned at `now`. `lease` is when it is due again, should the queue lose
    /// it that it goes to at once; `token` is of this write alone.
    #[must_use]
    pub fn planned(self, now: Timestamp, lease: Timestamp, token: String) -> Message {
        let ends = expiry::default(self.scheduled_for, now, self.related.is_some());
        Message {
            id: self.id,
            org: self.org,
            direction: Direction::Outbound,
            channel: self.channel,
            address: self.address,
            our_address: None,
            state: State::Scheduled,
            content: self.content,
            purpose: Purpose::Transactional,
            lane: Lane::Transactional,
            source: self.source,
            related: self.related,
            contact: self.contact,
            zone: self.zone,
            campaign: None,
            integration: self.integration,
            provider: None,
            provider_message_id: None,
            price: None,
            scheduled_for: self.scheduled_for,
            expires_at: Some(self.expires_at.unwrap_or(ends)),
            override_quiet_hours: self.override_quiet_hours,
            created_by: self.created_by,
            created_at: now,
            updated_at: now,
            sent_at: None,
            erased_at: None,
            attempts: Vec::new(),
            events: Vec::new(),
            decisions: Vec::new(),
            due: Some(if self.scheduled_for <= now { lease } else { self.scheduled_for }),
            generation: 0,
            version: 1,
            token,
            idle: 0,
        }
    }
}

impl Content {
    /// A text, counted.
    #[must_use]
    pub fn text(
        body: String,
        template: Option<TemplateRef>,
        variables: Map<String, Value>,
    ) -> Self {
        let counted = segments::count(&body);
        let (encoding, segments) = (Some(counted.encoding), counted.segments);
        Self { body, encoding, segments, template, variables, ..Self::default() }
    }
}

impl Content {
    /// The text as it is sent.
    #[must_use]
    pub fn sent_body(&self) -> String {
        match &self.introduction {
            Some(introduction) => format!("{}\n\n{introduction}", self.body),
            None => self.body.clone(),
        }
    }

    /// Adds, or takes away, what the first message to an address says besides;
    /// counted anew.
    pub fn introduce(&mut self, introduction: Option<String>) {
        self.introduction = introduction;
        let counted = segments::count(&self.sent_body());
        (self.encoding, self.segments) = (Some(counted.encoding), counted.segments);
    }
}
