//! What is told of a session, and when; each part by itself.

use carillon_domain::booking::{BookingSettings, MOST_HOURS};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::extract::present;
use crate::problem::FieldError;

/// What it does not name stays.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "BookingSettingsPatch")]
pub(super) struct Draft {
    #[serde(deserialize_with = "present")]
    #[schemars(with = "bool")]
    confirmations: Option<bool>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "bool")]
    reminders: Option<bool>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "bool")]
    feedback: Option<bool>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "u16", range(min = 1, max = MOST_HOURS))]
    reminder_hours_before: Option<u16>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "u16", range(min = 0, max = MOST_HOURS))]
    feedback_hours_after: Option<u16>,
}

impl Draft {
    pub(super) fn apply(self, settings: &mut BookingSettings, wrong: &mut Vec<FieldError>) {
        settings.confirmations = self.confirmations.unwrap_or(settings.confirmations);
        settings.reminders = self.reminders.unwrap_or(settings.reminders);
        settings.feedback = self.feedback.unwrap_or(settings.feedback);
        for (field, least, given, target) in [
            (
                "booking.reminder_hours_before",
                1,
                self.reminder_hours_before,
                &mut settings.reminder_hours_before,
            ),
            (
                "booking.feedback_hours_after",
                0,
                self.feedback_hours_after,
                &mut settings.feedback_hours_after,
            ),
        ] {
            let Some(hours) = given else { continue };
            match hours_within(field, hours, least) {
                Ok(hours) => *target = hours,
                Err(error) => wrong.push(error),
            }
        }
    }
}

fn hours_within(field: &str, hours: u16, least: u16) -> Result<u16, FieldError> {
    if (least..=MOST_HOURS).contains(&hours) {
        return Ok(hours);
    }
    let detail = format!("A number of hours from {least} to {MOST_HOURS}.");
    Err(FieldError::new(field, "out_of_range", detail))
}
