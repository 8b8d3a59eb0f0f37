//! Saved filters over contacts: who is in them, and the rules that say so, line by line.
//!
//! A rule is added or taken away by a button of the form, which comes back with it; nothing is stored before the form
//! is saved.

mod form;
mod found;
mod kind;
mod page;
mod row;
mod words;

use axum::extract::{Path, Query};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use carillon_domain::segment;
use serde::Deserialize;
use serde_json::{Value, json};

use self::form::Form;
pub use self::page::{SegmentPage, SegmentsPage};
use crate::api::{self, Listed, Problem, Tagged};
use crate::desk::Desk;
use crate::page::Refusal;
use crate::sent::{Errors, Sent};
use crate::when::Times;

#[derive(Debug, Clone, Deserialize)]
pub struct Segment {
    pub id: String,
    pub name: String,
    pub rules: Value,
}

impl Segment {
    /// Who is in it, in words.
    fn words(&self, times: &Times) -> String {
        segment::read(&self.rules)
            .map_or_else(|_| "Its rules cannot be read.".to_owned(), |rule| words::of(&rule, times))
    }
}

/// Which part of its people, and whether all are counted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Part {
    cursor: String,
    count: String,
}

/// `GET /console/segments`
pub async fn list(desk: Desk) -> Result<Response, Refusal> {
    let found = desk.api.get::<Listed<Segment>>("/v1/segments?limit=200");
    let (frame, found) = futures::join!(desk.frame("Segments"), found);
    let (frame, found) = (frame?, found?.data);
    let lines = found.into_iter().map(|segment| (segment.words(&frame.times), segment));
    Ok(crate::page::ok(&SegmentsPage { segments: lines.collect(), frame }))
}

/// `GET /console/segments/new`
pub async fn blank(desk: Desk) -> Result<Response, Refusal> {
    may_edit(&desk)?;
    Ok(crate::page::ok(&SegmentPage::of_form(&desk, Form::blank(), Errors::default()).await?))
}

/// A page on which there is nothing to be done is not shown.
fn may_edit(desk: &Desk) -> Result<(), Refusal> {
    if crate::frame::Can::of(desk.me.role).edit_contacts {
        return Ok(());
    }
    let text = "Your role looks at segments; a manager or an admin makes and changes them.";
    Err(Refusal::new(StatusCode::FORBIDDEN, text))
}

/// `POST /console/segments/edit`: the form with a line more or less, or as JSON. Nothing is stored.
pub async fn edit(desk: Desk, sent: Sent) -> Result<Response, Refusal> {
    may_edit(&desk)?;
    let frame = desk.frame("").await?;
    let (form, errors) = Form::sent(&sent).change(&sent, &frame.times);
    Ok(crate::page::ok(&SegmentPage::of_form(&desk, form, errors).await?))
}

/// `POST /console/segments`
pub async fn create(desk: Desk, sent: Sent) -> Result<Response, Refusal> {
    let form = Form::sent(&sent);
    let body = match body(&desk, &form).await? {
        Ok(body) => body,
        Err(errors) => return unreadable(&desk, form, errors).await,
    };
    match desk.api.post::<Segment>("/v1/segments", &body, sent.filled("once")).await {
        Ok(made) => Ok(to(&made.id, "created")),
        Err(problem) => again(&desk, form, &problem).await,
    }
}

/// `GET /console/segments/{id}`
pub async fn page(
    desk: Desk,
    Path(id): Path<String>,
    Query(part): Query<Part>,
) -> Result<Response, Refusal> {
    let path = format!("/v1/segments/{}", api::segment(&id));
    let stored: Tagged<Segment> = desk.api.tagged(&path).await?;
    let page = SegmentPage::of_stored(&desk, stored, &part.cursor, part.count == "all").await?;
    Ok(crate::page::ok(&page))
}

/// `POST /console/segments/{id}`
pub async fn update(desk: Desk, Path(id): Path<String>, sent: Sent) -> Result<Response, Refusal> {
    let form = Form { id: id.clone(), ..Form::sent(&sent) };
    let path = format!("/v1/segments/{}", api::segment(&id));
    let body = match body(&desk, &form).await? {
        Ok(body) => body,
        Err(errors) => return unreadable(&desk, form, errors).await,
    };
    match desk.api.change::<Value>(Method::PATCH, &path, &body, &form.tag).await {
        Ok(_) => Ok(to(&id, "saved")),
        Err(problem) => again(&desk, form, &problem).await,
    }
}

/// What the form asks for, or what of it is no JSON.
async fn body(desk: &Desk, form: &Form) -> Result<Result<Value, Errors>, Problem> {
    let frame = desk.frame("").await?;
    Ok(match form.rules(&frame.times) {
        Ok(rules) => Ok(json!({"name": form.name, "rules": rules})),
        Err(text) => {
            let mut errors = Errors::default();
            errors.add("rules", &text);
            Err(errors)
        }
    })
}

async fn unreadable(desk: &Desk, form: Form, errors: Errors) -> Result<Response, Refusal> {
    may_edit(desk)?;
    let page = SegmentPage::of_form(desk, form, errors).await?;
    Ok(crate::page::show(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

async fn again(desk: &Desk, form: Form, problem: &Problem) -> Result<Response, Refusal> {
    if !matches!(problem.status, 400 | 409 | 412 | 422) {
        return Err(problem.clone().into());
    }
    let errors = match problem.status {
        412 => Errors::whole(
            "Somebody else has changed this segment meanwhile. What you typed is still here; load the page again to see theirs.",
        ),
        _ => form::wrong(problem, &form),
    };
    Ok(crate::page::again(problem, &SegmentPage::of_form(desk, form, errors).await?))
}

/// `POST /console/segments/{id}/remove`
pub async fn remove(desk: Desk, Path(id): Path<String>, _: Sent) -> Result<Response, Refusal> {
    desk.api.delete(&format!("/v1/segments/{}", api::segment(&id))).await?;
    Ok(Redirect::to("/console/segments?done=removed").into_response())
}

fn to(id: &str, done: &str) -> Response {
    Redirect::to(&format!("/console/segments/{}?done={done}", api::segment(id))).into_response()
}
