//! Lists: `limit`, an opaque `cursor`, `{"data", "next_cursor"}`.

use axum::http::StatusCode;
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

/// What a cursor of this list says, in parts.
///
/// # Errors
/// 400 when it is not one that this list gave, for this filter.
pub fn cursor(params: &Params) -> Result<Option<Vec<String>>, Problem> {
    let Some(text) = params.get("cursor") else { return Ok(None) };
    params.seal.open(text).map(Some).ok_or_else(invalid_cursor)
}

pub fn invalid_cursor() -> Problem {
    let detail = "This cursor is not one that this list gave; begin without a cursor, and keep \
                  the other parameters as they are.";
    Problem::new(StatusCode::BAD_REQUEST, "invalid_cursor", detail)
}

/// The cursor to go on behind a place.
pub fn next(params: &Params, place: &[String]) -> String {
    params.seal.close(place)
}

pub fn page(params: &Params, data: Vec<Value>, place: Option<&[String]>) -> Value {
    json!({"data": data, "next_cursor": place.map(|place| next(params, place))})
}
