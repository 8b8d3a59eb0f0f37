//! Fast2SMS's bulk API, wallet and delivery reports.
//!
//! Source: docs.fast2sms.com (DLT, Quick, OTP, error code list, webhook); shapes of reports by what
//! public clients parse.

mod check;
mod report;
mod send;

use axum::{
    Json, Router,
    response::{IntoResponse, Response},
    routing::{any, get},
};
use http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use serde_json::json;

use crate::{app::Shared, database::State, fault::Answer};

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/dev/bulkV2", get(send::by_query).post(send::by_body))
        .route("/dev/bulk", any(old))
        .route("/dev/wallet", get(report::wallet).post(report::wallet))
        .route("/dev/dlr/{request_id}", get(report::pull))
}

async fn old() -> Response {
    reply(&Refusal::of(990))
}

/// A request that Fast2SMS does not take.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub code: u32,
    message: String,
}

impl Refusal {
    pub fn of(code: u32) -> Self {
        Self::new(code, explanation(code))
    }

    pub fn new(code: u32, message: &str) -> Self {
        Self { code, message: message.to_owned() }
    }

    /// The body's 500 is a blacklisted template, not a broken server: 400.
    fn status(&self) -> u16 {
        match self.code {
            412 | 413 => 401,
            429 => 429,
            503 => 503,
            _ => 400,
        }
    }

    pub fn answer(&self) -> Answer {
        let document = json!({"return": false, "status_code": self.code, "message": self.message});
        Answer::Json(self.status(), document)
    }
}

fn reply(refusal: &Refusal) -> Response {
    match refusal.answer() {
        Answer::Json(status, document) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            (status, Json(document)).into_response()
        }
        _ => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// The official error code list.
fn explanation(code: u32) -> &'static str {
    match code {
        401 => "Sender ID is missing",
        402 => "Message is missing",
        403 => "Route is missing",
        404 => "Language is missing",
        405 => "Numbers are missing",
        406 => "Invalid Sender ID",
        407 => "Message contains spam or forbidden words",
        408 => "Invalid Route",
        409 => "Invalid Route Authentication",
        410 => "Invalid Language",
        411 => "Invalid Numbers",
        412 => "Invalid Authentication, Check Authorization Key",
        413 => "Authorization Key is disabled",
        414 => "IP is blacklisted from Dev API section",
        415 => "Account is disabled",
        416 => "You don't have sufficient wallet balance",
        417 => "Language should be english or unicode",
        424 => "Invalid Message ID",
        425 => "Invalid Template",
        426 => "Links are not allowed in variables",
        429 => "Too many requests",
        500 => "Template or Sender ID is blacklisted at DLT",
        503 => "Service unavailable",
        990 => "Old API, use the new one",
        995 => "Spamming detected: same number hit repeatedly",
        996 => "Complete website verification to use the OTP route",
        997 => "Only digits are allowed in the OTP route",
        998 => "Use the DLT or Quick route for bulk",
        999 => "Complete one transaction of 100 INR before using the API",
        _ => "Simulated refusal",
    }
}

/// The key of a request: header, or the query that Fast2SMS also takes.
fn key(headers: &HeaderMap, query: Option<&str>) -> Option<String> {
    headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .or(query)
        .map(str::trim)
        .filter(|key| !key.is_empty())
        .map(str::to_owned)
}

fn admits(state: &State, key: Option<&String>) -> bool {
    let keys = &state.settings.fast2sms_keys;
    key.is_some_and(|key| keys.is_empty() || keys.contains(key))
}
