//! How pages are made, and the plain one that says what went wrong.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use carillon_runtime::context::InstallationError;
use carillon_store::StoreError;

use crate::routes;

/// A page as an answer.
pub fn show(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a page cannot be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Somebody is told what went wrong, and what to do.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    text: String,
}

#[derive(Template)]
#[template(path = "refusal.html")]
pub struct RefusalPage<'a> {
    pub title: &'a str,
    pub text: &'a str,
    pub back: &'a str,
}

impl Refusal {
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }

    fn unavailable(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "a page could not be served");
        let text = "Storage does not answer. Nothing was changed by half; try again shortly.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, text)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let title = match self.status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY => "Not now",
            _ => "That did not work",
        };
        let page = RefusalPage { title, text: &self.text, back: routes::SIGN_IN };
        show(self.status, &page)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::unavailable(&error)
    }
}

impl From<InstallationError> for Refusal {
    fn from(error: InstallationError) -> Self {
        Self::unavailable(&error)
    }
}
