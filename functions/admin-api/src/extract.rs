//! Parsing at the door: JSON bodies without unknown fields, query strings
//! without unknown parameters, ids of the right kind.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::marker::PhantomData;
use std::ops::Deref;
use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::multipart::{Field, MultipartError, MultipartRejection};
use axum::extract::{FromRequest, FromRequestParts, Multipart, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny};
use serde_json::error::Category;

use crate::problem::{FieldError, Problem};
use crate::texts::{self, Wrong};

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

/// Texts by name, not read any further.
pub type Raw = BTreeMap<String, String>;

/// Query parameters read into `T`; each at most once and known.
pub struct Params<T = Raw>(pub T);

impl<T> Deref for Params<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let malformed =
            |detail: String| Problem::new(StatusCode::BAD_REQUEST, "malformed_query", detail);
        let Query(pairs) =
            Query::<Vec<(String, String)>>::from_request_parts(parts, state).await.map_err(
                |_| malformed("The query string cannot be read; encode its values.".to_owned()),
            )?;
        let mut values = BTreeMap::new();
        for (name, value) in pairs {
            if values.insert(name.clone(), value).is_some() {
                return Err(malformed(format!("The parameter “{name}” is there twice.")));
            }
        }
        texts::read(&values).map(Self).map_err(query_problem)
    }
}

fn query_problem(wrong: Wrong) -> Problem {
    let refused = |code: &str, detail: String| Problem::new(StatusCode::BAD_REQUEST, code, detail);
    match wrong {
        Wrong::Unknown { name, known } => {
            let known = known.join(", ");
            let detail = format!("There is no parameter “{name}” here; known are {known}.");
            refused("unknown_parameter", detail)
        }
        Wrong::Missing(name) => {
            let detail = format!("The parameter “{name}” is needed: “?{name}=…”.");
            Problem::field(name, "missing_field", detail)
        }
        Wrong::Value { name, value } => {
            let detail = format!("“{value}” is not a value of the parameter “{name}”.");
            refused("invalid_parameter", detail)
        }
        Wrong::Other(detail) => refused("invalid_parameter", format!("{detail}.")),
    }
}

/// A form with a file and other fields (`T`), all by name.
pub struct Form<T> {
    pub file: Option<Vec<u8>>,
    pub fields: T,
    /// As they came.
    pub texts: BTreeMap<String, String>,
}

/// A form that has not been read yet.
pub struct Upload<T>(pub Result<Multipart, MultipartRejection>, pub PhantomData<T>);

impl<S: Send + Sync, T> FromRequest<S> for Upload<T> {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        Ok(Self(Multipart::from_request(request, state).await, PhantomData))
    }
}

/// The field that holds the file.
const FILE: &str = "file";

impl<T: DeserializeOwned> Form<T> {
    /// # Errors
    /// When it is not such a form, or the file is larger than `limit` bytes.
    pub async fn read(
        form: Result<Multipart, MultipartRejection>,
        limit: usize,
    ) -> Result<Self, Problem> {
        let mut multipart = form.map_err(|_| {
            let detail = "Send the file as multipart/form-data, in a field called “file”.";
            Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
        })?;
        let (mut file, mut texts) = (None, BTreeMap::new());
        let unreadable = |e: MultipartError| body_problem(e.status());
        while let Some(field) = multipart.next_field().await.map_err(unreadable)? {
            let name = field.name().unwrap_or_default().to_owned();
            if name == FILE {
                file = Some(read_file(field, limit).await?);
            } else {
                texts.insert(name, field.text().await.map_err(unreadable)?);
            }
        }
        let fields = texts::read(&texts).map_err(|wrong| match wrong {
            Wrong::Unknown { name, known } => {
                let known = known.join(", ");
                let detail = format!("There is no field “{name}” here; known are file, {known}.");
                Problem::field(&name, "unknown_field", detail)
            }
            Wrong::Missing(name) => {
                Problem::field(name, "missing_field", format!("The field “{name}” is needed."))
            }
            Wrong::Value { name, value } => {
                let detail = format!("“{value}” is not a value of the field “{name}”.");
                Problem::field(&name, "invalid_value", detail)
            }
            Wrong::Other(detail) => Problem::field("", "invalid_value", format!("{detail}.")),
        })?;
        Ok(Self { file, fields, texts })
    }
}

async fn read_file(mut field: Field<'_>, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(|e| body_problem(e.status()))? {
        if bytes.len() + piece.len() > limit {
            let most = limit / (1024 * 1024);
            let detail = format!("The file is larger than {most} MB; split it and send the parts.");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "file_too_large", detail));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
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
