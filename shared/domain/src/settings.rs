//! What an organization has set.

use serde::{Deserialize, Serialize};

use crate::booking::BookingSettings;
use crate::integration::Money;
use crate::quiet::QuietHours;
use crate::{Country, Purpose};

/// Most characters of the texts that are sent by themselves.
pub const LONGEST_TEXT: usize = 480;
/// Most entries of `notify`.
pub const MOST_NOTIFIED: usize = 10;

/// Who answers the words STOP, START and HELP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeywordAnswers {
    /// Carillon, with `help_text` and `stop_text`.
    #[default]
    Carillon,
    /// The provider does it by itself; nothing of ours is sent. The words count
    /// all the same.
    Provider,
}

/// Something that members should know of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// An account is set up wrongly, empty or down.
    Integration,
    /// Messages are held of which nobody knows whether they were sent.
    Unknown,
    /// Something was given up.
    DeadLetter,
    /// A spend limit is used up to 80 or 100 %.
    Spend,
    /// Nothing of a campaign waits any more.
    CampaignFinished,
}

impl Trouble {
    pub const ALL: [Self; 5] =
        [Self::Integration, Self::Unknown, Self::DeadLetter, Self::Spend, Self::CampaignFinished];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Integration => "integration",
            Self::Unknown => "unknown",
            Self::DeadLetter => "dead_letter",
            Self::Spend => "spend",
            Self::CampaignFinished => "campaign_finished",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.as_str() == text)
    }

    /// As the subject of a mail.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Integration => "an account needs attention",
            Self::Unknown => "messages are held",
            Self::DeadLetter => "something was given up",
            Self::Spend => "a spend limit",
            Self::CampaignFinished => "a campaign is finished",
        }
    }
}

/// How somebody is told of trouble.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Notify {
    /// By a message of this organization, to a number in E.164.
    Sms { to: String, about: Vec<Trouble> },
    /// By mail, where the installation sends any.
    Email { to: String, about: Vec<Trouble> },
    /// By a POST to an address on the internet.
    Webhook { url: String, about: Vec<Trouble> },
}

impl Notify {
    #[must_use]
    pub fn about(&self) -> &[Trouble] {
        match self {
            Self::Sms { about, .. } | Self::Email { about, .. } | Self::Webhook { about, .. } => {
                about
            }
        }
    }
}

/// Numbers are people's, and an address may carry a secret.
impl std::fmt::Debug for Notify {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sms { about, .. } => write!(f, "Sms({about:?})"),
            Self::Email { about, .. } => write!(f, "Email({about:?})"),
            Self::Webhook { about, .. } => write!(f, "Webhook({about:?})"),
        }
    }
}

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
    pub booking: BookingSettings,
    /// Where people rate a session; without it a page of ours.
    pub feedback_url: Option<String>,
    /// Answers HELP; without it a text that names the organization and STOP.
    pub help_text: Option<String>,
    /// Confirms STOP, once; without it nothing is said.
    pub stop_text: Option<String>,
    /// Added to the first message that an address gets.
    pub first_message_text: Option<String>,
    pub keyword_answers: KeywordAnswers,
    /// Who is told of trouble.
    pub notify: Vec<Notify>,
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
            booking: BookingSettings::default(),
            feedback_url: None,
            help_text: None,
            stop_text: None,
            first_message_text: None,
            keyword_answers: KeywordAnswers::Carillon,
            notify: Vec::new(),
        }
    }
}
