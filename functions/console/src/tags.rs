//! Kinds of workshops, and the sequences that they name.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::Path;
use axum::http::Method;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::api::{self, Listed, Problem};
use crate::desk::Desk;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::sent::{Errors, Sent};
use crate::sequences::Sequence;

/// Channels that a tag may name a sequence for, in the order of the page.
const CHANNELS: [&str; 4] = ["sms", "whatsapp", "whatsapp_group", "voice"];

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Tag {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub sequences: BTreeMap<String, String>,
}

#[derive(Template)]
#[template(path = "tags.html")]
pub struct TagsPage {
    pub frame: Frame,
    pub tags: Vec<Tag>,
    pub sequences: Vec<Sequence>,
    pub errors: Errors,
    pub name: String,
}

impl TagsPage {
    pub fn channels(&self) -> [(&'static str, String); 4] {
        CHANNELS.map(|name| (name, crate::message::channel(name)))
    }

    pub fn of_channel<'a>(&'a self, channel: &'a str) -> impl Iterator<Item = &'a Sequence> {
        self.sequences.iter().filter(move |sequence| sequence.channel == channel)
    }

    pub fn has(&self, tag: &Tag, channel: &str, id: &str) -> bool {
        tag.sequences.get(channel).is_some_and(|named| named == id)
    }
}

/// `GET /console/tags`
pub async fn page(desk: Desk) -> Result<Response, Refusal> {
    Ok(page::ok(&make(&desk, Errors::default(), String::new()).await?))
}

async fn make(desk: &Desk, errors: Errors, name: String) -> Result<TagsPage, Problem> {
    let (frame, tags, sequences) = futures::join!(
        desk.frame("Tags"),
        desk.api.get::<Listed<Tag>>("/v1/tags?limit=200"),
        desk.api.get::<Listed<Sequence>>("/v1/sequences?limit=200"),
    );
    Ok(TagsPage { frame: frame?, tags: tags?.data, sequences: sequences?.data, errors, name })
}

fn named(sent: &Sent) -> Value {
    let named = sent.under("sequence").filter(|(_, id)| !id.is_empty());
    Value::Object(named.map(|(channel, id)| (channel.to_owned(), json!(id))).collect::<Map<_, _>>())
}

/// `POST /console/tags`
pub async fn create(desk: Desk, sent: Sent) -> Result<Response, Refusal> {
    let body = json!({"name": sent.text("name"), "sequences": named(&sent)});
    let answer = desk.api.post::<Value>("/v1/tags", &body, sent.filled("once")).await;
    after(&desk, answer, "created", sent.text("name")).await
}

/// `POST /console/tags/{id}`
pub async fn update(desk: Desk, Path(id): Path<String>, sent: Sent) -> Result<Response, Refusal> {
    let path = format!("/v1/tags/{}", api::segment(&id));
    let body = json!({"sequences": named(&sent)});
    let answer = desk.api.change::<Value>(Method::PATCH, &path, &body, "").await;
    after(&desk, answer, "saved", "").await
}

/// `POST /console/tags/{id}/remove`
pub async fn remove(desk: Desk, Path(id): Path<String>, _: Sent) -> Result<Response, Refusal> {
    let answer = desk.api.delete(&format!("/v1/tags/{}", api::segment(&id))).await;
    after(&desk, answer.map(|()| Value::Null), "removed", "").await
}

async fn after(
    desk: &Desk,
    answer: Result<Value, Problem>,
    done: &str,
    name: &str,
) -> Result<Response, Refusal> {
    match answer {
        Ok(_) => Ok(Redirect::to(&format!("/console/tags?done={done}")).into_response()),
        Err(problem) if matches!(problem.status, 400 | 409 | 422) => {
            let errors = Errors::of(&problem, &["name"]);
            Ok(page::again(&problem, &make(desk, errors, name.to_owned()).await?))
        }
        Err(problem) => Err(problem.into()),
    }
}

#[cfg(test)]
impl Tag {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let sequences = BTreeMap::from([("sms".to_owned(), text())]);
        Self { id: text(), name: text(), description: Some(text()), sequences }
    }
}

#[cfg(test)]
impl TagsPage {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let mut errors = Errors::whole(&text());
        errors.add("name", &text());
        Self {
            frame: Frame::sample(),
            tags: vec![Tag::sample()],
            sequences: vec![Sequence::sample()],
            errors,
            name: text(),
        }
    }
}
