//! What an organization has set.

use serde::{Deserialize, Serialize};

use crate::integration::Money;
use crate::quiet::QuietHours;
use crate::{Country, Purpose};

/// What to do with a message when nobody can tell whether it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum UnknownPolicy {
    /// Leave it, visibly.
    #[default]
    Hold,
    /// Rather twice than never.
    Resend,
}

/// How long things are kept once nothing waits for them any more. What is counted
/// stays counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Retention {
    /// Days after its last change that a message is kept; `null` is for ever.
    pub message_days: Option<u32>,
    /// Days that the lines of an uploaded file are kept.
    pub file_days: u32,
    /// Days that the audit log is kept; `null` is for ever.
    pub audit_days: Option<u32>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { message_days: Some(730), file_days: 30, audit_days: Some(730) }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Settings {
    /// IANA name.
    pub time_zone: String,
    /// Reads numbers written without a country code; without it they are refused.
    pub default_country: Option<Country>,
    /// When people are left alone, in their own time; `None` switches it off.
    pub quiet_hours: Option<QuietHours>,
    /// False: nothing is sent, everything waits.
    pub sending_enabled: bool,
    /// Messages to one person on one of their days.
    pub max_per_contact_per_day: Option<u32>,
    /// Messages of the organization in a clock hour (UTC).
    pub max_per_hour: Option<u32>,
    /// Messages of the organization on a day of its time zone.
    pub max_per_day: Option<u32>,
    /// By the integrations' price tables; a message without a price there
    /// counts nothing.
    pub spend_limit_per_day: Option<Money>,
    pub spend_limit_per_month: Option<Money>,
    /// Purposes that need a recorded consent; a revoked one counts for any.
    pub consent_required: Vec<Purpose>,
    /// In all: the first attempt and the retries.
    pub max_attempts: u16,
    pub max_segments: u16,
    pub unknown_policy: UnknownPolicy,
    /// Requests a second that each key may make; `None`: the installation's.
    pub api_requests_per_second: Option<u32>,
    pub retention: Retention,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            time_zone: "UTC".to_owned(),
            default_country: None,
            quiet_hours: Some(QuietHours::default()),
            sending_enabled: true,
            max_per_contact_per_day: Some(5),
            max_per_hour: Some(500),
            max_per_day: None,
            spend_limit_per_day: None,
            spend_limit_per_month: None,
            consent_required: Vec::new(),
            max_attempts: 4,
            max_segments: 10,
            unknown_policy: UnknownPolicy::Hold,
            api_requests_per_second: None,
            retention: Retention::default(),
        }
    }
}
