//! How far a file is: rows read, and what became of their messages.

use askama::Template;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Request;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;

use crate::api::{self, Listed, Problem};
use crate::chart::{self, Svg};
use crate::contact_import::{ContactImport, ContactImportPage};
use crate::desk::Desk;
use crate::figures;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::status::Status;

/// Pages of messages that are counted: two thousand of them.
const MOST_PAGES: usize = 10;
/// Seconds for which the page follows a file.
const FOLLOWED: i64 = 24 * 3600;

#[derive(Debug, Deserialize)]
pub struct Import {
    pub id: String,
    pub status: Status,
    pub error: Option<String>,
    pub rows: i64,
    pub processed: i64,
    pub accepted: i64,
    pub duplicates: i64,
    pub rejected: i64,
    pub scheduled_for: Timestamp,
    pub created_by: String,
    pub created_at: Timestamp,
}

/// A state, for counting.
#[derive(Deserialize)]
struct Stated {
    status: Status,
}

/// How many messages are in each state.
#[derive(Default)]
pub struct States {
    pub waiting: i64,
    pub sending: i64,
    pub sent: i64,
    pub delivered: i64,
    pub failed: i64,
    pub unknown: i64,
    pub off: i64,
    /// There are more than were counted.
    pub is_part: bool,
}

impl States {
    fn add(&mut self, status: &Status) {
        let place = match status.0.as_str() {
            "pending" | "queued" => &mut self.waiting,
            "sending" => &mut self.sending,
            "sent" => &mut self.sent,
            "delivered" | "read" => &mut self.delivered,
            "failed" => &mut self.failed,
            "unknown" => &mut self.unknown,
            _ => &mut self.off,
        };
        *place += 1;
    }

    pub fn parts(&self) -> [(&'static str, &'static str, i64); 7] {
        [
            ("good", "Delivered", self.delivered),
            ("sent", "Sent", self.sent),
            ("wait", "Sending", self.sending),
            ("bad", "Failed", self.failed),
            ("doubt", "Unknown", self.unknown),
            ("off", "Not sent", self.off),
            ("rest", "Waiting", self.waiting),
        ]
    }

    fn is_settled(&self) -> bool {
        self.waiting + self.sending + self.sent + self.unknown == 0
    }
}

#[derive(Template)]
#[template(path = "import.html")]
pub struct ImportPage {
    pub frame: Frame,
    pub import: Import,
    pub states: States,
    pub read: Svg,
    pub bar: Svg,
    pub is_live: bool,
}

impl ImportPage {
    pub fn figure(&self, n: &i64) -> String {
        figures::count(*n)
    }
}

/// A file of recipients or of people.
#[derive(Deserialize)]
#[serde(untagged)]
enum AnyImport {
    Messages(Import),
    Contacts(ContactImport),
}

/// `GET /console/imports/{id}`
pub async fn page(desk: Desk, Path(id): Path<String>) -> Result<Response, Refusal> {
    let path = format!("/v1/imports/{}", api::segment(&id));
    let (frame, import) = futures::join!(desk.frame("A file"), desk.api.get::<AnyImport>(&path));
    let (frame, import) = match (frame?, import?) {
        (frame, AnyImport::Messages(import)) => (frame, import),
        (frame, AnyImport::Contacts(import)) => {
            return Ok(page::ok(&ContactImportPage::of(frame, import)));
        }
    };
    let states = count(&desk, &import.id).await?;
    let is_new = desk.now.duration_since(import.created_at).as_secs() < FOLLOWED;
    let is_live = is_new && (import.status.0 == "running" || !states.is_settled());
    Ok(page::ok(&ImportPage {
        read: chart::bar(&[
            ("good", "Accepted", import.accepted),
            ("off", "Duplicates", import.duplicates),
            ("bad", "Rejected", import.rejected),
            ("rest", "Not read yet", import.rows - import.processed),
        ]),
        bar: chart::bar(&states.parts()),
        frame,
        import,
        states,
        is_live,
    }))
}

async fn count(desk: &Desk, id: &str) -> Result<States, Problem> {
    let mut states = States::default();
    let mut cursor = String::new();
    for _ in 0..MOST_PAGES {
        let query = [("import_id", id), ("limit", "200"), ("cursor", &*cursor)];
        let found: Listed<Stated> = desk.api.get(&api::path("/v1/messages", &query)).await?;
        found.data.iter().for_each(|message| states.add(&message.status));
        match found.next_cursor {
            Some(next) => cursor = next,
            None => return Ok(states),
        }
    }
    states.is_part = true;
    Ok(states)
}

/// `GET /console/imports/{id}/rejected`: a file for spreadsheets.
pub async fn rejected(desk: Desk, Path(id): Path<String>) -> Result<Response, Refusal> {
    let path = format!("/v1/imports/{}/rejected", api::segment(&id));
    let response = desk.api.ask(Request::get(path), Body::empty()).await;
    if response.status().is_success() {
        Ok(response)
    } else {
        Err(api::refused(response).await.into())
    }
}

#[cfg(test)]
impl ImportPage {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let at: Timestamp = "2026-11-21T09:00:00Z".parse().expect("a time");
        let import = Import {
            id: text(),
            status: Status("failed".to_owned()),
            error: Some(text()),
            rows: 10,
            processed: 5,
            accepted: 3,
            duplicates: 1,
            rejected: 1,
            scheduled_for: at,
            created_by: text(),
            created_at: at,
        };
        let states = States { delivered: 3, is_part: true, ..States::default() };
        let bar = chart::bar(&states.parts());
        let read = chart::bar(&[("good", "Accepted", 3)]);
        Self { frame: Frame::sample(), import, states, read, bar, is_live: true }
    }
}
