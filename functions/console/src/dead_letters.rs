//! What was given up, why, and what to do with it.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{self, Listed};
use crate::desk::Desk;
use crate::figures;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::sent::Sent;
use crate::status::words;
use crate::templates::Cursor;

#[derive(Debug, Deserialize)]
pub struct DeadLetter {
    pub id: String,
    pub kind: String,
    pub reason: Option<String>,
    pub given_up_at: Option<Timestamp>,
    #[serde(default)]
    pub messages: Option<i64>,
    #[serde(default)]
    pub import_id: Option<String>,
    #[serde(default)]
    pub callback: Option<String>,
    #[serde(default)]
    pub provider: Option<String>,
    #[serde(default)]
    pub message_id: Option<String>,
    #[serde(default)]
    pub row: Option<String>,
}

impl DeadLetter {
    pub fn title(&self) -> String {
        match self.kind.as_str() {
            "pack" => format!("{} of a file", figures::of(self.messages.unwrap_or(0), "message")),
            "callback" => {
                let what = self.callback.as_deref().map_or("Something".to_owned(), words);
                let who = self.provider.as_deref().map_or("a provider".to_owned(), words);
                format!("{what} from {who}")
            }
            "row" => {
                format!("A stored {} that cannot be read", self.row.as_deref().unwrap_or("row"))
            }
            other => words(other),
        }
    }

    pub fn why(&self) -> String {
        self.reason.as_deref().map_or_else(|| "No reason is known.".to_owned(), words)
    }

    pub fn drop_means(&self) -> &'static str {
        match self.kind.as_str() {
            "pack" => "What has not been sent of it is cancelled.",
            "callback" => "What the provider said is forgotten.",
            _ => "It is left as it is, for good.",
        }
    }
}

#[derive(Template)]
#[template(path = "dead-letters.html")]
pub struct DeadLettersPage {
    pub frame: Frame,
    pub letters: Vec<DeadLetter>,
    pub next: Option<String>,
}

/// `GET /console/dead-letters`
pub async fn page(desk: Desk, Query(from): Cursor) -> Result<Response, Refusal> {
    let path = api::path("/v1/dead-letters", &[("limit", "50"), ("cursor", &from.cursor)]);
    let found = desk.api.get::<Listed<DeadLetter>>(&path);
    let (frame, found) = futures::join!(desk.frame("Dead letters"), found);
    let found = found?;
    let next = found.next_cursor.map(|c| api::path("/console/dead-letters", &[("cursor", &c)]));
    Ok(page::ok(&DeadLettersPage { frame: frame?, letters: found.data, next }))
}

/// `POST /console/dead-letters/{id}/redrive`
pub async fn redrive(desk: Desk, Path(id): Path<String>, sent: Sent) -> Result<Response, Refusal> {
    act(&desk, &id, "redrive", &sent, "redriven").await
}

/// `POST /console/dead-letters/{id}/drop`
pub async fn drop(desk: Desk, Path(id): Path<String>, sent: Sent) -> Result<Response, Refusal> {
    act(&desk, &id, "drop", &sent, "dropped").await
}

async fn act(
    desk: &Desk,
    id: &str,
    what: &str,
    sent: &Sent,
    done: &str,
) -> Result<Response, Refusal> {
    let path = format!("/v1/dead-letters/{}/{what}", api::segment(id));
    desk.api.post::<Value>(&path, &json!({}), sent.filled("once")).await?;
    Ok(Redirect::to(&format!("/console/dead-letters?done={done}")).into_response())
}

#[cfg(test)]
impl DeadLettersPage {
    pub fn sample() -> Self {
        let text = crate::page::tests::HOSTILE;
        let letter = |kind: &str| {
            let letter = json!({
                "id": text, "kind": kind, "reason": text, "given_up_at": "2026-11-21T09:00:00Z",
                "messages": 3, "import_id": text, "callback": text, "provider": text,
                "message_id": text, "row": text,
            });
            serde_json::from_value(letter).expect("a letter")
        };
        Self {
            frame: Frame::sample(),
            letters: ["pack", "callback", "row"].map(letter).into(),
            next: Some(text.to_owned()),
        }
    }
}
