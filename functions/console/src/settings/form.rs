//! The form of the settings: texts by field, as they are stored or as they were sent.

use carillon_domain::integration::Money;
use carillon_domain::settings::{KeywordAnswers, Settings, UnknownPolicy};
use carillon_domain::{Channel, Country, Purpose};

use super::told::Told;
use crate::sent::Sent;

/// Texts that may be empty.
pub(super) const TEXTS: [&str; 5] =
    ["default_country", "feedback_url", "help_text", "stop_text", "first_message_text"];
/// Numbers that may be empty: then there is no limit.
pub(super) const NUMBERS: [&str; 4] =
    ["max_per_contact_per_day", "max_per_hour", "max_per_day", "api_requests_per_second"];
pub(super) const FILLED_NUMBERS: [&str; 2] = ["max_attempts", "max_segments"];
pub(super) const SPEND: [&str; 2] = ["spend_limit_per_day", "spend_limit_per_month"];
/// Of `retention`.
pub(super) const DAYS: [&str; 3] = ["message_days", "file_days", "audit_days"];
/// Of `booking`.
pub(super) const HOURS: [&str; 2] = ["reminder_hours_before", "feedback_hours_after"];
pub(super) const NOTICES: [&str; 3] = ["confirmations", "reminders", "feedback"];
/// Before the name of a channel that has quiet hours, of a purpose that needs a consent.
pub(super) const QUIET: &str = "quiet";
pub(super) const CONSENT: &str = "consent";

#[derive(Debug, Clone, Default)]
pub struct Form {
    pub tag: String,
    /// What has a cross.
    on: Vec<String>,
    fields: Vec<(String, String)>,
    pub told: Vec<Told>,
    /// It has every field that this release knows; a page of the one before it has fewer, and takes nothing away.
    pub(super) is_whole: bool,
}

impl Form {
    pub fn at(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    pub fn has(&self, name: &str) -> bool {
        self.on.iter().any(|on| on == name)
    }

    pub fn is(&self, name: &str, value: &str) -> bool {
        self.at(name) == value
    }

    pub(super) fn was_sent(&self, name: &str) -> bool {
        self.fields.iter().any(|(known, _)| known == name)
    }

    pub(super) fn stored(tag: String, s: &Settings) -> Self {
        let number = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
        let money = |m: &Option<Money>| m.as_ref().map(|m| m.amount.clone()).unwrap_or_default();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let currency = [&s.spend_limit_per_day, &s.spend_limit_per_month];
        let currency = currency.into_iter().flatten().next().map_or("USD", |m| m.currency.as_str());
        let quiet = s.quiet_hours.clone().unwrap_or_default();
        let country = s.default_country.map(|c: Country| c.as_str().to_owned());
        let policy = match s.unknown_policy {
            UnknownPolicy::Hold => "hold",
            UnknownPolicy::Resend => "resend",
        };
        let answers = match s.keyword_answers {
            KeywordAnswers::Carillon => "carillon",
            KeywordAnswers::Provider => "provider",
        };
        let fields = [
            ("time_zone", s.time_zone.clone()),
            ("default_country", country.unwrap_or_default()),
            ("start", quiet.start.strftime("%H:%M").to_string()),
            ("end", quiet.end.strftime("%H:%M").to_string()),
            ("max_per_contact_per_day", number(s.max_per_contact_per_day)),
            ("max_per_hour", number(s.max_per_hour)),
            ("max_per_day", number(s.max_per_day)),
            ("spend_limit_per_day", money(&s.spend_limit_per_day)),
            ("spend_limit_per_month", money(&s.spend_limit_per_month)),
            ("currency", currency.to_owned()),
            ("max_attempts", s.max_attempts.to_string()),
            ("max_segments", s.max_segments.to_string()),
            ("unknown_policy", policy.to_owned()),
            ("keyword_answers", answers.to_owned()),
            ("api_requests_per_second", number(s.api_requests_per_second)),
            ("message_days", number(s.retention.message_days)),
            ("file_days", s.retention.file_days.to_string()),
            ("audit_days", number(s.retention.audit_days)),
            ("reminder_hours_before", s.booking.reminder_hours_before.to_string()),
            ("feedback_hours_after", s.booking.feedback_hours_after.to_string()),
            ("feedback_url", text(&s.feedback_url)),
            ("help_text", text(&s.help_text)),
            ("stop_text", text(&s.stop_text)),
            ("first_message_text", text(&s.first_message_text)),
        ];
        let switches = [
            ("sending", s.sending_enabled),
            ("quiet", s.quiet_hours.is_some()),
            ("confirmations", s.booking.confirmations),
            ("reminders", s.booking.reminders),
            ("feedback", s.booking.feedback),
        ];
        let on = switches.into_iter().filter(|(_, on)| *on).map(|(name, _)| name.to_owned());
        let channels = quiet.channels.iter().map(|c| format!("{QUIET}.{}", c.as_str()));
        let consents = s.consent_required.iter().map(|p| format!("{CONSENT}.{}", p.as_str()));
        Self {
            tag,
            on: on.chain(channels).chain(consents).collect(),
            fields: fields.map(|(name, value)| (name.to_owned(), value)).into(),
            told: Told::stored(&s.notify),
            is_whole: true,
        }
    }

    pub(super) fn sent(sent: &Sent) -> Self {
        let words = ["time_zone", "start", "end", "currency", "unknown_policy", "keyword_answers"];
        let names = words.into_iter().chain(TEXTS).chain(NUMBERS).chain(FILLED_NUMBERS);
        let names = names.chain(SPEND).chain(DAYS).chain(HOURS).filter(|name| sent.has(name));
        let switches = ["sending", "quiet"].into_iter().chain(NOTICES).map(str::to_owned);
        let channels = Channel::ALL.map(|c| format!("{QUIET}.{}", c.as_str()));
        let purposes = [Purpose::Transactional, Purpose::Promotional];
        let consents = purposes.map(|p| format!("{CONSENT}.{}", p.as_str()));
        let boxes = switches.chain(channels).chain(consents);
        Self {
            tag: sent.text("tag").to_owned(),
            on: boxes.filter(|name| sent.has(name)).collect(),
            fields: names.map(|n| (n.to_owned(), sent.text(n).replace("\r\n", "\n"))).collect(),
            told: Told::sent(sent),
            is_whole: sent.has("whole"),
        }
    }
}
