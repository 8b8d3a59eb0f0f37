//! What a person agreed to, or took back.

use carillon_domain::consent::{self as domain, ConsentStatus};
use carillon_domain::{Channel, Purpose};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// What counts for one number, channel and purpose.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Consent {
    pub to: String,
    pub channel: Channel,
    pub purpose: Purpose,
    pub status: ConsentStatus,
    /// When it was said.
    pub at: Timestamp,
    /// Where it was said: a form, a till, a message.
    pub source: String,
    /// What was said: the form's words or the person's.
    pub text: String,
}

impl Consent {
    #[must_use]
    pub fn of(to: &str, c: &domain::Consent) -> Self {
        Self {
            to: to.to_owned(),
            channel: c.channel,
            purpose: c.purpose,
            status: c.status,
            at: c.at,
            source: c.source.clone(),
            text: c.text.clone(),
        }
    }
}
