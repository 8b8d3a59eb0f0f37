//! Writing a message: compose, look at what it would be, then send. Each form has a key of its own, so a double click
//! or the way back sends nothing twice. What a channel needs is asked for; one without an account says so.

mod count;
mod draft;
mod preview;

use askama::Template;
use axum::extract::Query;
use axum::response::{IntoResponse as _, Redirect, Response};
use carillon_domain::Channel;
use carillon_domain::template::Template as Text;
use serde::Deserialize;
use serde_json::Value;

pub use self::count::Count;
use self::draft::Draft;
#[cfg(test)]
pub use self::preview::PreviewPage;
use self::preview::look;
use crate::api::{self, Listed, Problem};
use crate::desk::Desk;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::sent::{Errors, Sent};
use crate::templates::Template as Stored;

#[derive(Template)]
#[template(path = "send.html")]
pub struct SendPage {
    pub frame: Frame,
    pub tabs: Vec<Tab>,
    pub channel: Channel,
    /// Somebody can be written to on this channel.
    pub is_open: bool,
    pub draft: Draft,
    pub templates: Vec<Stored>,
    pub count: Count,
    pub errors: Errors,
}

/// A channel to choose.
pub struct Tab {
    pub path: String,
    pub name: String,
    pub is_here: bool,
}

impl SendPage {
    pub fn channel_word(&self) -> String {
        crate::message::channel(self.channel.as_str())
    }

    /// WhatsApp takes nothing but what it has approved.
    pub fn is_free(&self) -> bool {
        matches!(self.channel, Channel::Sms | Channel::Voice)
    }

    pub fn is_sms(&self) -> bool {
        self.channel == Channel::Sms
    }

    /// What the API calls a variable.
    fn field(&self, name: &str) -> String {
        format!("variables.{name}")
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Start {
    to: String,
    template: String,
    contact_id: String,
    channel: String,
}

/// `GET /console/send`: channel, `to` and `template` may be in the address.
pub async fn page(desk: Desk, Query(start): Query<Start>) -> Result<Response, Refusal> {
    let Start { to, template, contact_id, channel } = start;
    let draft = Draft { to, template, contact_id, channel, ..Draft::default() };
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

async fn compose(desk: &Desk, mut draft: Draft, errors: Errors) -> Result<SendPage, Problem> {
    let (frame, templates, accounts) = futures::join!(
        desk.frame("Send a message"),
        desk.api.get::<Listed<Stored>>("/v1/templates?limit=200"),
        crate::today::accounts(desk),
    );
    let mut templates = templates?.data;
    templates.retain(|template| template.is_active);
    if draft.channel.is_empty() {
        let named = templates.iter().find(|t| t.key == draft.template || t.id == draft.template);
        draft.channel = named.map(|template| template.channel.clone()).unwrap_or_default();
    }
    let channel = draft::channel(&draft.channel);
    channel.as_str().clone_into(&mut draft.channel);
    templates.retain(|template| template.channel == draft.channel);
    // An SMS may go by an account of the installation.
    let is_open = channel == Channel::Sms
        || accounts?.iter().any(|a| a.configured && a.enabled && a.channel == draft.channel);
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
    let tabs = Channel::ALL.into_iter().map(|one| tab(one, channel, &draft)).collect();
    Ok(SendPage { frame: frame?, tabs, channel, is_open, draft, templates, count, errors })
}

fn tab(channel: Channel, here: Channel, draft: &Draft) -> Tab {
    let name = channel.as_str();
    let query = [("channel", name), ("to", &*draft.to), ("contact_id", &*draft.contact_id)];
    Tab {
        path: api::path("/console/send", &query),
        name: crate::message::channel(name),
        is_here: channel == here,
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
            tabs: vec![tab(Channel::Sms, Channel::Sms, &Draft::sample())],
            channel: Channel::Sms,
            is_open: true,
            draft: Draft::sample(),
            templates: vec![Stored::sample()],
            count: Count::of("ß ☃ {{ name }}"),
            errors,
        }
    }
}
