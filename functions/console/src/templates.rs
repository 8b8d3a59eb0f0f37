//! Templates: a list, and an editor with the text as a phone shows it.

mod changes;
mod stored;

use axum::extract::Path;
use axum::http::Method;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use self::changes::{Version, VersionShown, compared};
pub use self::stored::Template;
use self::stored::{body, of};
use crate::api::{self, Listed, Problem};
use crate::desk::Desk;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::send::Count;
use crate::sent::{Errors, Sent};

const FIELDS: [&str; 8] =
    ["key", "name", "body", "kind", "channel", "dlt_template_id", "sender_id", "variables"];

#[derive(askama::Template)]
#[template(path = "templates.html")]
pub struct TemplatesPage {
    pub frame: Frame,
    pub templates: Vec<Template>,
    pub next: Option<String>,
}

#[derive(askama::Template)]
#[template(path = "template.html")]
pub struct TemplatePage {
    pub frame: Frame,
    pub template: Template,
    pub tag: String,
    pub versions: Vec<VersionShown>,
    pub errors: Errors,
    pub preview: Shown,
}

/// A text as a phone shows it, and its length.
#[derive(askama::Template)]
#[template(path = "template-preview.html")]
pub struct Shown {
    pub body: String,
    pub count: Count,
    pub names: Vec<String>,
}

impl Shown {
    fn of(template: &Template) -> Self {
        let body = template.body.clone();
        Self { count: Count::of(&body), names: template.names(), body }
    }
}

impl TemplatePage {
    pub fn is_new(&self) -> bool {
        self.template.id.is_empty()
    }
}

/// `GET /console/templates`
pub async fn list(desk: Desk, cursor: Cursor) -> Result<Response, Refusal> {
    let path = api::path("/v1/templates", &[("limit", "100"), ("cursor", &cursor.0.cursor)]);
    let found = desk.api.get::<Listed<Template>>(&path);
    let (frame, found) = futures::join!(desk.frame("Templates"), found);
    let found = found?;
    let next = found.next_cursor.map(|c| api::path("/console/templates", &[("cursor", &c)]));
    Ok(page::ok(&TemplatesPage { frame: frame?, templates: found.data, next }))
}

/// Where a list goes on.
pub type Cursor = axum::extract::Query<From>;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct From {
    pub cursor: String,
}

/// `GET /console/templates/new`
pub async fn blank(desk: Desk) -> Result<Response, Refusal> {
    let template = Template { channel: "sms".to_owned(), is_active: true, ..Template::default() };
    Ok(page::ok(&edit(&desk, template, String::new(), Errors::default()).await?))
}

/// `GET /console/templates/{id}`
pub async fn page(desk: Desk, Path(id): Path<String>) -> Result<Response, Refusal> {
    let id = by_key(&desk, &id).await?;
    let found =
        desk.api.tagged::<Template>(&format!("/v1/templates/{}", api::segment(&id))).await?;
    Ok(page::ok(&edit(&desk, found.value, found.tag, Errors::default()).await?))
}

/// Links name a template by its key, as messages do.
async fn by_key(desk: &Desk, name: &str) -> Result<String, Problem> {
    if name.starts_with("tpl_") {
        return Ok(name.to_owned());
    }
    let all: Listed<Template> = desk.api.get("/v1/templates?limit=200").await?;
    let found = all.data.into_iter().find(|template| template.key == name);
    Ok(found.map_or_else(|| name.to_owned(), |template| template.id))
}

async fn edit(
    desk: &Desk,
    template: Template,
    tag: String,
    errors: Errors,
) -> Result<TemplatePage, Problem> {
    let title = if template.id.is_empty() { "A new template" } else { &template.name };
    let frame = desk.frame(title).await?;
    let mut versions = Vec::new();
    if !template.id.is_empty() {
        let path = format!("/v1/templates/{}/versions?limit=20", api::segment(&template.id));
        // Where the API keeps them.
        if let Ok(found) = desk.api.get::<Listed<Version>>(&path).await {
            versions = compared(found.data);
        }
    }
    let preview = Shown::of(&template);
    Ok(TemplatePage { frame, template, tag, versions, errors, preview })
}

/// `POST /console/templates/preview`: a part of the page.
pub async fn preview(_: Desk, sent: Sent) -> Response {
    page::ok(&Shown::of(&of(&sent, String::new())))
}

/// `POST /console/templates`
pub async fn create(desk: Desk, sent: Sent) -> Result<Response, Refusal> {
    let template = of(&sent, String::new());
    let mut body = body(&template, true);
    body["key"] = json!(template.key);
    body["channel"] = json!("sms");
    match desk.api.post::<Template>("/v1/templates", &body, sent.filled("once")).await {
        Ok(made) => Ok(to(&made.id, "created")),
        Err(problem) => again(&desk, template, String::new(), &problem).await,
    }
}

/// `POST /console/templates/{id}`: the next version.
pub async fn update(desk: Desk, Path(id): Path<String>, sent: Sent) -> Result<Response, Refusal> {
    let path = format!("/v1/templates/{}", api::segment(&id));
    let template = of(&sent, id.clone());
    let tag = sent.text("tag").to_owned();
    match desk.api.change::<Value>(Method::PATCH, &path, &body(&template, false), &tag).await {
        Ok(_) => Ok(to(&id, "saved")),
        Err(problem) => {
            let kept: Template = desk.api.get(&path).await?;
            let template = Template {
                key: kept.key,
                version: kept.version,
                variables: kept.variables,
                ..template
            };
            again(&desk, template, tag, &problem).await
        }
    }
}

async fn again(
    desk: &Desk,
    template: Template,
    tag: String,
    problem: &Problem,
) -> Result<Response, Refusal> {
    if !matches!(problem.status, 400 | 409 | 412 | 422) {
        return Err(problem.clone().into());
    }
    let errors = match problem.status {
        412 => Errors::whole(
            "Somebody else has changed this template meanwhile. Your text is still here; open the template in another tab to compare.",
        ),
        _ if problem.code == "template_key_taken" => {
            let mut errors = Errors::default();
            errors.add("key", &problem.detail);
            errors
        }
        _ => Errors::of(problem, &FIELDS),
    };
    Ok(page::again(problem, &edit(desk, template, tag, errors).await?))
}

fn to(id: &str, done: &str) -> Response {
    Redirect::to(&format!("/console/templates/{}?done={done}", api::segment(id))).into_response()
}

#[cfg(test)]
impl TemplatesPage {
    pub fn sample() -> Self {
        let next = Some(crate::page::tests::HOSTILE.to_owned());
        Self { frame: Frame::sample(), templates: vec![Template::sample()], next }
    }
}

#[cfg(test)]
impl TemplatePage {
    pub fn sample() -> Self {
        let text = crate::page::tests::HOSTILE;
        let mut errors = Errors::whole(text);
        FIELDS.iter().for_each(|field| errors.add(field, text));
        let versions = [(1, "a"), (2, text)];
        let version = |(version, body): (u32, &str)| Version { version, body: body.to_owned() };
        Self {
            frame: Frame::sample(),
            template: Template::sample(),
            tag: text.to_owned(),
            versions: compared(versions.map(version).into()),
            errors,
            preview: Shown::of(&Template::sample()),
        }
    }
}
