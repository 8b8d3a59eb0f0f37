//! A file of people who become contacts: choose it, see what each column is taken for and which rows are refused, then
//! import it; or have it tried, which stores nothing but the report.
//!
//! As with a file to send to: with a script it is looked at as soon as it is chosen and stays in the form; without one
//! it is asked for again.

mod people;

use askama::Template;
use axum::extract::{Multipart, Query};
use axum::http::StatusCode;
use axum::response::Response;
use carillon_domain::Country;
use carillon_domain::settings::Settings;
use serde::Deserialize;

use self::people::People;
pub use self::people::attribute_name;
use crate::api::{Listed, Problem};
use crate::desk::Desk;
use crate::frame::{Can, Frame};
use crate::page::{self, Refusal};
use crate::sent::{Errors, Sent};
use crate::upload::Upload;
use crate::workshops::Workshop;

const FIELDS: [&str; 5] = ["file", "mapping", "default_country", "labels", "workshop_id"];
/// What the form says besides file and mapping.
const TEXTS: [&str; 3] = ["default_country", "labels", "workshop_id"];

#[derive(Template)]
#[template(path = "contact-file.html")]
pub struct ContactFilePage {
    pub frame: Frame,
    pub country: String,
    pub labels: String,
    pub workshop: String,
    pub workshops: Vec<Workshop>,
    pub errors: Errors,
    pub look: Option<PeoplePart>,
}

/// What is in the file: a part of the page.
#[derive(Template)]
#[template(path = "contact-file-look.html")]
pub struct PeoplePart {
    pub people: Option<People>,
    pub problem: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Start {
    workshop_id: String,
}

/// `GET /console/contacts/import`: a workshop may be in the address.
pub async fn page(desk: Desk, Query(start): Query<Start>) -> Result<Response, Refusal> {
    may_import(&desk)?;
    let sent = Sent::of(vec![("workshop_id".to_owned(), start.workshop_id)]);
    Ok(page::ok(&make(&desk, &sent, Errors::default(), None).await?))
}

/// A page on which there is nothing to be done is not shown.
fn may_import(desk: &Desk) -> Result<(), Refusal> {
    if Can::of(desk.me.role).edit_contacts {
        return Ok(());
    }
    let text = "Your role looks at contacts; a manager or an admin imports them.";
    Err(Refusal::new(StatusCode::FORBIDDEN, text))
}

async fn make(
    desk: &Desk,
    sent: &Sent,
    errors: Errors,
    look: Option<PeoplePart>,
) -> Result<ContactFilePage, Problem> {
    let workshops = desk.api.get::<Listed<Workshop>>("/v1/workshops?limit=100");
    let (frame, workshops) = futures::join!(desk.frame("Import contacts"), workshops);
    let text = |name: &str| sent.text(name).to_owned();
    Ok(ContactFilePage {
        frame: frame?,
        country: text("default_country"),
        labels: text("labels"),
        workshop: text("workshop_id"),
        workshops: workshops?.data,
        errors,
        look,
    })
}

/// `POST /console/contacts/import/look`: stores nothing.
pub async fn look(desk: Desk, form: Multipart) -> Result<Response, Refusal> {
    may_import(&desk)?;
    let upload = Upload::read(form).await?;
    let part = examine(&desk, &upload).await?;
    if desk.is_live {
        return Ok(page::ok(&part));
    }
    Ok(page::ok(&make(&desk, &upload.sent, Errors::default(), Some(part)).await?))
}

async fn examine(desk: &Desk, upload: &Upload) -> Result<PeoplePart, Problem> {
    let problem = |text: String| PeoplePart { people: None, problem: Some(text) };
    if upload.file.is_empty() {
        return Ok(problem("Choose a CSV file first.".to_owned()));
    }
    let settings: Settings = desk.api.get("/v1/settings").await?;
    let country = upload.sent.filled("default_country");
    let country = country.and_then(|code| Country::parse(code).ok()).or(settings.default_country);
    Ok(match People::read(&upload.file, upload.mapping().as_ref(), country) {
        Ok(people) => PeoplePart { problem: people.problem.clone(), people: Some(people) },
        Err(text) => problem(text),
    })
}

/// `POST /console/contacts/import`: with `try`, nothing is stored but the report.
pub async fn import(desk: Desk, form: Multipart) -> Result<Response, Refusal> {
    let upload = Upload::read(form).await?;
    let sent = &upload.sent;
    let given = TEXTS.iter().filter_map(|name| Some((*name, sent.filled(name)?.to_owned())));
    let mut fields: Vec<_> = given.collect();
    let is_try = sent.has("try");
    if is_try {
        fields.push(("dry_run", "true".to_owned()));
    }
    // Tried as often as one likes, each time with another mapping.
    let once = sent.filled("once").filter(|_| !is_try);
    let problem = match upload.hand_over(&desk, "/v1/contacts/import", fields, once).await? {
        Ok(taken) => return Ok(taken),
        Err(problem) => problem,
    };
    let part = if upload.file.is_empty() { None } else { Some(examine(&desk, &upload).await?) };
    let errors = Errors::of(&problem, &FIELDS);
    Ok(page::again(&problem, &make(&desk, sent, errors, part).await?))
}

#[cfg(test)]
impl ContactFilePage {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let mut errors = Errors::whole(&text());
        FIELDS.iter().for_each(|field| errors.add(field, &text()));
        Self {
            frame: Frame::sample(),
            country: text(),
            labels: text(),
            workshop: text(),
            workshops: vec![Workshop::sample()],
            errors,
            look: Some(PeoplePart::sample()),
        }
    }
}

#[cfg(test)]
impl PeoplePart {
    pub fn sample() -> Self {
        let text = crate::page::tests::HOSTILE.replace('"', "'");
        let csv = format!("name,\"{text}\",phone\n\"{text}\",\"{text}\",12\n");
        let people = People::read(csv.as_bytes(), None, None).expect("people");
        Self { people: Some(people), problem: Some(text) }
    }
}
