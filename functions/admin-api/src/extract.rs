//! Parsing at the door: JSON bodies without unknown fields, query strings
//! without unknown parameters, ids of the right kind.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, OriginalUri, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use carillon_runtime::Context;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

use crate::auth::Caller;
use crate::cursor::Seal;
use crate::json_limits;
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
        let value = serde_json::from_slice(&raw).map_err(|e| json_problem(&e, &raw))?;
        Ok(Self { value, raw })
    }
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

fn json_problem(error: &serde_json::Error, raw: &[u8]) -> Problem {
    // A number or null where a name belongs is reported as bad syntax.
    let category = match error.classify() {
        Category::Syntax if serde_json::from_slice::<IgnoredAny>(raw).is_ok() => Category::Data,
        category => category,
    };
    match category {
        Category::Data => {
            let text = error.to_string();
            let field = text.split('`').nth(1).unwrap_or_default().to_owned();
            let (code, detail) = if text.starts_with("unknown field") {
                (
                    "unknown_field",
                    format!("There is no field “{field}” here; take it out or check its spelling."),
                )
            } else if text.starts_with("missing field") {
                ("missing_field", format!("The field “{field}” is needed."))
            } else {
                ("invalid_value", format!("A field has a value of the wrong kind: {text}."))
            };
            Problem::fields(vec![FieldError::new(field, code, detail)])
        }
        Category::Syntax | Category::Eof | Category::Io => {
            let detail = format!("The body is not valid JSON: {error}.");
            Problem::new(StatusCode::BAD_REQUEST, "malformed_json", detail)
        }
    }
}

/// What the key of cursors is derived for.
const CURSOR: &str = "cursor";
/// Longest value of a parameter, in characters.
const LONGEST_VALUE: usize = 1_000;
/// Parameters that say which part of a list, not which list.
const OF_PAGE: [&str; 2] = ["limit", "cursor"];

/// Query parameters by name; each at most once and known.
pub struct Params {
    values: BTreeMap<String, String>,
    /// Of the list that they ask for.
    pub seal: Seal,
}

impl FromRequestParts<Arc<Context>> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, ctx: &Arc<Context>) -> Result<Self, Problem> {
        let malformed =
            |detail: String| Problem::new(StatusCode::BAD_REQUEST, "malformed_query", detail);
        let Query(pairs) =
            Query::<Vec<(String, String)>>::from_request_parts(parts, ctx).await.map_err(|_| {
                malformed("The query string cannot be read; encode its values.".to_owned())
            })?;
        let mut values = BTreeMap::new();
        for (name, value) in pairs {
            if value.chars().count() > LONGEST_VALUE {
                let detail = format!("A parameter has at most {LONGEST_VALUE} characters.");
                return Err(malformed(detail));
            }
            if values.insert(name.clone(), value).is_some() {
                return Err(malformed(format!("The parameter “{name}” is there twice.")));
            }
        }
        let caller = Caller::from_request_parts(parts, ctx).await?;
        let filter = values.iter().filter(|(name, _)| !OF_PAGE.contains(&name.as_str()));
        let filter = filter.map(|(name, value)| (name.as_str(), value.as_str()));
        let path = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |uri| &uri.0).path();
        let seal = Seal::new(&ctx.derived_key(CURSOR).await?, caller.org, path, filter);
        Ok(Self { values, seal })
    }
}

impl Params {
    /// # Errors
    /// 400 naming the first parameter that is not among `known`.
    pub fn only(&self, known: &[&str]) -> Result<(), Problem> {
        match self.values.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => {
                let detail =
                    format!("There is no parameter “{name}” here; known are {}.", known.join(", "));
                Err(Problem::new(StatusCode::BAD_REQUEST, "unknown_parameter", detail))
            }
        }
    }

    /// The value, unless it is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// # Errors
    /// 400 when the value is there and `read` cannot read it.
    pub fn read<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.get(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| {
            let detail = format!("“{value}” is not a value of the parameter “{name}”.");
            Problem::new(StatusCode::BAD_REQUEST, "invalid_parameter", detail)
        })
    }
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
