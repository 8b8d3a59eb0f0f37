//! Kinds of workshops, and the sequences that they name; a sequence is drawn on the line of its days.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::Path;
use axum::http::Method;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::api::{self, Listed, Problem, Tagged};
use crate::desk::Desk;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::sent::{Errors, Sent};
use crate::templates::Template as Stored;

/// Channels that a tag may name a sequence for, in the order of the page.
const CHANNELS: [&str; 4] = ["sms", "whatsapp", "whatsapp_group", "voice"];
/// Blank lines of the form for steps.
const BLANK: usize = 2;

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Tag {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub sequences: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Sequence {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub channel: String,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Step {
    pub id: String,
    pub template: String,
    pub send_time: Option<String>,
    pub offset: Option<String>,
    pub day: i64,
    pub label: Option<String>,
    pub order: i64,
    pub variables: BTreeMap<String, String>,
}

impl Sequence {
    pub fn length(&self) -> i64 {
        i64::try_from(self.steps.len()).unwrap_or(i64::MAX)
    }

    pub fn channel_word(&self) -> String {
        crate::message::channel(&self.channel)
    }
}

impl Step {
    /// `The day before, 18:00`
    pub fn when(&self) -> String {
        let day = match self.day {
            0 => "On the day".to_owned(),
            -1 => "The day before".to_owned(),
            1 => "The day after".to_owned(),
            n if n < 0 => format!("{} days before", -n),
            n => format!("{n} days after"),
        };
        match (&self.send_time, &self.offset) {
            (Some(time), _) => format!("{day}, {time}"),
            (None, Some(offset)) => said(offset),
            (None, None) => day,
        }
    }

    pub fn time(&self) -> &str {
        self.send_time.as_deref().or(self.offset.as_deref()).unwrap_or_default()
    }

    pub fn name(&self) -> &str {
        self.label.as_deref().unwrap_or_default()
    }
}

/// `-PT2H` as `2 hours before it begins`.
fn said(offset: &str) -> String {
    let (offset, side) = match offset.strip_prefix('-') {
        Some(rest) => (rest, "before"),
        None => (offset, "after"),
    };
    let text = offset.trim_start_matches("PT").replace('H', " h ").replace('M', " min ");
    let text = text.trim();
    if text.is_empty() || text == "0 min" {
        "When it begins".to_owned()
    } else {
        format!("{text} {side} it begins")
    }
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
pub async fn sequences(desk: Desk) -> Result<Response, Refusal> {
    Ok(page::ok(&make_sequences(&desk, Errors::default(), String::new()).await?))
}

async fn make_sequences(
    desk: &Desk,
    errors: Errors,
    name: String,
) -> Result<SequencesPage, Problem> {
    let found = desk.api.get::<Listed<Sequence>>("/v1/sequences?limit=200");
    let (frame, found) = futures::join!(desk.frame("Sequences"), found);
    Ok(SequencesPage { frame: frame?, sequences: found?.data, errors, name })
}

/// `POST /console/sequences`: empty, to be filled on its page.
pub async fn create_sequence(desk: Desk, sent: Sent) -> Result<Response, Refusal> {
    let body = json!({"name": sent.text("name"), "channel": sent.text("channel"), "steps": []});
    match desk.api.post::<Sequence>("/v1/sequences", &body, sent.filled("once")).await {
        Ok(made) => Ok(to(&made.id, "created")),
        Err(problem) if matches!(problem.status, 400 | 409 | 422) => {
            let errors = Errors::of(&problem, &["name", "channel"]);
            let page = make_sequences(&desk, errors, sent.text("name").to_owned()).await?;
            Ok(page::again(&problem, &page))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// `GET /console/sequences/{id}`
pub async fn sequence(desk: Desk, Path(id): Path<String>) -> Result<Response, Refusal> {
    Ok(page::ok(&make_sequence(&desk, &id, None, Errors::default()).await?))
}

async fn make_sequence(
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
pub async fn update_sequence(
    desk: Desk,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, Refusal> {
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
            Ok(page::again(&problem, &make_sequence(&desk, &id, Some((lines, tag)), errors).await?))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Lines with a template; what the form does not show is kept.
fn lines(sent: &Sent, before: &Sequence) -> Vec<Step> {
    let mut lines = Vec::new();
    for (n, template) in sent.under("template") {
        if template.is_empty() {
            continue;
        }
        let text = |name: &str| sent.text(&format!("{name}.{n}")).to_owned();
        let id = text("id");
        let kept = before.steps.iter().find(|step| step.id == id).cloned().unwrap_or_default();
        let time = text("time");
        let is_offset = time.contains('P');
        lines.push(Step {
            id,
            template: template.to_owned(),
            send_time: Some(time.clone()).filter(|_| !is_offset),
            offset: Some(time).filter(|_| is_offset),
            day: text("day").parse().unwrap_or(0),
            label: Some(text("label")).filter(|label| !label.is_empty()),
            ..kept
        });
    }
    lines
}

fn body(step: &Step) -> Value {
    let mut body =
        json!({"template": step.template, "label": step.label, "variables": step.variables});
    if !step.id.is_empty() {
        body["id"] = json!(step.id);
    }
    match &step.offset {
        Some(offset) => body["offset"] = json!(offset),
        None => {
            body["send_time"] = json!(step.send_time);
            body["day"] = json!(step.day);
        }
    }
    body
}

/// `POST /console/sequences/{id}/remove`
pub async fn remove_sequence(
    desk: Desk,
    Path(id): Path<String>,
    _: Sent,
) -> Result<Response, Refusal> {
    match desk.api.delete(&format!("/v1/sequences/{}", api::segment(&id))).await {
        Ok(()) => Ok(Redirect::to("/console/sequences?done=removed").into_response()),
        Err(problem) if problem.status == 409 => {
            let errors = Errors::whole(&problem.detail);
            Ok(page::again(&problem, &make_sequence(&desk, &id, None, errors).await?))
        }
        Err(problem) => Err(problem.into()),
    }
}

fn to(id: &str, done: &str) -> Response {
    Redirect::to(&format!("/console/sequences/{}?done={done}", api::segment(id))).into_response()
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
impl Sequence {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let step = Step {
            id: text(),
            template: text(),
            send_time: Some(text()),
            label: Some(text()),
            day: -1,
            ..Step::default()
        };
        Self {
            id: text(),
            name: text(),
            description: Some(text()),
            channel: "sms".to_owned(),
            steps: vec![step],
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_step_is_said_in_words() {
        let at = |day, time: Option<&str>, offset: Option<&str>| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            Step { day, send_time: owned(time), offset: owned(offset), ..Step::default() }.when()
        };
        assert_eq!(at(0, Some("11:00"), None), "On the day, 11:00");
        assert_eq!(at(-1, Some("18:00"), None), "The day before, 18:00");
        assert_eq!(at(3, Some("9:00"), None), "3 days after, 9:00");
        assert_eq!(at(0, None, Some("-PT2H")), "2 h before it begins");
        assert_eq!(at(0, None, Some("PT1H30M")), "1 h 30 min after it begins");
    }
}
