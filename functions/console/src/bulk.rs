//! A file of people: choose it, see what is in it and what it would cost, then send.
//!
//! With a script the file is looked at as soon as it is chosen, and stays in the form; without one the page comes back
//! with what was found, and asks for the file again, since a browser does not keep it.

use askama::Template;
use axum::extract::Multipart;
use axum::response::Response;

use crate::api::{Listed, Problem};
use crate::desk::Desk;
use crate::dry_run::{DryRun, Sheet};
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::send::Count;
use crate::sent::{Errors, Sent};
use crate::templates::Template as Stored;
use crate::upload::Upload;

const FIELDS: [&str; 6] = ["file", "body", "template", "mapping", "scheduled_for", "purpose"];

#[derive(Template)]
#[template(path = "bulk.html")]
pub struct BulkPage {
    pub frame: Frame,
    pub templates: Vec<Stored>,
    pub body: String,
    pub template: String,
    pub when: String,
    pub at: String,
    pub purpose: String,
    pub count: Count,
    pub errors: Errors,
    pub look: Option<LookPart>,
}

/// What is in the file: a part of the page.
#[derive(Template)]
#[template(path = "bulk-look.html")]
pub struct LookPart {
    pub sheet: Option<Sheet>,
    pub run: Option<DryRun>,
    pub problem: Option<String>,
}

/// `GET /console/bulk`
pub async fn page(desk: Desk) -> Result<Response, Refusal> {
    let sent = Sent::default();
    Ok(page::ok(&make(&desk, &sent, Errors::default(), None).await?))
}

async fn make(
    desk: &Desk,
    sent: &Sent,
    errors: Errors,
    look: Option<LookPart>,
) -> Result<BulkPage, Problem> {
    let templates = desk.api.get::<Listed<Stored>>("/v1/templates?limit=200");
    let (frame, templates) = futures::join!(desk.frame("Send a file"), templates);
    let mut templates = templates?.data;
    templates.retain(|template| template.is_active);
    let text = |name: &str| sent.text(name).to_owned();
    Ok(BulkPage {
        frame: frame?,
        templates,
        count: Count::of(sent.text("body")),
        body: text("body"),
        template: text("template"),
        when: text("when"),
        at: text("at"),
        purpose: text("purpose"),
        errors,
        look,
    })
}

/// `POST /console/bulk/look`: sends nothing.
pub async fn look(desk: Desk, form: Multipart) -> Result<Response, Refusal> {
    let upload = Upload::read(form).await?;
    let part = examine(&desk, &upload).await?;
    if desk.is_live {
        return Ok(page::ok(&part));
    }
    Ok(page::ok(&make(&desk, &upload.sent, Errors::default(), Some(part)).await?))
}

async fn examine(desk: &Desk, upload: &Upload) -> Result<LookPart, Problem> {
    let problem = |text: String| LookPart { sheet: None, run: None, problem: Some(text) };
    if upload.file.is_empty() {
        return Ok(problem("Choose a CSV file first.".to_owned()));
    }
    let text = text_of(desk, &upload.sent).await?;
    let settings = desk.api.get("/v1/settings").await?;
    let sheet = match Sheet::read(&upload.file, upload.mapping().as_ref(), &text) {
        Ok(sheet) => sheet,
        Err(text) => return Ok(problem(text)),
    };
    let accounts = crate::today::accounts(desk).await?;
    let run = sheet
        .mapping
        .as_ref()
        .map(|mapping| DryRun::of(&sheet, mapping, &text, &settings, &accounts));
    let problem = sheet.problem.clone();
    Ok(LookPart { sheet: Some(sheet), run, problem })
}

/// The text that is sent, with its placeholders.
async fn text_of(desk: &Desk, sent: &Sent) -> Result<String, Problem> {
    let Some(key) = sent.filled("template") else {
        return Ok(sent.text("body").to_owned());
    };
    let all: Listed<Stored> = desk.api.get("/v1/templates?limit=200").await?;
    Ok(all.data.into_iter().find(|t| t.key == key).map(|t| t.body).unwrap_or_default())
}

/// `POST /console/bulk`
pub async fn send(desk: Desk, form: Multipart) -> Result<Response, Refusal> {
    let upload = Upload::read(form).await?;
    let frame = desk.frame("").await?;
    let sent = &upload.sent;
    let mut fields = vec![("channel", "sms".to_owned())];
    for name in ["body", "template", "purpose"] {
        let has_template = name == "body" && sent.filled("template").is_some();
        if let Some(text) = sent.filled(name).filter(|_| !has_template) {
            fields.push((name, text.replace("\r\n", "\n")));
        }
    }
    if sent.text("when") == "later" {
        let at = frame.times.read(sent.text("at")).map(|at| at.to_string());
        fields.push(("scheduled_for", at.unwrap_or_else(|| "no time".to_owned())));
    }
    let once = sent.filled("once");
    let problem = match upload.hand_over(&desk, "/v1/messages/bulk", fields, once).await? {
        Ok(taken) => return Ok(taken),
        Err(problem) => problem,
    };
    let part = if upload.file.is_empty() { None } else { Some(examine(&desk, &upload).await?) };
    let errors = Errors::of(&problem, &FIELDS);
    Ok(page::again(&problem, &make(&desk, sent, errors, part).await?))
}

#[cfg(test)]
impl BulkPage {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let mut errors = Errors::whole(&text());
        FIELDS.iter().for_each(|field| errors.add(field, &text()));
        Self {
            frame: Frame::sample(),
            templates: vec![Stored::sample()],
            body: text(),
            template: String::new(),
            when: "later".to_owned(),
            at: text(),
            purpose: text(),
            count: Count::of("Hi"),
            errors,
            look: Some(LookPart::sample()),
        }
    }
}

#[cfg(test)]
impl LookPart {
    pub fn sample() -> Self {
        let text = crate::page::tests::HOSTILE.replace('"', "'");
        let csv = format!("\"to\",\"{text}\"\n\"+61491570006\",\"{text}\"\n\"{text}\",\"x\"\n");
        let sheet = Sheet::read(csv.as_bytes(), None, "Hi").expect("a sheet");
        let run =
            sheet.mapping.as_ref().map(|m| DryRun::of(&sheet, m, &text, &Default::default(), &[]));
        Self { sheet: Some(sheet), run, problem: Some(text) }
    }
}
