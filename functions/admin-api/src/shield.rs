//! Around every request: what is too large is turned away before anything reads
//! it, every answer carries the headers that keep a browser from making more of
//! it than it is, and scripts of other origins get in only where the
//! installation names them (`CARILLON_CORS_ORIGINS`; nobody by default).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use carillon_runtime::Context;

use crate::problem::Problem;

/// API Gateway adds about a dozen.
const MOST_HEADERS: usize = 64;
const HEADER_BYTES: usize = 16 * 1024;
const URI_BYTES: usize = 8 * 1024;

/// On every answer that does not say otherwise. A page has a policy of its own.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
const ASKED: &str = "authorization, content-type, idempotency-key, if-match, carillon-organization";
const SHOWN: &str = "etag, x-request-id, retry-after, idempotency-replayed, content-disposition";
/// Seconds for which a browser need not ask again.
const PREFLIGHT_KEPT: &str = "600";

pub async fn around(State(ctx): State<Arc<Context>>, request: Request, next: Next) -> Response {
    let origin = allowed_origin(&ctx.config.cors_origins, request.headers());
    let is_preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match too_large(&request) {
        Some(problem) => problem.into_response(),
        None if is_preflight && origin.is_some() => StatusCode::NO_CONTENT.into_response(),
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if !ctx.config.cors_origins.is_empty() {
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
    if let Some(origin) = origin {
        let_in(headers, origin, is_preflight);
    }
    response
}

/// The request's origin, if it is one of those.
fn allowed_origin(allowed: &[String], headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    allowed.iter().any(|known| known.as_bytes() == origin.as_bytes()).then(|| origin.clone())
}

/// No cookies: a key stands in a header, and a script must have it.
fn let_in(headers: &mut HeaderMap, origin: HeaderValue, is_preflight: bool) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    let more: &[(HeaderName, &'static str)] = if is_preflight {
        &[
            (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, ASKED),
            (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_KEPT),
        ]
    } else {
        &[(header::ACCESS_CONTROL_EXPOSE_HEADERS, SHOWN)]
    };
    for (name, value) in more {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn too_large(request: &Request) -> Option<Problem> {
    let headers = request.headers();
    let bytes: usize = headers.iter().map(|(n, v)| n.as_str().len() + v.len()).sum();
    if headers.len() > MOST_HEADERS || bytes > HEADER_BYTES {
        let detail = format!(
            "A request has at most {MOST_HEADERS} headers of {} KB in all; send fewer.",
            HEADER_BYTES / 1024
        );
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Some(Problem::new(status, "headers_too_large", detail));
    }
    let uri = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    if uri > URI_BYTES {
        let detail = format!("An address has at most {} KB; ask for less.", URI_BYTES / 1024);
        return Some(Problem::new(StatusCode::URI_TOO_LONG, "uri_too_long", detail));
    }
    None
}
