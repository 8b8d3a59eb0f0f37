//! What a `PATCH` may say, field by field.

use carillon_domain::integration::Money;
use carillon_domain::quiet::zones;
use carillon_domain::settings::{KeywordAnswers, LONGEST_TEXT, Notify, Settings, UnknownPolicy};
use carillon_domain::{Country, Purpose};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{booking, notify, quiet_hours, texts};
use crate::extract::present;
use crate::problem::FieldError;

const MOST_MESSAGES: u32 = 10_000_000;
const MOST_REQUESTS: u32 = 1_000;
const MOST_ATTEMPTS: u16 = 10;
const MOST_SEGMENTS: u16 = 10;
/// Not so few that a question about yesterday cannot be answered.
const LEAST_DAYS: u32 = 7;
const LEAST_AUDIT_DAYS: u32 = 30;
/// A hundred years.
const MOST_DAYS: u32 = 36_500;

/// Absent leaves a field; `null` clears one that may be empty, and is refused
/// for one that may not.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "SettingsPatch", example = example(), example = clearing_example())]
pub struct Patch {
    /// An IANA name, such as `Australia/Sydney`.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "String")]
    time_zone: Option<String>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<Country>")]
    default_country: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<quiet_hours::Draft>")]
    quiet_hours: Option<Option<quiet_hours::Draft>>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "bool")]
    sending_enabled: Option<bool>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<u32>", range(min = 1, max = MOST_MESSAGES))]
    max_per_contact_per_day: Option<Option<u32>>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<u32>", range(min = 1, max = MOST_MESSAGES))]
    max_per_hour: Option<Option<u32>>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<u32>", range(min = 1, max = MOST_MESSAGES))]
    max_per_day: Option<Option<u32>>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<Money>")]
    spend_limit_per_day: Option<Option<Money>>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<Money>")]
    spend_limit_per_month: Option<Option<Money>>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Vec<Purpose>")]
    consent_required: Option<Vec<String>>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "u16", range(min = 1, max = MOST_ATTEMPTS))]
    max_attempts: Option<u16>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "u16", range(min = 1, max = MOST_SEGMENTS))]
    max_segments: Option<u16>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "UnknownPolicy")]
    unknown_policy: Option<UnknownPolicy>,
    #[serde(deserialize_with = "present")]
    api_requests_per_second: Option<Option<u32>>,
    #[schemars(with = "RetentionPatch")]
    retention: Option<RetentionPatch>,
    #[schemars(with = "booking::Draft")]
    booking: Option<booking::Draft>,
    /// An address (`https://…`) on the internet; the token of the session is
    /// added to it.
    #[serde(deserialize_with = "present")]
    feedback_url: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST_TEXT))]
    help_text: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST_TEXT))]
    stop_text: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = LONGEST_TEXT))]
    first_message_text: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    #[schemars(with = "KeywordAnswers")]
    keyword_answers: Option<KeywordAnswers>,
    /// Replaces the whole.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Vec<Notify>")]
    notify: Option<Vec<notify::Draft>>,
}

/// Days; what it does not name stays.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionPatch {
    /// Messages, after their last change; `null` is for ever.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<u32>", range(min = LEAST_DAYS, max = MOST_DAYS))]
    message_days: Option<Option<u32>>,
    /// The lines of uploaded files.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "u32", range(min = LEAST_DAYS, max = MOST_DAYS))]
    file_days: Option<u32>,
    /// The audit log; `null` is for ever.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Option<u32>", range(min = LEAST_AUDIT_DAYS, max = MOST_DAYS))]
    audit_days: Option<Option<u32>>,
}

fn example() -> Value {
    json!({
        "time_zone": "Australia/Sydney", "default_country": "AU", "max_per_hour": 2000,
        "quiet_hours": {"start": "21:00", "end": "08:00", "channels": ["sms"]},
        "spend_limit_per_day": {"amount": "25.00", "currency": "USD"},
    })
}

fn clearing_example() -> Value {
    json!({"quiet_hours": null, "spend_limit_per_day": null})
}

impl Patch {
    /// Sets what is right; settings are of use only when nothing was wrong.
    pub(super) fn apply(self, settings: &mut Settings, has_mail: bool) -> Vec<FieldError> {
        let mut wrong = Vec::new();
        let mut set = Setter { wrong: &mut wrong };
        set.value(&mut settings.time_zone, self.time_zone, time_zone);
        set.clearable(&mut settings.default_country, self.default_country, country);
        if let Some(draft) = self.quiet_hours {
            match draft.map(quiet_hours::Draft::check).transpose() {
                Ok(quiet) => settings.quiet_hours = quiet,
                Err(errors) => set.wrong.extend(errors),
            }
        }
        for (field, value, target) in [
            (
                "max_per_contact_per_day",
                self.max_per_contact_per_day,
                &mut settings.max_per_contact_per_day,
            ),
            ("max_per_hour", self.max_per_hour, &mut settings.max_per_hour),
            ("max_per_day", self.max_per_day, &mut settings.max_per_day),
        ] {
            set.clearable(target, value, |n| within(field, n, MOST_MESSAGES));
        }
        for (field, value, target) in [
            ("spend_limit_per_day", self.spend_limit_per_day, &mut settings.spend_limit_per_day),
            (
                "spend_limit_per_month",
                self.spend_limit_per_month,
                &mut settings.spend_limit_per_month,
            ),
        ] {
            set.clearable(target, value, |money| limit(field, money));
        }
        set.value(&mut settings.consent_required, self.consent_required, purposes);
        set.value(&mut settings.max_attempts, self.max_attempts, |n| {
            within("max_attempts", n, MOST_ATTEMPTS)
        });
        set.value(&mut settings.max_segments, self.max_segments, |n| {
            within("max_segments", n, MOST_SEGMENTS)
        });
        set.clearable(&mut settings.api_requests_per_second, self.api_requests_per_second, |n| {
            within("api_requests_per_second", n, MOST_REQUESTS)
        });
        if let Some(given) = self.retention {
            let kept = &mut settings.retention;
            set.clearable(&mut kept.message_days, given.message_days, |n| {
                days("retention.message_days", n, LEAST_DAYS)
            });
            set.value(&mut kept.file_days, given.file_days, |n| {
                days("retention.file_days", n, LEAST_DAYS)
            });
            set.clearable(&mut kept.audit_days, given.audit_days, |n| {
                days("retention.audit_days", n, LEAST_AUDIT_DAYS)
            });
        }
        for (field, value, target) in [
            ("help_text", self.help_text, &mut settings.help_text),
            ("stop_text", self.stop_text, &mut settings.stop_text),
            ("first_message_text", self.first_message_text, &mut settings.first_message_text),
        ] {
            set.clearable(target, value, |text| texts::check(field, &text));
        }
        set.clearable(&mut settings.feedback_url, self.feedback_url, texts::feedback_url);
        if let Some(draft) = self.booking {
            draft.apply(&mut settings.booking, set.wrong);
        }
        if let Some(drafts) = self.notify {
            let country = settings.default_country;
            match notify::check(drafts, (country, has_mail)) {
                Ok(notify) => settings.notify = notify,
                Err(errors) => set.wrong.extend(errors),
            }
        }
        settings.keyword_answers = self.keyword_answers.unwrap_or(settings.keyword_answers);
        settings.sending_enabled = self.sending_enabled.unwrap_or(settings.sending_enabled);
        settings.unknown_policy = self.unknown_policy.unwrap_or(settings.unknown_policy);
        wrong
    }
}

struct Setter<'a> {
    wrong: &'a mut Vec<FieldError>,
}

impl Setter<'_> {
    fn value<I, T>(
        &mut self,
        target: &mut T,
        given: Option<I>,
        check: impl FnOnce(I) -> Result<T, FieldError>,
    ) {
        match given.map(check) {
            Some(Ok(value)) => *target = value,
            Some(Err(error)) => self.wrong.push(error),
            None => {}
        }
    }

    fn clearable<I, T>(
        &mut self,
        target: &mut Option<T>,
        given: Option<Option<I>>,
        check: impl FnOnce(I) -> Result<T, FieldError>,
    ) {
        self.value(target, given, |value| value.map(check).transpose());
    }
}

fn days(field: &str, n: u32, least: u32) -> Result<u32, FieldError> {
    if (least..=MOST_DAYS).contains(&n) {
        return Ok(n);
    }
    let detail = format!("A number of days from {least} to {MOST_DAYS}.");
    Err(FieldError::new(field, "out_of_range", detail))
}

/// The name as the database writes it.
pub fn time_zone(name: String) -> Result<String, FieldError> {
    zones::named(&name).as_ref().and_then(TimeZone::iana_name).map(str::to_owned).ok_or_else(|| {
        let detail = "Name an IANA time zone, such as Australia/Sydney.";
        FieldError::new("time_zone", "unknown_time_zone", detail)
    })
}

fn country(code: String) -> Result<Country, FieldError> {
    Country::parse(&code)
        .map_err(|error| FieldError::new("default_country", "unknown_country", error.to_string()))
}

fn within<N: PartialOrd + From<u8> + std::fmt::Display>(
    field: &str,
    value: N,
    most: N,
) -> Result<N, FieldError> {
    let detail = format!("A number from 1 to {most}.");
    if (N::from(1)..=most).contains(&value) {
        return Ok(value);
    }
    Err(FieldError::new(field, "out_of_range", detail))
}

/// More than nothing: to stop sending there is a switch.
fn limit(field: &str, money: Money) -> Result<Money, FieldError> {
    let is_currency =
        money.currency.len() == 3 && money.currency.bytes().all(|b| b.is_ascii_uppercase());
    if !is_currency {
        let detail = "Write the currency as three capital letters, such as USD.";
        return Err(FieldError::new(format!("{field}.currency"), "invalid_currency", detail));
    }
    if money.micros().is_none_or(|micros| micros == 0) {
        let detail = "Write the amount as a decimal in quotes, such as \"25.00\": more than 0, less \
                      than 1,000,000, at most six decimals. To stop sending, set \
                      “sending_enabled” to false.";
        return Err(FieldError::new(format!("{field}.amount"), "invalid_amount", detail));
    }
    Ok(money)
}

fn purposes(names: Vec<String>) -> Result<Vec<Purpose>, FieldError> {
    let mut purposes = Vec::new();
    for name in names {
        let Some(purpose) = Purpose::parse(&name) else {
            let detail = format!("There is no purpose “{name}”; use transactional, promotional.");
            return Err(FieldError::new("consent_required", "unknown_purpose", detail));
        };
        if !purposes.contains(&purpose) {
            purposes.push(purpose);
        }
    }
    Ok(purposes)
}
