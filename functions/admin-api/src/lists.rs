//! Lists: `limit`, an opaque `cursor`, `{"data", "next_cursor"}`.

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::extract::Params;
use crate::problem::Problem;

const DEFAULT: usize = 50;
const MOST: usize = 200;

/// # Errors
/// 400 when it is not a number from 1 to 200.
pub fn limit(params: &Params) -> Result<usize, Problem> {
    let read = |text: &str| text.parse().ok().filter(|n| (1..=MOST).contains(n));
    Ok(params.read("limit", read)?.unwrap_or(DEFAULT))
}

/// What a cursor of ours says, in parts.
///
/// # Errors
/// 400 when it is not one of ours.
pub fn cursor(params: &Params) -> Result<Option<Vec<String>>, Problem> {
    let Some(text) = params.get("cursor") else { return Ok(None) };
    let parts = URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Vec<String>>(&bytes).ok());
    parts.map(Some).ok_or_else(invalid_cursor)
}

pub fn invalid_cursor() -> Problem {
    let detail = "This cursor is not one that this list gave; begin without a cursor.";
    Problem::new(StatusCode::BAD_REQUEST, "invalid_cursor", detail)
}

pub fn page(data: Vec<Value>, next: Option<&[String]>) -> Value {
    let cursor = next.map(|parts| URL_SAFE_NO_PAD.encode(json!(parts).to_string()));
    json!({"data": data, "next_cursor": cursor})
}
