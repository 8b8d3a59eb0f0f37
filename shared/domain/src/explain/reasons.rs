//! Reasons of decisions and failures, in sentences.

use jiff::Timestamp;

use super::Around;
use crate::FailureReason;
pub use crate::transition::{FAIL_OVER, RESTORED};

/// Why it waits; goes on after "because".
pub fn of_deferral(reason: &str, detail: &str) -> String {
    let why = match reason {
        "quiet_hours" => "these are quiet hours for the person",
        "promotional_hours" => "promotional messages may go to this person at other hours only",
        "unknown_time_zone" => "nobody knows what time it is for the person",
        "never_open" => "there is no hour at which it may go",
        "contact_cap" => "the person has had as many messages as one may have in a day",
        "max_per_hour" => "the organization has sent as many messages as it may in an hour",
        "max_per_day" => "the organization has sent as many messages as it may in a day",
        "spend_limit_per_day" => "the organization has spent what it may in a day",
        "spend_limit_per_month" => "the organization has spent what it may in a month",
        "sending_disabled" => "sending is switched off in the organization's settings",
        "organization_suspended" => {
            "the organization is suspended by whoever runs the installation"
        }
        "integration_disabled" => "the account that would send it is switched off",
        "campaign_paused" => "its campaign is paused",
        "provider_down" => "calls to the provider fail at this time",
        "rate" => "the account sends no faster",
        other => other,
    };
    if detail.is_empty() { why.to_owned() } else { format!("{why} ({detail})") }
}

/// What a failure means.
pub const fn of_failure(reason: FailureReason) -> &'static str {
    match reason {
        FailureReason::InvalidAddress => "the number cannot be written to",
        FailureReason::OptedOut => "the person does not want messages from this sender",
        FailureReason::Unreachable => "the handset could not be reached",
        FailureReason::ContentRejected => "the text was rejected",
        FailureReason::TemplateMismatch => "the text does not fit its registered template",
        FailureReason::RateLimited => "the account was sending too fast",
        FailureReason::ProviderDown => "the provider could not take it",
        FailureReason::Misconfigured => "the account is not set up for this",
        FailureReason::InsufficientBalance => "the account's balance is used up",
        FailureReason::Expired => "its time had passed before it could go",
        FailureReason::Other => "it could not be sent",
    }
}

/// What to do about it, as a sentence.
pub const fn of_remedy(reason: FailureReason) -> &'static str {
    match reason {
        FailureReason::InvalidAddress => "Check the number; sending again will not help.",
        FailureReason::OptedOut => "Only the person can change that, by writing START.",
        FailureReason::Unreachable => "Try again later, or reach the person in another way.",
        FailureReason::ContentRejected => "Change the text; links and certain words are filtered.",
        FailureReason::TemplateMismatch => "Compare text and variables with the template.",
        FailureReason::RateLimited => "Lower the account's rate_per_second, then retry it.",
        FailureReason::ProviderDown => "Retry it when the provider is well again.",
        FailureReason::Misconfigured => {
            "Test the integration under /v1/integrations, repair it, then retry."
        }
        FailureReason::InsufficientBalance => "Top up the account, then retry it.",
        FailureReason::Expired => "Retry it if it is still of use.",
        FailureReason::Other => "See its attempts; retry it once the cause is gone.",
    }
}

pub fn restored(at: Timestamp, around: &Around<'_>) -> String {
    format!(
        "On {} the database was restored from a backup; the message may have been sent after the \
         backup, so it counted as sent until that was looked up.",
        around.time(at)
    )
}
