//! What an organization has set.

use serde::{Deserialize, Serialize};

use crate::Country;

/// What to do with a message when nobody can tell whether it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum UnknownPolicy {
    /// Leave it, visibly.
    #[default]
    Hold,
    /// Rather twice than never.
    Resend,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// IANA name.
    pub time_zone: String,
    /// Reads numbers written without a country code; without it they are refused.
    pub default_country: Option<Country>,
    /// In all: the first attempt and the retries.
    pub max_attempts: u16,
    pub max_segments: u16,
    pub unknown_policy: UnknownPolicy,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            time_zone: "UTC".to_owned(),
            default_country: None,
            max_attempts: 4,
            max_segments: 10,
            unknown_policy: UnknownPolicy::Hold,
        }
    }
}
