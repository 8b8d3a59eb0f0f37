//! Contacts picked by hand.

use askama::Template;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{self, Listed, Problem};
use crate::contacts::Contact;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::sent::{Errors, Sent};

#[derive(Debug, Deserialize)]
pub struct List {
    pub id: String,
    pub name: String,
    pub count: i64,
}

#[derive(Template)]
#[template(path = "lists.html")]
pub struct ListsPage {
    pub frame: Frame,
    pub lists: Vec<List>,
    pub errors: Errors,
    pub name: String,
}

#[derive(Template)]
#[template(path = "list.html")]
pub struct ListPage {
    pub frame: Frame,
    pub list: List,
    pub members: Vec<Contact>,
    pub is_part: bool,
    pub errors: Errors,
}

/// `GET /console/lists`
pub async fn page(desk: Desk) -> Result<Response, Refusal> {
    Ok(page::ok(&make(&desk, Errors::default(), String::new()).await?))
}

async fn make(desk: &Desk, errors: Errors, name: String) -> Result<ListsPage, Problem> {
    let found = desk.api.get::<Listed<List>>("/v1/lists?limit=200");
    let (frame, found) = futures::join!(desk.frame("Lists"), found);
    Ok(ListsPage { frame: frame?, lists: found?.data, errors, name })
}

/// `POST /console/lists`
pub async fn create(desk: Desk, sent: Sent) -> Result<Response, Refusal> {
    let body = json!({"name": sent.text("name")});
    match desk.api.post::<List>("/v1/lists", &body, sent.filled("once")).await {
        Ok(made) => Ok(to(&made.id, "created")),
        Err(problem) if matches!(problem.status, 400 | 409 | 422) => {
            let errors = Errors::of(&problem, &["name"]);
            Ok(page::again(&problem, &make(&desk, errors, sent.text("name").to_owned()).await?))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// `GET /console/lists/{id}`
pub async fn list(desk: Desk, Path(id): Path<String>) -> Result<Response, Refusal> {
    Ok(page::ok(&make_list(&desk, &id, Errors::default()).await?))
}

async fn make_list(desk: &Desk, id: &str, errors: Errors) -> Result<ListPage, Problem> {
    let own = format!("/v1/lists/{}", api::segment(id));
    let members_path = format!("{own}/members?limit=100");
    let (frame, list, members) = futures::join!(
        desk.frame("A list"),
        desk.api.get::<List>(&own),
        desk.api.get::<Listed<Contact>>(&members_path),
    );
    let (list, members) = (list?, members?);
    Ok(ListPage {
        frame: frame?,
        list,
        is_part: members.next_cursor.is_some(),
        members: members.data,
        errors,
    })
}

/// `POST /console/lists/{id}/add`: the contact with a number.
pub async fn add(desk: Desk, Path(id): Path<String>, sent: Sent) -> Result<Response, Refusal> {
    let path = api::path("/v1/contacts", &[("phone", sent.text("phone"))]);
    let found = desk.api.get::<Listed<Contact>>(&path).await;
    let Some(contact) = found.ok().and_then(|found| found.data.into_iter().next()) else {
        let mut errors = Errors::default();
        errors.add("phone", "No contact has this number. Make the contact first.");
        return Ok(page::ok(&make_list(&desk, &id, errors).await?));
    };
    let path = format!("/v1/lists/{}/members", api::segment(&id));
    desk.api.post::<Value>(&path, &json!({"contact_ids": [contact.id]}), None).await?;
    Ok(to(&id, "added"))
}

/// `POST /console/lists/{id}/remove`
pub async fn remove(desk: Desk, Path(id): Path<String>, _: Sent) -> Result<Response, Refusal> {
    desk.api.delete(&format!("/v1/lists/{}", api::segment(&id))).await?;
    Ok(Redirect::to("/console/lists?done=removed").into_response())
}

fn to(id: &str, done: &str) -> Response {
    Redirect::to(&format!("/console/lists/{}?done={done}", api::segment(id))).into_response()
}

#[cfg(test)]
impl ListsPage {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let mut errors = Errors::whole(&text());
        errors.add("name", &text());
        Self {
            frame: Frame::sample(),
            lists: vec![List { id: text(), name: text(), count: 3 }],
            errors,
            name: text(),
        }
    }
}

#[cfg(test)]
impl ListPage {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let mut errors = Errors::whole(&text());
        errors.add("phone", &text());
        let list = List { id: text(), name: text(), count: 3 };
        Self {
            frame: Frame::sample(),
            list,
            members: vec![Contact::sample()],
            is_part: true,
            errors,
        }
    }
}
