//! How far a file of people is: rows read, and what they did to the contacts.

use askama::Template;
use jiff::Timestamp;
use serde::Deserialize;

use crate::chart::{self, Svg};
use crate::figures;
use crate::frame::Frame;
use crate::status::Status;

/// Seconds for which the page follows a file.
const FOLLOWED: i64 = 24 * 3600;

#[derive(Debug, Deserialize)]
pub struct ContactImport {
    pub id: String,
    pub status: Status,
    pub error: Option<String>,
    pub rows: i64,
    pub processed: i64,
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub duplicates: i64,
    pub rejected: i64,
    pub dry_run: bool,
    pub labels: Vec<String>,
    pub created_by: String,
    pub created_at: Timestamp,
}

#[derive(Template)]
#[template(path = "contact-import.html")]
pub struct ContactImportPage {
    pub frame: Frame,
    pub import: ContactImport,
    pub bar: Svg,
    pub is_live: bool,
}

impl ContactImportPage {
    pub fn of(frame: Frame, import: ContactImport) -> Self {
        let age = frame.times.now.duration_since(import.created_at).as_secs();
        Self {
            is_live: age < FOLLOWED && import.status.0 == "running",
            bar: chart::bar(&[
                ("good", "Made", import.created),
                ("sent", "Changed", import.updated),
                ("off", "As they were", import.unchanged + import.duplicates),
                ("bad", "Rejected", import.rejected),
                ("rest", "Not read yet", import.rows - import.processed),
            ]),
            frame,
            import,
        }
    }

    pub fn figure(&self, n: &i64) -> String {
        figures::count(*n)
    }
}

#[cfg(test)]
impl ContactImportPage {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let import = ContactImport {
            id: text(),
            status: Status("running".to_owned()),
            error: Some(text()),
            rows: 10,
            processed: 5,
            created: 1,
            updated: 1,
            unchanged: 1,
            duplicates: 1,
            rejected: 1,
            dry_run: true,
            labels: vec![text()],
            created_by: text(),
            created_at: "2026-11-21T09:00:00Z".parse().expect("a time"),
        };
        Self::of(Frame::sample(), import)
    }
}
