//! How far a file is: rows read, and what became of their messages.

use askama::Template;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Request;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;

use crate::api;
use crate::chart::{self, Svg};
use crate::contact_import::{ContactImport, ContactImportPage};
use crate::counts::Counts;
use crate::desk::Desk;
use crate::figures;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::status::Status;

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
    pub messages: Counts,
    pub scheduled_for: Timestamp,
    pub created_by: String,
    pub created_at: Timestamp,
}

#[derive(Template)]
#[template(path = "import.html")]
pub struct ImportPage {
    pub frame: Frame,
    pub import: Import,
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
    let is_new = desk.now.duration_since(import.created_at).as_secs() < FOLLOWED;
    let is_live = is_new && (import.status.0 == "running" || !import.messages.is_settled());
    Ok(page::ok(&ImportPage {
        read: chart::bar(&[
            ("good", "Accepted", import.accepted),
            ("off", "Duplicates", import.duplicates),
            ("bad", "Rejected", import.rejected),
            ("rest", "Not read yet", import.rows - import.processed),
        ]),
        bar: import.messages.bar(),
        frame,
        import,
        is_live,
    }))
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
            messages: Counts { delivered: 3, ..Counts::default() },
            scheduled_for: at,
            created_by: text(),
            created_at: at,
        };
        let bar = import.messages.bar();
        let read = chart::bar(&[("good", "Accepted", 3)]);
        Self { frame: Frame::sample(), import, read, bar, is_live: true }
    }
}
