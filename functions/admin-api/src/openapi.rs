//! The OpenAPI document, made from what runs: paths, methods and roles from the
//! table of routes; parameters, bodies and answers from the types of the
//! handlers; what is said about them from their doc comments. There is no other
//! copy of it to keep up to date.

mod document;
mod infer;
mod links;
mod operation;
mod page;
mod problems;
mod schemas;

use std::sync::LazyLock;

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

pub use document::document;
pub use infer::{Documented, Gives, Takes};
pub use operation::Operation;
pub use schemas::Schemas;

static JSON: LazyLock<String> = LazyLock::new(|| document().to_string());
static PAGE: LazyLock<String> = LazyLock::new(|| page::html(&document()));

/// Nothing is loaded but our own style sheet.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// `GET /openapi.json`: this document.
pub async fn json() -> JsonDocument {
    JsonDocument
}

/// `GET /docs`: this document for people.
pub async fn docs() -> Page {
    Page
}

/// `GET /docs/style.css`: how the page looks.
pub async fn style() -> Style {
    Style
}

/// The document as JSON.
pub struct JsonDocument;

impl IntoResponse for JsonDocument {
    fn into_response(self) -> Response {
        file("application/json", &JSON)
    }
}

/// The document as a page.
pub struct Page;

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        file("text/html; charset=utf-8", &PAGE)
    }
}

/// The page's style sheet.
pub struct Style;

impl IntoResponse for Style {
    fn into_response(self) -> Response {
        file("text/css; charset=utf-8", include_str!("openapi/page.css"))
    }
}

fn file(kind: &'static str, text: &'static str) -> Response {
    let headers: [(HeaderName, HeaderValue); 4] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
    ];
    (headers, text).into_response()
}

impl Gives for JsonDocument {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        operation.gives(200, "application/json", Some(serde_json::json!({"type": "object"})));
    }
}

impl Gives for Page {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        operation.gives(200, "text/html", Some(text()));
    }
}

impl Gives for Style {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        operation.gives(200, "text/css", Some(text()));
    }
}

fn text() -> Value {
    serde_json::json!({"type": "string"})
}
