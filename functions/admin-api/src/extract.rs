//! Parsing at the door: JSON bodies without unknown fields, query strings
//! without unknown parameters, forms, ids of the right kind.

mod form;
mod query;

use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use carillon_domain::json_limits;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny};
use serde_json::error::Category;

pub use self::form::{Form, Upload, text};
pub use self::query::Params;
use crate::problem::{FieldError, Problem};

/// A JSON body, read strictly, and its bytes.
pub struct Json<T> {
    pub value: T,
    pub raw: Bytes,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let content_type = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            let detail = "Send the body as JSON with “Content-Type: application/json”.";
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                detail,
            ));
        }
        let raw =
            Bytes::from_request(request, state).await.map_err(|e| body_problem(e.status()))?;
        json_limits::check(&raw).map_err(|too_much| {
            Problem::new(StatusCode::BAD_REQUEST, too_much.code(), too_much.detail())
        })?;
        let value = read_json(&raw)?;
        Ok(Self { value, raw })
    }
}

/// For a field whose `null` says something else than its absence.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    d: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(d).map(Some)
}

pub fn body_problem(status: StatusCode) -> Problem {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        let detail = "The body is larger than this address takes; send less at a time.";
        return Problem::new(status, "body_too_large", detail);
    }
    Problem::new(
        StatusCode::BAD_REQUEST,
        "unreadable_body",
        "The body did not arrive whole; send it again.",
    )
}

fn read_json<T: DeserializeOwned>(raw: &[u8]) -> Result<T, Problem> {
    // serde would take a list for a struct, field by field in their order.
    if raw.trim_ascii_start().first() != Some(&b'{') {
        return Err(match serde_json::from_slice::<IgnoredAny>(raw) {
            Ok(_) => Problem::field("", "invalid_value", "The body must be a JSON object."),
            Err(error) => malformed_json(&error),
        });
    }
    let mut deserializer = serde_json::Deserializer::from_slice(raw);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|e| json_problem(e.path(), e.inner(), raw))?;
    match deserializer.end() {
        Ok(()) => Ok(value),
        Err(error) => Err(malformed_json(&error)),
    }
}

fn json_problem(
    path: &serde_path_to_error::Path,
    error: &serde_json::Error,
    raw: &[u8],
) -> Problem {
    // A number or null where a name belongs is reported as bad syntax.
    let category = match error.classify() {
        Category::Syntax if serde_json::from_slice::<IgnoredAny>(raw).is_ok() => Category::Data,
        category => category,
    };
    match category {
        Category::Data => {
            let text = error.to_string();
            let named = text.split('`').nth(1).unwrap_or_default().to_owned();
            let place = Some(path.to_string()).filter(|path| path != ".").unwrap_or_default();
            let (field, code, detail) = if text.starts_with("unknown field") {
                let detail =
                    format!("There is no field “{named}” here; take it out or check its spelling.");
                (named, "unknown_field", detail)
            } else if text.starts_with("missing field") {
                let detail = format!("The field “{named}” is needed.");
                (named, "missing_field", detail)
            } else {
                let detail = format!("A field has a value of the wrong kind: {text}.");
                (place, "invalid_value", detail)
            };
            Problem::fields(vec![FieldError::new(field, code, detail)])
        }
        Category::Syntax | Category::Eof | Category::Io => malformed_json(error),
    }
}

fn malformed_json(error: &serde_json::Error) -> Problem {
    let detail = format!("The body is not valid JSON: {error}.");
    Problem::new(StatusCode::BAD_REQUEST, "malformed_json", detail)
}

/// An id in the path. What is not an id at all is simply not found.
pub struct Id<T>(pub T);

impl<S: Send + Sync, T: FromStr + Send> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::not_found("resource"))?;
        text.parse().map(Self).map_err(|_| Problem::not_found("resource"))
    }
}
