//! One message: its story first, then all that is known of it, and what can be done.

use askama::Template;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use carillon_domain::Failure;
use carillon_domain::integration::Money;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{self, Problem};
use crate::desk::Desk;
use crate::figures;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::sent::{Errors, Sent};
use crate::status::{Status, words};
use crate::when::Times;

/// A message as the API shows it.
#[derive(Debug, Deserialize)]
pub struct Message {
    pub id: String,
    pub direction: String,
    pub channel: String,
    pub to: Option<String>,
    pub from: Option<String>,
    pub contact_id: Option<String>,
    pub status: Status,
    pub body: String,
    pub segments: u16,
    pub encoding: Option<String>,
    pub template: Option<String>,
    pub scheduled_for: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub purpose: String,
    pub provider: Option<String>,
    pub price: Option<Money>,
    pub error: Option<Failure>,
    pub workshop_id: Option<String>,
    pub booking_id: Option<String>,
    pub import: Option<ImportRow>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
    pub attempts: Vec<Attempt>,
    pub events: Vec<Event>,
    pub decisions: Vec<Decision>,
    /// Not in lists.
    #[serde(default)]
    pub explanation: String,
}

#[derive(Debug, Deserialize)]
pub struct ImportRow {
    pub id: String,
    pub line: u32,
}

#[derive(Debug, Deserialize)]
pub struct Attempt {
    pub number: u16,
    pub provider: String,
    pub started_at: Timestamp,
    pub outcome: Status,
    pub error: Option<Failure>,
    pub response: Answered,
}

#[derive(Debug, Deserialize)]
pub struct Answered {
    pub http_status: Option<u16>,
    pub code: Option<String>,
    pub text: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Event {
    #[serde(rename = "type")]
    pub kind: Status,
    pub at: Timestamp,
    pub source: String,
}

#[derive(Debug, Deserialize)]
pub struct Decision {
    pub at: Timestamp,
    pub decision: String,
    pub detail: String,
}

/// Something on the time line.
pub struct Entry {
    pub at: Timestamp,
    pub title: String,
    pub text: String,
    pub icon: &'static str,
    pub class: &'static str,
}

/// Characters of a text that a list shows.
const SHORT: usize = 90;

impl Message {
    /// The other one: to whom, or from whom.
    pub fn person(&self) -> &str {
        let person = if self.direction == "inbound" { &self.from } else { &self.to };
        person.as_deref().unwrap_or("Forgotten")
    }

    pub fn short(&self) -> String {
        match self.body.char_indices().nth(SHORT) {
            Some((end, _)) => format!("{} …", &self.body[..end]),
            None => self.body.clone(),
        }
    }

    pub fn cost(&self) -> String {
        self.price.as_ref().map(figures::money).unwrap_or_default()
    }

    pub fn cost_again(&self) -> String {
        let cost = self.cost();
        if cost.is_empty() { "what a message costs".to_owned() } else { cost }
    }

    pub fn channel_word(&self) -> String {
        channel(&self.channel)
    }

    /// `2 segments, GSM-7`
    pub fn size(&self) -> String {
        let segments = figures::of(i64::from(self.segments), "segment");
        match self.encoding.as_deref() {
            Some("ucs2") => format!("{segments}, Unicode"),
            Some(_) => format!("{segments}, GSM-7"),
            None => segments,
        }
    }

    /// Calls, events and decisions, as they came.
    pub fn timeline(&self) -> Vec<Entry> {
        let made = Entry {
            at: self.created_at,
            title: if self.direction == "inbound" { "Received" } else { "Made" }.to_owned(),
            text: String::new(),
            icon: "plus",
            class: "off",
        };
        let calls = self.attempts.iter().map(|attempt| Entry {
            at: attempt.started_at,
            title: format!("Given to {}", words(&attempt.provider)),
            text: attempt.error.as_ref().map(|e| e.detail.clone()).unwrap_or_default(),
            icon: "arrow-left",
            class: attempt.outcome.class(),
        });
        let events = self.events.iter().map(|event| Entry {
            at: event.at,
            title: event.kind.word(),
            text: source(&event.source).to_owned(),
            icon: event.kind.icon(),
            class: event.kind.class(),
        });
        let decisions = self.decisions.iter().map(|decision| Entry {
            at: decision.at,
            title: decided(&decision.decision),
            text: decision.detail.clone(),
            icon: "scroll-text",
            class: "doubt",
        });
        let mut all: Vec<Entry> = calls.chain(events).chain(decisions).collect();
        all.sort_by_key(|entry| entry.at);
        all.insert(0, made);
        all
    }

    /// What the API would do with it.
    fn acts(&self) -> Vec<&'static str> {
        match self.status.0.as_str() {
            "pending" | "queued" => vec!["cancel", "reschedule"],
            "failed" | "cancelled" | "suppressed" => vec!["retry"],
            "unknown" => vec!["retry", "cancel"],
            _ => Vec::new(),
        }
    }

    /// Whether it may still change by itself: soon, or a receipt is on its way.
    fn is_live(&self, now: Timestamp) -> bool {
        match self.status.0.as_str() {
            "queued" | "sending" => true,
            "pending" => self.scheduled_for.duration_since(now).as_secs() < 120,
            "sent" | "unknown" => now.duration_since(self.scheduled_for).as_secs() < 3600,
            _ => false,
        }
    }
}

impl Attempt {
    /// The provider's own words.
    pub fn answer(&self) -> String {
        let status = self.response.http_status.map(|status| status.to_string());
        let parts = [status, self.response.code.clone(), self.response.text.clone()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }
}

pub fn channel(name: &str) -> String {
    match name {
        "sms" => "SMS".to_owned(),
        "whatsapp" => "WhatsApp".to_owned(),
        "whatsapp_group" => "WhatsApp group".to_owned(),
        other => words(other),
    }
}

fn source(name: &str) -> &'static str {
    match name {
        "response" => "As the provider answered.",
        "callback" => "As the provider reported later.",
        "look_up" => "Found by asking the provider.",
        "api" => "Asked for by a person or a program.",
        _ => "",
    }
}

fn decided(name: &str) -> String {
    match name {
        "suppressed" => "Not sent".to_owned(),
        "retry" => "Will be tried again".to_owned(),
        "hold" => "Held, since nobody can tell whether it was sent".to_owned(),
        "resend" => "Will be sent again, as the organization prefers".to_owned(),
        "expired" => "Of no use any more".to_owned(),
        "gave_up" => "Given up".to_owned(),
        "deferred" => "Waits".to_owned(),
        other => words(other),
    }
}

#[derive(Template)]
#[template(path = "message.html")]
pub struct MessagePage {
    pub frame: Frame,
    pub message: Message,
    pub acts: Vec<&'static str>,
    pub is_live: bool,
    pub errors: Errors,
    /// What the form to move it says.
    pub at: String,
}

/// `GET /console/messages/{id}`
pub async fn page(desk: Desk, Path(id): Path<String>) -> Result<Response, Refusal> {
    let page = make(&desk, &id, Errors::default(), None).await?;
    Ok(page::ok(&page))
}

async fn make(
    desk: &Desk,
    id: &str,
    errors: Errors,
    at: Option<&str>,
) -> Result<MessagePage, Problem> {
    let path = format!("/v1/messages/{}", api::segment(id));
    let (frame, message) = futures::join!(desk.frame("Message"), desk.api.get::<Message>(&path));
    let (frame, message) = (frame?, message?);
    let at = at.map_or_else(|| frame.times.field(&message.scheduled_for), str::to_owned);
    let (acts, is_live) = (message.acts(), message.is_live(desk.now));
    Ok(MessagePage { frame, message, acts, is_live, errors, at })
}

/// `POST /console/messages/{id}/cancel`
pub async fn cancel(desk: Desk, Path(id): Path<String>, sent: Sent) -> Result<Response, Refusal> {
    act(&desk, &id, "cancel", &json!({}), &sent, "cancelled").await
}

/// `POST /console/messages/{id}/retry`
pub async fn retry(desk: Desk, Path(id): Path<String>, sent: Sent) -> Result<Response, Refusal> {
    act(&desk, &id, "retry", &json!({}), &sent, "retried").await
}

/// `POST /console/messages/{id}/reschedule`
pub async fn reschedule(
    desk: Desk,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, Refusal> {
    let times: Times = desk.frame("").await?.times;
    let at = times.read(sent.text("at")).map(|at| at.to_string());
    let body = json!({"scheduled_for": at.unwrap_or_else(|| sent.text("at").to_owned())});
    act(&desk, &id, "reschedule", &body, &sent, "rescheduled").await
}

async fn act(
    desk: &Desk,
    id: &str,
    what: &str,
    body: &Value,
    sent: &Sent,
    done: &str,
) -> Result<Response, Refusal> {
    let path = format!("/v1/messages/{}/{what}", api::segment(id));
    match desk.api.post::<Value>(&path, body, sent.filled("once")).await {
        Ok(_) => Ok(Redirect::to(&format!("/console/messages/{}?done={done}", api::segment(id)))
            .into_response()),
        Err(problem) if matches!(problem.status, 409 | 422) => {
            let errors = Errors::of(&problem, &["scheduled_for"]);
            let page = make(desk, id, errors, sent.filled("at")).await?;
            Ok(page::again(&problem, &page))
        }
        Err(problem) => Err(problem.into()),
    }
}

#[cfg(test)]
impl Message {
    pub fn sample() -> Self {
        let text = crate::page::tests::HOSTILE;
        let at = "2026-11-21T09:00:00Z";
        let failure = json!({"code": text, "reason": "other", "detail": text, "permanent": true});
        serde_json::from_value(json!({
            "id": text, "direction": "outbound", "channel": text, "to": text, "from": text,
            "contact_id": text, "status": "failed", "body": text, "segments": 2,
            "encoding": "ucs2", "template": text, "scheduled_for": at, "expires_at": at,
            "purpose": text, "provider": text, "price": {"amount": text, "currency": text},
            "error": failure, "workshop_id": text, "booking_id": text,
            "import": {"id": text, "line": 2}, "created_by": text, "created_at": at,
            "sent_at": at, "delivered_at": at, "explanation": text,
            "attempts": [{"number": 1, "provider": text, "started_at": at, "outcome": "refused",
                "error": failure, "response": {"http_status": 400, "code": text, "text": text}}],
            "events": [{"type": text, "at": at, "source": text}],
            "decisions": [{"at": at, "decision": text, "until": at, "detail": text}],
        }))
        .expect("a message")
    }
}

#[cfg(test)]
impl MessagePage {
    pub fn sample() -> Self {
        let mut errors = Errors::whole(crate::page::tests::HOSTILE);
        errors.add("scheduled_for", crate::page::tests::HOSTILE);
        Self {
            frame: Frame::sample(),
            message: Message::sample(),
            acts: vec!["cancel", "reschedule", "retry"],
            is_live: true,
            errors,
            at: crate::page::tests::HOSTILE.to_owned(),
        }
    }
}
