//! Writing a message: compose, look at what it would be, then send. Each form has a key of its own, so a double click
//! or the way back sends nothing twice.

use askama::Template;
use axum::extract::Query;
use axum::response::{IntoResponse as _, Redirect, Response};
use carillon_domain::integration::Money;
use carillon_domain::segments::{self, Encoding};
use carillon_domain::template::Template as Text;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::api::{self, Listed, Problem};
use crate::desk::Desk;
use crate::figures;
use crate::frame::Frame;
use crate::message::Decision;
use crate::page::{self, Refusal};
use crate::sent::{Errors, Sent};
use crate::status::Status;
use crate::templates::Template as Stored;

/// Characters that are named when they make a text dearer.
const MOST_NAMED: usize = 5;

/// What is in the form.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    pub to: String,
    pub contact_id: String,
    pub body: String,
    pub template: String,
    pub variables: Vec<(String, String)>,
    /// `later`, or now.
    pub when: String,
    pub at: String,
    pub purpose: String,
    pub through_quiet: bool,
}

/// What the API says a message would be.
#[derive(Debug, Deserialize)]
pub struct Preview {
    pub to: String,
    pub body: String,
    pub segments: u16,
    pub gsm7_replacement: Option<String>,
    pub provider: Option<String>,
    pub price: Option<Money>,
    pub scheduled_for: Timestamp,
    pub decision: Status,
    pub until: Option<Timestamp>,
    pub decisions: Vec<Decision>,
}

impl Preview {
    pub fn cost(&self) -> String {
        self.price.as_ref().map_or_else(|| "no price is set".to_owned(), figures::money)
    }

    pub fn provider_word(&self) -> String {
        self.provider.as_deref().map_or_else(|| "nobody yet".to_owned(), crate::status::words)
    }
}

/// How long a text is, as it stands.
#[derive(Template)]
#[template(path = "count.html")]
pub struct Count {
    pub segments: u16,
    pub left: u32,
    pub encoding: &'static str,
    pub is_dear: bool,
    /// The characters that make it so.
    pub named: Vec<char>,
    pub has_variables: bool,
}

impl Count {
    pub fn of(text: &str) -> Self {
        let count = segments::count(text);
        let is_dear = count.encoding == Encoding::Ucs2;
        let mut named = Vec::new();
        for letter in text.chars().filter(|_| is_dear) {
            let alone = segments::count(letter.encode_utf8(&mut [0; 4]));
            if alone.encoding == Encoding::Ucs2
                && !named.contains(&letter)
                && named.len() < MOST_NAMED
            {
                named.push(letter);
            }
        }
        let room = match count.segments {
            0 | 1 => count.encoding.single(),
            n => count.encoding.multi() * u32::from(n),
        };
        Self {
            segments: count.segments,
            left: room.saturating_sub(count.units),
            encoding: if is_dear { "Unicode" } else { "GSM-7" },
            is_dear,
            named,
            has_variables: text.contains("{{"),
        }
    }
}

#[derive(Template)]
#[template(path = "send.html")]
pub struct SendPage {
    pub frame: Frame,
    pub draft: Draft,
    pub templates: Vec<Stored>,
    pub count: Count,
    pub errors: Errors,
}

impl SendPage {
    /// What the API calls a variable.
    fn field(&self, name: &str) -> String {
        format!("variables.{name}")
    }
}

#[derive(Template)]
#[template(path = "send-preview.html")]
pub struct PreviewPage {
    pub frame: Frame,
    pub draft: Draft,
    pub preview: Preview,
    /// When it would go, in words; none for at once.
    pub when: Option<String>,
    pub until: Option<String>,
    /// The key of the form, from its first showing on.
    pub once: String,
    pub errors: Errors,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Start {
    to: String,
    template: String,
    contact_id: String,
}

/// `GET /console/send`: `to` and `template` may be in the address.
pub async fn page(desk: Desk, Query(start): Query<Start>) -> Result<Response, Refusal> {
    let Start { to, template, contact_id } = start;
    let draft = Draft { to, template, contact_id, ..Draft::default() };
    Ok(page::ok(&compose(&desk, draft, Errors::default()).await?))
}

/// `POST /console/send/edit`: the form as it is, with what a template needs.
pub async fn edit(desk: Desk, sent: Sent) -> Result<Response, Refusal> {
    Ok(page::ok(&compose(&desk, Draft::of(&sent), Errors::default()).await?))
}

/// `POST /console/send/count`: a part of the page.
pub async fn count(_: Desk, sent: Sent) -> Response {
    page::ok(&Count::of(sent.text("body")))
}

/// `POST /console/send/preview`: nothing is sent.
pub async fn preview(desk: Desk, sent: Sent) -> Result<Response, Refusal> {
    let draft = Draft::of(&sent);
    match look(&desk, &draft, desk.once(), Errors::default()).await? {
        Ok(page) => Ok(page::ok(&page)),
        Err(problem) => refused(&desk, draft, &problem).await,
    }
}

/// `POST /console/send`
pub async fn send(desk: Desk, sent: Sent) -> Result<Response, Refusal> {
    let draft = Draft::of(&sent);
    let once = sent.text("once").to_owned();
    let frame = desk.frame("").await?;
    let body = draft.request(&frame);
    match desk.api.post::<Value>("/v1/messages", &body, Some(&once)).await {
        Ok(message) => {
            let id = api::segment(message["id"].as_str().unwrap_or_default());
            Ok(Redirect::to(&format!("/console/messages/{id}?done=sent")).into_response())
        }
        // Another text under the key of a form that was sent already.
        Err(problem) if problem.code == "idempotency_key_reused" => {
            let text = "The message that this form was for has been sent already. This is \
                        another text: look at it once more, and send it if you mean it.";
            match look(&desk, &draft, desk.once(), Errors::whole(text)).await? {
                Ok(page) => Ok(page::again(&problem, &page)),
                Err(problem) => refused(&desk, draft, &problem).await,
            }
        }
        Err(problem) => refused(&desk, draft, &problem).await,
    }
}

async fn refused(desk: &Desk, draft: Draft, problem: &Problem) -> Result<Response, Refusal> {
    if !matches!(problem.status, 400 | 409 | 422) {
        return Err(problem.clone().into());
    }
    let errors = Errors::of(problem, &["to", "body", "template", "scheduled_for", "purpose", "*"]);
    Ok(page::again(problem, &compose(desk, draft, errors).await?))
}

async fn look(
    desk: &Desk,
    draft: &Draft,
    once: String,
    errors: Errors,
) -> Result<Result<PreviewPage, Problem>, Problem> {
    let frame = desk.frame("Look before you send").await?;
    let asked = draft.request(&frame);
    let preview: Preview = match desk.api.post("/v1/messages/preview", &asked, None).await {
        Ok(preview) => preview,
        Err(problem) => return Ok(Err(problem)),
    };
    let is_later = preview.scheduled_for > desk.now;
    let when = is_later.then(|| frame.times.words(&preview.scheduled_for));
    let until = preview.until.map(|until| frame.times.words(&until));
    Ok(Ok(PreviewPage { frame, draft: draft.clone(), preview, when, until, once, errors }))
}

async fn compose(desk: &Desk, mut draft: Draft, errors: Errors) -> Result<SendPage, Problem> {
    let templates = desk.api.get::<Listed<Stored>>("/v1/templates?limit=200");
    let (frame, templates) = futures::join!(desk.frame("Send a message"), templates);
    let mut templates = templates?.data;
    templates.retain(|template| template.is_active);
    let chosen = templates.iter().find(|t| t.key == draft.template || t.id == draft.template);
    let names = match chosen {
        Some(template) => template.names(),
        None => Text::parse(&draft.body)
            .map(|text| text.variables().into_iter().collect())
            .unwrap_or_default(),
    };
    let given = |name: &String| {
        let given = draft.variables.iter().find(|(known, _)| known == name);
        given.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    draft.variables = names.iter().map(|name| (name.clone(), given(name))).collect();
    if let Some(template) = chosen {
        draft.template = template.key.clone();
    }
    let count = Count::of(chosen.map_or(&draft.body, |template| &template.body));
    Ok(SendPage { frame: frame?, draft, templates, count, errors })
}

impl Draft {
    fn of(sent: &Sent) -> Self {
        let text = |name: &str| sent.text(name).to_owned();
        Self {
            to: text("to"),
            contact_id: text("contact_id"),
            body: text("body").replace("\r\n", "\n"),
            template: text("template"),
            variables: sent.under("var").map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            when: text("when"),
            at: text("at"),
            purpose: text("purpose"),
            through_quiet: sent.has("through_quiet"),
        }
    }

    /// As the API takes it.
    fn request(&self, frame: &Frame) -> Value {
        let mut body = json!({"channel": "sms"});
        let mut put = |name: &str, value: &str| {
            if !value.is_empty() {
                body[name] = json!(value);
            }
        };
        put("to", &self.to);
        put("contact_id", &self.contact_id);
        put("template", &self.template);
        put("purpose", &self.purpose);
        if self.template.is_empty() {
            put("body", &self.body);
        }
        if self.when == "later" {
            let at = frame.times.read(&self.at).map(|at| at.to_string());
            let unreadable = if self.at.is_empty() { "no time" } else { &self.at };
            put("scheduled_for", at.as_deref().unwrap_or(unreadable));
        }
        let given = self.variables.iter().filter(|(_, value)| !value.is_empty());
        let variables: Map<String, Value> =
            given.map(|(name, value)| (name.clone(), json!(value))).collect();
        if !variables.is_empty() {
            body["variables"] = Value::Object(variables);
        }
        if self.through_quiet {
            body["override_quiet_hours"] = json!(true);
        }
        body
    }

    pub fn is_later(&self) -> bool {
        self.when == "later"
    }
}

#[cfg(test)]
impl Draft {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        Self {
            to: text(),
            contact_id: text(),
            body: text(),
            template: String::new(),
            variables: vec![(text(), text())],
            when: "later".to_owned(),
            at: text(),
            purpose: "promotional".to_owned(),
            through_quiet: true,
        }
    }
}

#[cfg(test)]
impl SendPage {
    pub fn sample() -> Self {
        let mut errors = Errors::whole(crate::page::tests::HOSTILE);
        for field in ["to", "body", "template", "scheduled_for"] {
            errors.add(field, crate::page::tests::HOSTILE);
        }
        Self {
            frame: Frame::sample(),
            draft: Draft::sample(),
            templates: vec![Stored::sample()],
            count: Count::of("ß ☃ {{ name }}"),
            errors,
        }
    }
}

#[cfg(test)]
impl PreviewPage {
    pub fn sample() -> Self {
        let text = crate::page::tests::HOSTILE;
        let at = "2026-11-21T09:00:00Z";
        let preview = json!({
            "to": text, "body": text, "segments": 1, "encoding": "ucs2", "gsm7_replacement": text,
            "provider": text, "price": {"amount": text, "currency": text}, "scheduled_for": at,
            "decision": "deferred", "until": at,
            "decisions": [{"at": at, "decision": "deferred", "until": at, "detail": text}],
        });
        Self {
            frame: Frame::sample(),
            draft: Draft::sample(),
            preview: serde_json::from_value(preview).expect("a preview"),
            when: Some(text.to_owned()),
            until: Some(text.to_owned()),
            once: "once".to_owned(),
            errors: Errors::whole(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_names_what_makes_a_text_dear() {
        let count = Count::of("See you at 7 ☃ – “soon” ☃");
        assert_eq!((count.encoding, count.segments), ("Unicode", 1));
        assert_eq!(count.named, ['☃', '–', '“', '”']);
        let count = Count::of(&"a".repeat(161));
        assert_eq!((count.segments, count.left, count.is_dear), (2, 145, false));
        assert_eq!(Count::of("").left, 160);
    }
}
