//! What the organization has set, with quiet hours drawn on a clock.

use askama::Template;
use axum::http::Method;
use axum::response::{IntoResponse as _, Redirect, Response};
use carillon_domain::Country;
use carillon_domain::integration::Money;
use carillon_domain::settings::{Settings, UnknownPolicy};
use serde_json::{Map, Value, json};

use crate::api::{Problem, Tagged};
use crate::chart::{self, Svg};
use crate::desk::Desk;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::sent::{Errors, Sent};

const FIELDS: [&str; 14] = [
    "time_zone",
    "default_country",
    "quiet_hours",
    "max_per_contact_per_day",
    "max_per_hour",
    "max_per_day",
    "spend_limit_per_day",
    "spend_limit_per_month",
    "max_attempts",
    "max_segments",
    "retention.message_days",
    "retention.file_days",
    "retention.audit_days",
    "unknown_policy",
];
const NUMBERS: [&str; 3] = ["max_per_contact_per_day", "max_per_hour", "max_per_day"];
const FILLED_NUMBERS: [&str; 2] = ["max_attempts", "max_segments"];
const SPEND: [&str; 2] = ["spend_limit_per_day", "spend_limit_per_month"];
const DAYS: [&str; 3] = ["message_days", "file_days", "audit_days"];

#[derive(Template)]
#[template(path = "settings.html")]
pub struct SettingsPage {
    pub frame: Frame,
    pub settings: Settings,
    pub clock: Svg,
    /// The form, as it was stored or as it was sent.
    pub form: Form,
    pub errors: Errors,
}

/// Texts by field.
#[derive(Debug, Clone, Default)]
pub struct Form {
    pub tag: String,
    pub sending: bool,
    pub quiet: bool,
    pub resend: bool,
    fields: Vec<(String, String)>,
}

impl Form {
    pub fn at(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    fn stored(tag: String, s: &Settings) -> Self {
        let number = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
        let money = |m: &Option<Money>| m.as_ref().map(|m| m.amount.clone()).unwrap_or_default();
        let currency = [&s.spend_limit_per_day, &s.spend_limit_per_month];
        let currency = currency.into_iter().flatten().next().map_or("USD", |m| m.currency.as_str());
        let quiet = s.quiet_hours.clone().unwrap_or_default();
        let fields = [
            ("time_zone", s.time_zone.clone()),
            (
                "default_country",
                s.default_country.map(|c: Country| c.as_str().to_owned()).unwrap_or_default(),
            ),
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
            ("message_days", number(s.retention.message_days)),
            ("file_days", s.retention.file_days.to_string()),
            ("audit_days", number(s.retention.audit_days)),
        ];
        Self {
            tag,
            sending: s.sending_enabled,
            quiet: s.quiet_hours.is_some(),
            resend: s.unknown_policy == UnknownPolicy::Resend,
            fields: fields.map(|(name, value)| (name.to_owned(), value)).into(),
        }
    }

    fn sent(sent: &Sent) -> Self {
        let names = ["time_zone", "default_country", "start", "end", "currency"];
        let names = names.into_iter().chain(NUMBERS).chain(FILLED_NUMBERS).chain(SPEND).chain(DAYS);
        Self {
            tag: sent.text("tag").to_owned(),
            sending: sent.has("sending"),
            quiet: sent.has("quiet"),
            resend: sent.text("unknown_policy") == "resend",
            fields: names.map(|name| (name.to_owned(), sent.text(name).to_owned())).collect(),
        }
    }

    /// The change that the form asks for; `before` is kept where it has no field.
    fn patch(&self, before: &Settings) -> Value {
        let mut patch = json!({
            "time_zone": self.at("time_zone"),
            "default_country": self.filled("default_country"),
            "sending_enabled": self.sending,
            "unknown_policy": if self.resend { "resend" } else { "hold" },
        });
        for name in NUMBERS {
            patch[name] = self.number(name);
        }
        for name in FILLED_NUMBERS {
            patch[name] = self.number(name);
        }
        for name in SPEND {
            let amount = self.filled(name);
            patch[name] = json!(
                amount.map(|amount| json!({"amount": amount, "currency": self.at("currency")}))
            );
        }
        let days: Map<String, Value> =
            DAYS.iter().map(|name| ((*name).to_owned(), self.number(name))).collect();
        patch["retention"] = Value::Object(days);
        patch["quiet_hours"] = Value::Null;
        if self.quiet {
            // Channels with hours of their own keep them.
            let kept = before.quiet_hours.clone().unwrap_or_default();
            let mut quiet = json!(kept);
            quiet["start"] = json!(self.at("start"));
            quiet["end"] = json!(self.at("end"));
            patch["quiet_hours"] = quiet;
        }
        patch
    }

    fn filled(&self, name: &str) -> Option<&str> {
        Some(self.at(name)).filter(|text| !text.is_empty())
    }

    /// What is no number is sent as it is, for the API to say so.
    fn number(&self, name: &str) -> Value {
        match self.filled(name) {
            None => Value::Null,
            Some(text) => {
                text.replace(',', "").parse::<u32>().map_or_else(|_| json!(text), |n| json!(n))
            }
        }
    }
}

/// `GET /console/settings`
pub async fn page(desk: Desk) -> Result<Response, Refusal> {
    let Tagged { tag, value } = desk.api.tagged::<Settings>("/v1/settings").await?;
    let form = Form::stored(tag, &value);
    Ok(page::ok(&SettingsPage::of(&desk, value, form, Errors::default())))
}

/// `POST /console/settings`
pub async fn update(desk: Desk, sent: Sent) -> Result<Response, Refusal> {
    let form = Form::sent(&sent);
    let before: Settings = desk.api.get("/v1/settings").await?;
    let patch = form.patch(&before);
    match desk.api.change::<Value>(Method::PATCH, "/v1/settings", &patch, &form.tag).await {
        Ok(_) => Ok(Redirect::to("/console/settings?done=saved").into_response()),
        Err(problem) => again(&desk, before, form, &problem),
    }
}

fn again(
    desk: &Desk,
    before: Settings,
    form: Form,
    problem: &Problem,
) -> Result<Response, Refusal> {
    if !matches!(problem.status, 400 | 409 | 412 | 422) {
        return Err(problem.clone().into());
    }
    let errors = match problem.status {
        412 => Errors::whole(
            "Somebody else has changed the settings meanwhile. Load the page again to see theirs; what you typed is still here.",
        ),
        _ => Errors::of(problem, &FIELDS),
    };
    Ok(page::again(problem, &SettingsPage::of(desk, before, form, errors)))
}

impl SettingsPage {
    fn of(desk: &Desk, settings: Settings, form: Form, errors: Errors) -> Self {
        let frame = desk.frame_of("Settings", &settings);
        let clock = chart::clock(settings.quiet_hours.as_ref());
        Self { frame, clock, settings, form, errors }
    }

    pub fn quiet_words(&self) -> String {
        match &self.settings.quiet_hours {
            None => "People are written to at any hour.".to_owned(),
            Some(quiet) => format!(
                "Nobody is written to from {} to {}, in their own time.",
                quiet.start.strftime("%H:%M"),
                quiet.end.strftime("%H:%M")
            ),
        }
    }
}

#[cfg(test)]
impl SettingsPage {
    pub fn sample() -> Self {
        let text = crate::page::tests::HOSTILE;
        let mut errors = Errors::whole(text);
        FIELDS.iter().for_each(|field| errors.add(field, text));
        let settings = Settings { time_zone: text.to_owned(), ..Settings::default() };
        Self {
            frame: Frame::sample(),
            clock: chart::clock(settings.quiet_hours.as_ref()),
            form: Form::stored(text.to_owned(), &settings),
            settings,
            errors,
        }
    }
}
