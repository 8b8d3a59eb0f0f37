//! Lists: `limit`, an opaque `cursor`, `{"data", "next_cursor"}`.

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::{JsonSchema, json_schema};
use serde::{Deserialize, Deserializer, de};
use serde_json::json;

use crate::problem::Problem;
use crate::view::List;

const DEFAULT: usize = 50;
const MOST: usize = 200;

/// How many a page has at most.
#[derive(Debug, Clone, Copy)]
pub struct Limit(usize);

/// The query of a list that has pages.
pub trait Paged {
    fn limit(&self) -> Option<Limit>;
    fn cursor(&self) -> Option<&str>;
}

/// For a query struct with the fields `limit` and `cursor`.
macro_rules! paged {
    ($query:ty) => {
        impl crate::lists::Paged for $query {
            fn limit(&self) -> Option<crate::lists::Limit> {
                self.limit
            }

            fn cursor(&self) -> Option<&str> {
                self.cursor.as_deref()
            }
        }
    };
}
pub(crate) use paged;

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let limit = usize::from(u16::deserialize(deserializer)?);
        let within = (1..=MOST).contains(&limit).then_some(Self(limit));
        within.ok_or_else(|| de::Error::custom("out of range"))
    }
}

impl JsonSchema for Limit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        json_schema!({"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT})
    }
}

pub fn limit(query: &impl Paged) -> usize {
    query.limit().map_or(DEFAULT, |limit| limit.0)
}

/// What a cursor of ours says, in parts.
///
/// # Errors
/// 400 when it is not one of ours.
pub fn cursor(query: &impl Paged) -> Result<Option<Vec<String>>, Problem> {
    let Some(text) = query.cursor() else { return Ok(None) };
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

/// A page, and the place behind it.
pub fn page<T>(data: Vec<T>, place: Option<&[String]>) -> List<T> {
    let next_cursor = place.map(|parts| URL_SAFE_NO_PAD.encode(json!(parts).to_string()));
    List { data, next_cursor }
}
