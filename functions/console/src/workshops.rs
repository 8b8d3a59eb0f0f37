//! Workshops: the list, and a new one.

use askama::Template;
use axum::extract::Query;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::api::{self, Listed, Problem};
use crate::desk::Desk;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::sent::{Errors, Sent};
use crate::tags::Tag;

pub const FIELDS: [&str; 4] = ["title", "tag_id", "starts_at", "time_zone"];

#[derive(Debug, Default, Deserialize)]
pub struct Workshop {
    pub id: String,
    pub title: String,
    pub tag_id: String,
    pub starts_at: Timestamp,
    /// On whose clock its times are.
    pub time_zone: String,
}

/// What the form says.
#[derive(Debug, Clone, Default)]
pub struct Form {
    pub title: String,
    pub tag_id: String,
    pub at: String,
}

impl Form {
    fn of(sent: &Sent) -> Self {
        let text = |name: &str| sent.text(name).to_owned();
        Self { title: text("title"), tag_id: text("tag_id"), at: text("at") }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// `past`, or those to come.
    pub which: String,
    pub cursor: String,
}

#[derive(Template)]
#[template(path = "workshops.html")]
pub struct WorkshopsPage {
    pub frame: Frame,
    pub is_past: bool,
    pub workshops: Vec<Workshop>,
    pub tags: Vec<Tag>,
    pub next: Option<String>,
    pub form: Form,
    pub errors: Errors,
}

impl WorkshopsPage {
    pub fn tag(&self, id: &str) -> &str {
        self.tags.iter().find(|tag| tag.id == id).map_or("", |tag| tag.name.as_str())
    }
}

/// `GET /console/workshops`
pub async fn list(desk: Desk, Query(filter): Query<Filter>) -> Result<Response, Refusal> {
    Ok(page::ok(&make(&desk, filter, Form::default(), Errors::default()).await?))
}

async fn make(
    desk: &Desk,
    filter: Filter,
    form: Form,
    errors: Errors,
) -> Result<WorkshopsPage, Problem> {
    let is_past = filter.which == "past";
    // One that began some hours ago is still of today.
    let split = (desk.now - jiff::SignedDuration::from_hours(12)).to_string();
    let side = if is_past { "to" } else { "from" };
    let query = [("limit", "50"), (side, &*split), ("cursor", &filter.cursor)];
    let path = api::path("/v1/workshops", &query);
    let (frame, found, tags) = futures::join!(
        desk.frame("Workshops"),
        desk.api.get::<Listed<Workshop>>(&path),
        desk.api.get::<Listed<Tag>>("/v1/tags?limit=200"),
    );
    let found = found?;
    let next = found.next_cursor.map(|cursor| {
        api::path("/console/workshops", &[("which", &filter.which), ("cursor", &cursor)])
    });
    let tags = tags?.data;
    Ok(WorkshopsPage { frame: frame?, is_past, workshops: found.data, tags, next, form, errors })
}

/// `POST /console/workshops`
pub async fn create(desk: Desk, sent: Sent) -> Result<Response, Refusal> {
    let form = Form::of(&sent);
    let frame = desk.frame("").await?;
    let at = frame.times.read(&form.at).map_or_else(|| form.at.clone(), |at| at.to_string());
    let body = json!({"title": form.title, "tag_id": form.tag_id, "starts_at": at});
    match desk.api.post::<Workshop>("/v1/workshops", &body, sent.filled("once")).await {
        Ok(made) => {
            let path = format!("/console/workshops/{}?done=created", api::segment(&made.id));
            Ok(Redirect::to(&path).into_response())
        }
        Err(problem) if matches!(problem.status, 400 | 404 | 409 | 422) => {
            let errors = Errors::of(&problem, &FIELDS);
            Ok(page::again(&problem, &make(&desk, Filter::default(), form, errors).await?))
        }
        Err(problem) => Err(problem.into()),
    }
}

#[cfg(test)]
impl Workshop {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let starts_at = "2026-11-21T09:00:00Z".parse().expect("a time");
        let time_zone = "Asia/Kolkata".to_owned();
        Self { id: text(), title: text(), tag_id: text(), starts_at, time_zone }
    }
}

#[cfg(test)]
impl WorkshopsPage {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let mut errors = Errors::whole(&text());
        FIELDS.iter().for_each(|field| errors.add(field, &text()));
        Self {
            frame: Frame::sample(),
            is_past: false,
            workshops: vec![Workshop::sample()],
            tags: vec![Tag::sample()],
            next: Some(text()),
            form: Form { title: text(), tag_id: text(), at: text() },
            errors,
        }
    }
}
