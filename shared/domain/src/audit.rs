//! Who did what to what, when and from where: one entry of the audit log.
//!
//! What was there before and after is masked and cut here ([`Kept`]): no secret,
//! no body of a message, no whole number gets in.

mod kept;

use crate::{AuditId, OrgId, Role};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use kept::{Side, changes, kept};

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Noted before it was done, and no end is recorded: it may have taken
    /// effect, in whole or by half.
    Begun,
    Done,
    /// Not his to do, or not his to see: the role, or no such thing in his
    /// organization.
    Denied,
    /// The request was wrong, or came too late; nothing was changed.
    Rejected,
    /// Something of ours did not answer; it may have taken effect by half.
    Failed,
}

impl Outcome {
    pub const ALL: [Self; 5] =
        [Self::Begun, Self::Done, Self::Denied, Self::Rejected, Self::Failed];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Done => "done",
            Self::Denied => "denied",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.as_str() == text)
    }

    /// By the status of the answer.
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        match status {
            200..=399 => Self::Done,
            403 | 404 => Self::Denied,
            400..=499 => Self::Rejected,
            _ => Self::Failed,
        }
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub id: AuditId,
    /// Where it was done, which is whose log it stands in.
    pub org: OrgId,
    pub at: Timestamp,
    /// `key_…` or `mem_…`.
    pub actor: String,
    pub role: Role,
    /// `template.update`: stable.
    pub action: String,
    pub resource_type: String,
    pub resource_id: Option<String>,
    pub outcome: Outcome,
    /// Of the answer; none where there was no request, and in [`Outcome::Begun`].
    pub status: Option<u16>,
    /// Of the problem document.
    pub code: Option<String>,
    /// The client's address, as whoever stands before us gives it.
    pub client: Option<String>,
    pub request_id: String,
    /// Fields that changed, or for something new all that are kept.
    pub before: Side,
    pub after: Side,
}

impl Entry {
    /// About the actor himself, such as a sign-in: he is the resource. `action`
    /// begins with what he is.
    #[must_use]
    pub fn of_actor(
        org: OrgId,
        actor: &str,
        role: Role,
        action: &str,
        at: Timestamp,
        random: [u8; 10],
    ) -> Self {
        let at_ms = u64::try_from(at.as_millisecond()).unwrap_or(0);
        Self {
            id: AuditId::new(at_ms, random),
            org,
            at,
            actor: actor.to_owned(),
            role,
            action: action.to_owned(),
            resource_type: action.split('.').next().unwrap_or_default().to_owned(),
            resource_id: Some(actor.to_owned()),
            outcome: Outcome::Done,
            status: None,
            code: None,
            client: None,
            request_id: String::new(),
            before: None,
            after: None,
        }
    }
}
