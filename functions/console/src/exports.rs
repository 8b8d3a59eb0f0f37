//! Contacts as a file for spreadsheets: asked for, followed, fetched. Its address is good for minutes, so that it is
//! asked for anew by each click and stands on no page.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::api;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::sent::Sent;
use crate::status::Status;

#[derive(Debug, Deserialize)]
pub struct Export {
    pub id: String,
    pub status: Status,
    pub error: Option<String>,
    pub rows: i64,
    pub url: Option<String>,
    pub created_by: String,
    pub created_at: Timestamp,
}

#[derive(Template)]
#[template(path = "export.html")]
pub struct ExportPage {
    pub frame: Frame,
    pub export: Export,
}

impl ExportPage {
    pub fn is_live(&self) -> bool {
        self.export.status.0 == "running"
    }
}

/// `POST /console/contacts/export`: all, or those of a segment.
pub async fn create(desk: Desk, sent: Sent) -> Result<Response, Refusal> {
    let body = match sent.filled("segment_id") {
        Some(id) => json!({"segment_id": id}),
        None => json!({}),
    };
    // The page has another form, with the same key.
    let once = sent.filled("once").map(|once| format!("export-{once}"));
    let made: Export = desk.api.post("/v1/contacts/export", &body, once.as_deref()).await?;
    Ok(Redirect::to(&format!("/console/exports/{}", api::segment(&made.id))).into_response())
}

/// `GET /console/exports/{id}`
pub async fn page(desk: Desk, Path(id): Path<String>) -> Result<Response, Refusal> {
    let path = format!("/v1/exports/{}", api::segment(&id));
    let (frame, export) = futures::join!(desk.frame("Contacts as a file"), desk.api.get(&path));
    Ok(page::ok(&ExportPage { frame: frame?, export: export? }))
}

/// `GET /console/exports/{id}/file`
pub async fn file(desk: Desk, Path(id): Path<String>) -> Result<Response, Refusal> {
    let export: Export = desk.api.get(&format!("/v1/exports/{}", api::segment(&id))).await?;
    let Some(url) = export.url else {
        let text = "This file is not written yet; its page says how far it is.";
        return Err(Refusal::new(StatusCode::NOT_FOUND, text));
    };
    Ok(Redirect::to(&url).into_response())
}

#[cfg(test)]
impl ExportPage {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let export = Export {
            id: text(),
            status: Status("completed".to_owned()),
            error: Some(text()),
            rows: 1200,
            url: Some(text()),
            created_by: text(),
            created_at: "2026-11-21T09:00:00Z".parse().expect("a time"),
        };
        Self { frame: Frame::sample(), export }
    }
}
