//! People: found by the beginning of a name or number, and each with all that was said to him.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::Method;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{self, Listed, Problem, Tagged};
use crate::desk::Desk;
use crate::frame::Frame;
use crate::message::Message;
use crate::page::{self, Refusal};
use crate::sent::{Errors, Sent};
use crate::status::{Status, words};

const FIELDS: [&str; 7] =
    ["name", "phone", "email", "time_zone", "language", "external_id", "status"];
/// On one page.
const ROWS: &str = "50";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Contact {
    pub id: String,
    pub name: Option<String>,
    pub phone: Option<String>,
    pub other_phones: Vec<String>,
    pub email: Option<String>,
    pub external_id: Option<String>,
    pub status: Option<String>,
    pub time_zone: Option<String>,
    pub language: Option<String>,
    pub attributes: BTreeMap<String, Value>,
    pub labels: Vec<String>,
    pub consents: Vec<Consent>,
    pub created_at: Timestamp,
}

#[derive(Debug, Deserialize)]
pub struct Consent {
    pub channel: String,
    pub purpose: String,
    pub status: Status,
    pub at: Timestamp,
    pub source: String,
    pub text: String,
}

impl Consent {
    pub fn what(&self) -> String {
        format!("{}, {}", crate::message::channel(&self.channel), self.purpose)
    }
}

impl Contact {
    /// What people call him, or what is known of him.
    pub fn called(&self) -> &str {
        let known = [&self.name, &self.phone, &self.email].into_iter().flatten().next();
        known.map_or(self.id.as_str(), String::as_str)
    }

    pub fn field(&self, name: &str) -> &str {
        let value = match name {
            "name" => &self.name,
            "phone" => &self.phone,
            "email" => &self.email,
            "time_zone" => &self.time_zone,
            "language" => &self.language,
            "external_id" => &self.external_id,
            _ => &self.status,
        };
        value.as_deref().unwrap_or_default()
    }

    pub fn known(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.attributes.iter().map(|(name, value)| (words(name), text(value))).collect()
    }

    fn sent(sent: &Sent) -> Self {
        let text = |name: &str| sent.filled(name).map(str::to_owned);
        Self {
            name: text("name"),
            phone: text("phone"),
            email: text("email"),
            time_zone: text("time_zone"),
            language: text("language"),
            external_id: text("external_id"),
            status: text("status"),
            ..Self::default()
        }
    }

    fn body(&self, is_new: bool) -> Value {
        let mut body = json!({});
        for name in FIELDS {
            match self.field(name) {
                "" if is_new => {}
                "" => body[name] = Value::Null,
                value => body[name] = json!(value),
            }
        }
        body
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    pub q: String,
    pub label: String,
    pub cursor: String,
}

#[derive(Template)]
#[template(path = "contacts.html")]
pub struct ContactsPage {
    pub frame: Frame,
    pub filter: Filter,
    pub contacts: Vec<Contact>,
    pub next: Option<String>,
    pub problem: Option<String>,
    pub form: Contact,
    pub errors: Errors,
}

#[derive(Template)]
#[template(path = "contact.html")]
pub struct ContactPage {
    pub frame: Frame,
    pub contact: Contact,
    pub tag: String,
    pub messages: Vec<Message>,
    pub form: Contact,
    pub errors: Errors,
}

/// `GET /console/contacts`
pub async fn list(desk: Desk, Query(filter): Query<Filter>) -> Result<Response, Refusal> {
    Ok(page::ok(&make_list(&desk, filter, Contact::default(), Errors::default()).await?))
}

async fn make_list(
    desk: &Desk,
    filter: Filter,
    form: Contact,
    errors: Errors,
) -> Result<ContactsPage, Problem> {
    let own = [("q", &*filter.q), ("label", &*filter.label)];
    let asked = api::path(
        "/v1/contacts",
        &[&own[..], &[("limit", ROWS), ("cursor", &filter.cursor)]].concat(),
    );
    let found = desk.api.get::<Listed<Contact>>(&asked);
    let (frame, found) = futures::join!(desk.frame("Contacts"), found);
    let (contacts, next, problem) = match found {
        Ok(found) => (found.data, found.next_cursor, None),
        Err(problem) if matches!(problem.status, 400 | 422) => {
            (Vec::new(), None, Some(problem.detail))
        }
        Err(problem) => return Err(problem),
    };
    let next = next.map(|cursor| {
        api::path("/console/contacts", &[&own[..], &[("cursor", &*cursor)]].concat())
    });
    Ok(ContactsPage { frame: frame?, contacts, next, problem, form, errors, filter })
}

/// `POST /console/contacts`
pub async fn create(desk: Desk, sent: Sent) -> Result<Response, Refusal> {
    let form = Contact::sent(&sent);
    match desk.api.post::<Contact>("/v1/contacts", &form.body(true), sent.filled("once")).await {
        Ok(made) => Ok(to(&made.id, "created")),
        Err(problem) => {
            let errors = wrong(&problem)?;
            Ok(page::again(&problem, &make_list(&desk, Filter::default(), form, errors).await?))
        }
    }
}

/// `GET /console/contacts/{id}`
pub async fn page(desk: Desk, Path(id): Path<String>) -> Result<Response, Refusal> {
    Ok(page::ok(&make(&desk, &id, None, Errors::default()).await?))
}

async fn make(
    desk: &Desk,
    id: &str,
    form: Option<(Contact, String)>,
    errors: Errors,
) -> Result<ContactPage, Problem> {
    let path = format!("/v1/contacts/{}", api::segment(id));
    let Tagged { tag, value: contact } = desk.api.tagged::<Contact>(&path).await?;
    // By number: what was sent before he was a contact is his as well.
    let query = match &contact.phone {
        Some(phone) => [("q", phone.as_str()), ("limit", "25")],
        None => [("contact_id", id), ("limit", "25")],
    };
    let messages = api::path("/v1/messages", &query);
    let (frame, messages) =
        futures::join!(desk.frame(contact.called()), desk.api.get::<Listed<Message>>(&messages));
    let stored = Contact {
        name: contact.name.clone(),
        phone: contact.phone.clone(),
        email: contact.email.clone(),
        time_zone: contact.time_zone.clone(),
        language: contact.language.clone(),
        external_id: contact.external_id.clone(),
        status: contact.status.clone(),
        ..Contact::default()
    };
    let (form, tag) = form.unwrap_or((stored, tag));
    // As a conversation is read: what comes last stands last.
    let mut messages = messages?.data;
    messages.sort_by_key(|message| message.scheduled_for);
    Ok(ContactPage { frame: frame?, contact, tag, messages, form, errors })
}

/// `POST /console/contacts/{id}`
pub async fn update(desk: Desk, Path(id): Path<String>, sent: Sent) -> Result<Response, Refusal> {
    let form = Contact::sent(&sent);
    let path = format!("/v1/contacts/{}", api::segment(&id));
    let tag = sent.text("tag").to_owned();
    match desk.api.change::<Value>(Method::PATCH, &path, &form.body(false), &tag).await {
        Ok(_) => Ok(to(&id, "saved")),
        Err(problem) => {
            let errors = wrong(&problem)?;
            Ok(page::again(&problem, &make(&desk, &id, Some((form, tag)), errors).await?))
        }
    }
}

/// `POST /console/contacts/{id}/labels`
pub async fn label(desk: Desk, Path(id): Path<String>, sent: Sent) -> Result<Response, Refusal> {
    let path = format!("/v1/contacts/{}/labels", api::segment(&id));
    let body = json!({"labels": [sent.text("label")]});
    match desk.api.post::<Value>(&path, &body, sent.filled("once")).await {
        Ok(_) => Ok(to(&id, "saved")),
        Err(problem) => {
            let mut errors = Errors::default();
            wrong(&problem)?;
            errors.add("label", &problem.detail);
            Ok(page::again(&problem, &make(&desk, &id, None, errors).await?))
        }
    }
}

/// `POST /console/contacts/{id}/remove`
pub async fn remove(desk: Desk, Path(id): Path<String>, _: Sent) -> Result<Response, Refusal> {
    desk.api.delete(&format!("/v1/contacts/{}", api::segment(&id))).await?;
    Ok(Redirect::to("/console/contacts?done=removed").into_response())
}

fn wrong(problem: &Problem) -> Result<Errors, Refusal> {
    match problem.status {
        412 => Ok(Errors::whole(
            "Somebody else has changed this contact meanwhile. What you typed is still here.",
        )),
        400 | 409 | 422 => Ok(Errors::of(problem, &FIELDS)),
        _ => Err(problem.clone().into()),
    }
}

fn to(id: &str, done: &str) -> Response {
    Redirect::to(&format!("/console/contacts/{}?done={done}", api::segment(id))).into_response()
}

#[cfg(test)]
impl Contact {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let at = "2026-11-21T09:00:00Z".parse().expect("a time");
        let consent = Consent {
            channel: text(),
            purpose: text(),
            status: Status(text()),
            at,
            source: text(),
            text: text(),
        };
        Self {
            id: text(),
            name: Some(text()),
            phone: Some(text()),
            other_phones: vec![text()],
            email: Some(text()),
            external_id: Some(text()),
            status: Some(text()),
            time_zone: Some(text()),
            language: Some(text()),
            attributes: BTreeMap::from([(text(), json!(text()))]),
            labels: vec![text()],
            consents: vec![consent],
            created_at: at,
        }
    }
}

#[cfg(test)]
fn all_wrong() -> Errors {
    let mut errors = Errors::whole(crate::page::tests::HOSTILE);
    FIELDS
        .iter()
        .chain(&["label"])
        .for_each(|field| errors.add(field, crate::page::tests::HOSTILE));
    errors
}

#[cfg(test)]
impl ContactsPage {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        Self {
            frame: Frame::sample(),
            filter: Filter { q: text(), label: text(), cursor: String::new() },
            contacts: vec![Contact::sample()],
            next: Some(text()),
            problem: Some(text()),
            form: Contact::sample(),
            errors: all_wrong(),
        }
    }
}

#[cfg(test)]
impl ContactPage {
    pub fn sample() -> Self {
        Self {
            frame: Frame::sample(),
            contact: Contact::sample(),
            tag: crate::page::tests::HOSTILE.to_owned(),
            messages: vec![Message::sample()],
            form: Contact::sample(),
            errors: all_wrong(),
        }
    }
}
