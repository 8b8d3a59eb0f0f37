//! Lists: `limit`, an opaque `cursor`, `{"data", "next_cursor"}`.

use axum::http::StatusCode;
use serde::Serialize;
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

/// A page of a list.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    pub data: Vec<T>,
    /// For the next page; none behind the last.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Of a list in the order of ids, where the last id says where to go on.
    pub fn by_id(params: &Params, data: Vec<T>, last: Option<impl ToString>) -> Self {
        let next_cursor = last.map(|id| next(params, &[id.to_string()]));
        Self { data, next_cursor }
    }
}

/// Limit, and the id behind which a list in the order of ids goes on.
///
/// # Errors
/// 400 when one of them is wrong.
pub fn by_id<T: std::str::FromStr>(params: &Params) -> Result<(usize, Option<T>), Problem> {
    let after = match cursor(params)?.as_deref() {
        None => None,
        Some([id]) => Some(id.parse().map_err(|_| invalid_cursor())?),
        Some(_) => return Err(invalid_cursor()),
    };
    Ok((limit(params)?, after))
}

/// A limit as the table takes it.
pub fn wanted(limit: usize) -> i32 {
    i32::try_from(limit).unwrap_or(i32::MAX)
}
