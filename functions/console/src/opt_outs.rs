//! Numbers that must not be written to.

use askama::Template;
use axum::extract::Query;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{self, Listed, Problem};
use crate::desk::Desk;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::sent::{Errors, Sent};
use crate::status::words;

const ROWS: &str = "50";

#[derive(Debug, Deserialize)]
pub struct Suppression {
    pub address: String,
    pub channel: String,
    pub reason: String,
    pub words: Option<String>,
    pub at: Timestamp,
}

impl Suppression {
    pub fn why(&self) -> String {
        match self.reason.as_str() {
            "stop_keyword" => "They wrote STOP".to_owned(),
            "provider" => "The provider says so".to_owned(),
            "manual" => "Added by hand".to_owned(),
            other => words(other),
        }
    }

    pub fn channel_word(&self) -> String {
        crate::message::channel(&self.channel)
    }

    /// What the person said only the person takes back.
    pub fn is_ours(&self) -> bool {
        self.reason == "manual"
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    to: String,
    cursor: String,
}

#[derive(Template)]
#[template(path = "opt-outs.html")]
pub struct OptOutsPage {
    pub frame: Frame,
    pub searched: String,
    pub found: Vec<Suppression>,
    pub next: Option<String>,
    /// Of the search, and of the form.
    pub errors: Errors,
    /// What the form says.
    pub number: String,
}

/// `GET /console/opt-outs`
pub async fn page(desk: Desk, Query(filter): Query<Filter>) -> Result<Response, Refusal> {
    Ok(page::ok(&make(&desk, filter, Errors::default(), String::new()).await?))
}

async fn make(
    desk: &Desk,
    filter: Filter,
    mut errors: Errors,
    number: String,
) -> Result<OptOutsPage, Problem> {
    let query = [("limit", ROWS), ("to", &*filter.to), ("cursor", &*filter.cursor)];
    let path = api::path("/v1/suppressions", &query);
    let found = desk.api.get::<Listed<Suppression>>(&path);
    let (frame, found) = futures::join!(desk.frame("Opt-outs"), found);
    let found = match found {
        Ok(found) => found,
        Err(problem) if problem.status == 422 => {
            errors.add("search", &problem.detail);
            Listed { data: Vec::new(), next_cursor: None }
        }
        Err(problem) => return Err(problem),
    };
    let next = found.next_cursor.map(|c| api::path("/console/opt-outs", &[("cursor", &c)]));
    Ok(OptOutsPage { frame: frame?, searched: filter.to, found: found.data, next, errors, number })
}

/// `POST /console/opt-outs`
pub async fn add(desk: Desk, sent: Sent) -> Result<Response, Refusal> {
    let number = sent.text("number").to_owned();
    let body = json!({"to": number, "channel": "sms", "reason": "manual"});
    match desk.api.post::<Value>("/v1/suppressions", &body, sent.filled("once")).await {
        Ok(_) => Ok(Redirect::to("/console/opt-outs?done=suppressed").into_response()),
        Err(problem) if problem.status == 422 => {
            let mut errors = Errors::default();
            errors.add("number", &problem.detail);
            let page = make(&desk, Filter::default(), errors, number).await?;
            Ok(page::again(&problem, &page))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// `POST /console/opt-outs/lift`
pub async fn lift(desk: Desk, sent: Sent) -> Result<Response, Refusal> {
    let query = [("to", sent.text("number")), ("channel", sent.text("channel"))];
    match desk.api.delete(&api::path("/v1/suppressions", &query)).await {
        Ok(()) => Ok(Redirect::to("/console/opt-outs?done=lifted").into_response()),
        Err(problem) if problem.status == 409 => {
            let errors = Errors::whole(&problem.detail);
            let page = make(&desk, Filter::default(), errors, String::new()).await?;
            Ok(page::again(&problem, &page))
        }
        Err(problem) => Err(problem.into()),
    }
}

#[cfg(test)]
impl OptOutsPage {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let at: Timestamp = "2026-11-21T09:00:00Z".parse().expect("a time");
        let found = |reason: &str| Suppression {
            address: text(),
            channel: text(),
            reason: reason.to_owned(),
            words: Some(text()),
            at,
        };
        let mut errors = Errors::whole(&text());
        errors.add("number", &text());
        errors.add("search", &text());
        Self {
            frame: Frame::sample(),
            searched: text(),
            found: vec![found("manual"), found("stop_keyword")],
            next: Some(text()),
            errors,
            number: text(),
        }
    }
}
