//! Problem documents (RFC 9457): a stable code, the field at fault, and a
//! sentence that says what to do.

use axum::extract::OriginalUri;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use carillon_runtime::accounts::AccountError;
use carillon_runtime::context::InstallationError;
use carillon_runtime::files::FilesError;
use carillon_runtime::queues::QueueError;
use carillon_runtime::secrets::SecretError;
use carillon_store::StoreError;
use schemars::JsonSchema;
use serde::Serialize;

use crate::request_id;

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldError {
    /// Its name, with its place: `media[0]`, `variables.name`.
    pub field: String,
    pub code: String,
    /// What to do.
    pub detail: String,
}

impl FieldError {
    pub fn new(
        field: impl Into<String>,
        code: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self { field: field.into(), code: code.into(), detail: detail.into() }
    }
}

/// Seconds after which a refused request may be tried again.
const RETRY_AFTER: u32 = 2;

#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: String,
    detail: String,
    errors: Vec<FieldError>,
    retry_after: Option<u32>,
}

impl Problem {
    pub fn new(status: StatusCode, code: impl Into<String>, detail: impl Into<String>) -> Self {
        let (code, detail) = (code.into(), detail.into());
        Self { status, code, detail, errors: Vec::new(), retry_after: None }
    }

    /// 422 for one or more fields; the first gives the document its code.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let (code, detail) = errors
            .first()
            .map_or_else(Default::default, |first| (first.code.clone(), first.detail.clone()));
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail) }
    }

    pub fn field(field: &str, code: &str, detail: impl Into<String>) -> Self {
        Self::fields(vec![FieldError::new(field, code, detail)])
    }

    pub fn not_found(what: &str) -> Self {
        let detail = format!("There is no such {what} in this organization; check the id.");
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    pub fn conflict(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// What it says concerns this field.
    #[must_use]
    pub fn of_field(self, field: &str) -> Self {
        let error = FieldError::new(field, self.code.clone(), self.detail.clone());
        Self { errors: vec![error], ..self }
    }

    /// To be tried again after so many seconds.
    pub fn after(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    pub const fn status(&self) -> StatusCode {
        self.status
    }

    pub fn unavailable(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::later(
            error,
            "Storage does not answer; nothing was changed by half. Try again shortly.",
        )
    }

    /// 503: something that we need does not answer.
    pub fn later(error: &(dyn std::error::Error + 'static), detail: &str) -> Self {
        tracing::error!(error, "the request could not be served");
        let mut problem =
            Self::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", detail);
        problem.retry_after = Some(RETRY_AFTER);
        problem
    }
}

/// The code of a problem, for who stands around the handler.
#[derive(Debug, Clone)]
pub struct Code(pub String);

/// Why a request was not done (RFC 9457).
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct Document<'a> {
    r#type: String,
    /// The status in words.
    title: &'a str,
    status: u16,
    /// Stable: for programs.
    #[schemars(regex(pattern = "^[a-z0-9_]+$"))]
    code: &'a str,
    /// What to do.
    detail: &'a str,
    /// Each field that is wrong.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    /// Also in the header `x-request-id`.
    request_id: String,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let document = Document {
            r#type: format!("/errors/{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: &self.code,
            detail: &self.detail,
            errors: &self.errors,
            request_id: request_id::current(),
        };
        let body = serde_json::json!(document).to_string();
        let mut response = (self.status, body).into_response();
        let problem = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response.extensions_mut().insert(Code(self.code));
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::unavailable(&error)
    }
}

impl From<QueueError> for Problem {
    fn from(error: QueueError) -> Self {
        Self::unavailable(&error)
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        Self::unavailable(&error)
    }
}

impl From<SecretError> for Problem {
    fn from(error: SecretError) -> Self {
        Self::unavailable(&error)
    }
}

impl From<FilesError> for Problem {
    fn from(error: FilesError) -> Self {
        match error {
            FilesError::NoBucket => {
                let detail = "This installation has no bucket for large files; split the file into \
                              parts of 4 MB.";
                Self::conflict("no_large_files", detail)
            }
            error => Self::unavailable(&error),
        }
    }
}

impl From<InstallationError> for Problem {
    fn from(error: InstallationError) -> Self {
        Self::unavailable(&error)
    }
}

pub async fn no_such_route(OriginalUri(uri): OriginalUri) -> Problem {
    let detail = format!("There is nothing at {}; /openapi.json lists the routes.", uri.path());
    Problem::new(StatusCode::NOT_FOUND, "no_such_route", detail)
}

pub async fn no_such_method(method: Method) -> Problem {
    let detail = format!("This address does not take {method}.");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}
