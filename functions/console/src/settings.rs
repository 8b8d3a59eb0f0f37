//! What the organization has set, with quiet hours drawn on a clock.

mod form;
mod patch;
mod told;

use askama::Template;
use axum::http::Method;
use axum::response::{IntoResponse as _, Redirect, Response};
use carillon_domain::Channel;
use carillon_domain::settings::Settings;
use serde_json::Value;

use self::form::Form;
use self::told::Told;
use crate::api::{Problem, Tagged};
use crate::chart::{self, Svg};
use crate::desk::Desk;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::sent::{Errors, Sent};

const FIELDS: [&str; 23] = [
    "time_zone",
    "default_country",
    "quiet_hours",
    "max_per_contact_per_day",
    "max_per_hour",
    "max_per_day",
    "api_requests_per_second",
    "spend_limit_per_day",
    "spend_limit_per_month",
    "consent_required",
    "max_attempts",
    "max_segments",
    "retention.message_days",
    "retention.file_days",
    "retention.audit_days",
    "booking.reminder_hours_before",
    "booking.feedback_hours_after",
    "feedback_url",
    "help_text",
    "stop_text",
    "first_message_text",
    "keyword_answers",
    "unknown_policy",
];

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
    let patch = patch::of(&form, &before);
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
        _ => {
            let mut errors = Errors::of(problem, &FIELDS);
            told::wrong(problem, &mut errors);
            errors
        }
    };
    Ok(page::again(problem, &SettingsPage::of(desk, before, form, errors)))
}

impl SettingsPage {
    fn of(desk: &Desk, settings: Settings, mut form: Form, errors: Errors) -> Self {
        let frame = desk.frame_of("Settings", &settings);
        let clock = chart::clock(settings.quiet_hours.as_ref());
        form.told = Told::with_blank(form.told);
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

    /// Names of the boxes, and what people call the channels.
    pub fn channels(&self) -> [(String, String); 4] {
        Channel::ALL.map(|c| {
            (format!("{}.{}", form::QUIET, c.as_str()), crate::message::channel(c.as_str()))
        })
    }

    /// The error of a line of those who are told.
    pub fn place(&self, n: &usize) -> String {
        format!("told.{n}")
    }
}

#[cfg(test)]
impl SettingsPage {
    pub fn sample() -> Self {
        use carillon_domain::settings::{Notify, Trouble};

        let text = crate::page::tests::HOSTILE;
        let mut errors = Errors::whole(text);
        FIELDS.iter().chain(&["told.0"]).for_each(|field| errors.add(field, text));
        let told = Notify::Webhook { url: text.to_owned(), about: vec![Trouble::Spend] };
        let settings = Settings {
            time_zone: text.to_owned(),
            help_text: Some(text.to_owned()),
            feedback_url: Some(text.to_owned()),
            notify: vec![told],
            ..Settings::default()
        };
        let mut form = Form::stored(text.to_owned(), &settings);
        form.told = Told::with_blank(form.told);
        Self {
            frame: Frame::sample(),
            clock: chart::clock(settings.quiet_hours.as_ref()),
            form,
            settings,
            errors,
        }
    }
}
