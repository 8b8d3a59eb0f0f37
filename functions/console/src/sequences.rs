//! Sequences: the list, and one drawn on the line of its days, changed step by step.

mod step;

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::Path;
use axum::http::Method;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde_json::{Value, json};

pub use self::step::{Sequence, Step};
use self::step::{body, lines};
use crate::api::{self, Listed, Problem, Tagged};
use crate::desk::Desk;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::sent::{Errors, Sent};
use crate::templates::Template as Stored;

/// Blank lines of the form for steps.
const BLANK: usize = 2;

#[derive(Template)]
#[template(path = "sequences.html")]
pub struct SequencesPage {
    pub frame: Frame,
    pub sequences: Vec<Sequence>,
    pub errors: Errors,
    pub name: String,
}

#[derive(Template)]
#[template(path = "sequence.html")]
pub struct SequencePage {
    pub frame: Frame,
    pub sequence: Sequence,
    pub tag: String,
    pub templates: Vec<Stored>,
    /// Lines of the form; the last ones are blank.
    pub lines: Vec<Step>,
    pub errors: Errors,
}

impl SequencePage {
    pub fn template<'a>(&'a self, id: &'a str) -> &'a str {
        self.templates.iter().find(|t| t.id == id || t.key == id).map_or(id, |t| t.name.as_str())
    }

    /// Days of the line, each with its steps.
    pub fn days(&self) -> Vec<(String, Vec<&Step>)> {
        let mut days: BTreeMap<i64, Vec<&Step>> = BTreeMap::new();
        for step in &self.sequence.steps {
            days.entry(step.day).or_default().push(step);
        }
        let day = |n: i64| match n {
            0 => "The workshop's day".to_owned(),
            n if n < 0 => format!("{n} days").replace('-', "−"),
            n => format!("+{n} days"),
        };
        days.into_iter().map(|(n, steps)| (day(n), steps)).collect()
    }
}

/// `GET /console/sequences`
pub async fn list(desk: Desk) -> Result<Response, Refusal> {
    Ok(page::ok(&make_list(&desk, Errors::default(), String::new()).await?))
}

async fn make_list(desk: &Desk, errors: Errors, name: String) -> Result<SequencesPage, Problem> {
    let found = desk.api.get::<Listed<Sequence>>("/v1/sequences?limit=200");
    let (frame, found) = futures::join!(desk.frame("Sequences"), found);
    Ok(SequencesPage { frame: frame?, sequences: found?.data, errors, name })
}

/// `POST /console/sequences`: empty, to be filled on its page.
pub async fn create(desk: Desk, sent: Sent) -> Result<Response, Refusal> {
    let body = json!({"name": sent.text("name"), "channel": sent.text("channel"), "steps": []});
    match desk.api.post::<Sequence>("/v1/sequences", &body, sent.filled("once")).await {
        Ok(made) => Ok(to(&made.id, "created")),
        Err(problem) if matches!(problem.status, 400 | 409 | 422) => {
            let errors = Errors::of(&problem, &["name", "channel"]);
            let page = make_list(&desk, errors, sent.text("name").to_owned()).await?;
            Ok(page::again(&problem, &page))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// `GET /console/sequences/{id}`
pub async fn page(desk: Desk, Path(id): Path<String>) -> Result<Response, Refusal> {
    Ok(page::ok(&make(&desk, &id, None, Errors::default()).await?))
}

async fn make(
    desk: &Desk,
    id: &str,
    lines: Option<(Vec<Step>, String)>,
    errors: Errors,
) -> Result<SequencePage, Problem> {
    let path = format!("/v1/sequences/{}", api::segment(id));
    let Tagged { tag, value: sequence } = desk.api.tagged::<Sequence>(&path).await?;
    let templates = desk.api.get::<Listed<Stored>>("/v1/templates?limit=200");
    let (frame, templates) = futures::join!(desk.frame(&sequence.name), templates);
    let mut templates = templates?.data;
    templates.retain(|template| template.channel == sequence.channel);
    let (mut lines, tag) = lines.unwrap_or_else(|| (sequence.steps.clone(), tag));
    lines.extend((0..BLANK).map(|_| Step::default()));
    Ok(SequencePage { frame: frame?, sequence, tag, templates, lines, errors })
}

/// `POST /console/sequences/{id}`: all its steps.
pub async fn update(desk: Desk, Path(id): Path<String>, sent: Sent) -> Result<Response, Refusal> {
    let path = format!("/v1/sequences/{}", api::segment(&id));
    let before: Sequence = desk.api.get(&path).await?;
    let lines = lines(&sent, &before);
    let steps: Vec<Value> = lines.iter().map(body).collect();
    let body = json!({"name": sent.text("name"), "steps": steps});
    let tag = sent.text("tag").to_owned();
    match desk.api.change::<Value>(Method::PATCH, &path, &body, &tag).await {
        Ok(_) => Ok(to(&id, "saved")),
        Err(problem) if matches!(problem.status, 400 | 409 | 412 | 422) => {
            let errors = match problem.status {
                412 => Errors::whole(
                    "Somebody else has changed this sequence meanwhile. Load the page again to see theirs.",
                ),
                _ => Errors::of(&problem, &["name"]),
            };
            Ok(page::again(&problem, &make(&desk, &id, Some((lines, tag)), errors).await?))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// `POST /console/sequences/{id}/remove`
pub async fn remove(desk: Desk, Path(id): Path<String>, _: Sent) -> Result<Response, Refusal> {
    match desk.api.delete(&format!("/v1/sequences/{}", api::segment(&id))).await {
        Ok(()) => Ok(Redirect::to("/console/sequences?done=removed").into_response()),
        Err(problem) if problem.status == 409 => {
            let errors = Errors::whole(&problem.detail);
            Ok(page::again(&problem, &make(&desk, &id, None, errors).await?))
        }
        Err(problem) => Err(problem.into()),
    }
}

fn to(id: &str, done: &str) -> Response {
    Redirect::to(&format!("/console/sequences/{}?done={done}", api::segment(id))).into_response()
}

#[cfg(test)]
impl SequencesPage {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let mut errors = Errors::whole(&text());
        errors.add("name", &text());
        Self { frame: Frame::sample(), sequences: vec![Sequence::sample()], errors, name: text() }
    }
}

#[cfg(test)]
impl SequencePage {
    pub fn sample() -> Self {
        let mut errors = Errors::whole(crate::page::tests::HOSTILE);
        errors.add("name", crate::page::tests::HOSTILE);
        Self {
            frame: Frame::sample(),
            sequence: Sequence::sample(),
            tag: crate::page::tests::HOSTILE.to_owned(),
            templates: vec![Stored::sample()],
            lines: vec![Sequence::sample().steps.remove(0), Step::default()],
            errors,
        }
    }
}
