//! Around each request. A form must carry the token of the page it was on: it is a hash of a cookie, which no
//! other site can read. And each answer says what a browser may do with it: nothing but show it.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest as _, Multipart, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use carillon_domain::ids;
use carillon_runtime::Context;
use subtle::ConstantTimeEq as _;

use crate::cookies::{self, Cookie};
use crate::page::Refusal;

/// Bytes of a form.
const FORM_LIMIT: usize = 128 * 1024;
/// Bytes of a form with a file: what the API takes, and what is around it.
const FILE_LIMIT: usize = 5 * 1024 * 1024;
const MULTIPART: &str = "multipart/form-data";
/// The name of the field.
const FIELD: &str = "csrf";

/// Scripts and style from files of our own, which talk to us alone; in nobody's frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; \
     style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What the forms of a page whose reader has this cookie must carry.
pub fn token(cookie: &str) -> String {
    URL_SAFE_NO_PAD.encode(ids::hash(&[b"csrf", cookie.as_bytes()]))
}

pub async fn pass(State(ctx): State<Arc<Context>>, request: Request, next: Next) -> Response {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let response = if is_safe {
        next.run(request).await
    } else {
        match checked(&ctx, request).await {
            Ok(request) => next.run(request).await,
            Err(refusal) => refusal.into_response(),
        }
    };
    with_headers(&ctx, response)
}

async fn checked(ctx: &Context, request: Request) -> Result<Request, Refusal> {
    let (parts, body) = request.into_parts();
    let content_type = parts.headers.get(header::CONTENT_TYPE);
    let has_file =
        content_type.is_some_and(|kind| kind.as_bytes().starts_with(MULTIPART.as_bytes()));
    let limit = if has_file { FILE_LIMIT } else { FORM_LIMIT };
    let Ok(body) = to_bytes(body, limit).await else {
        let text = "This is too large. A file has at most 4 MB; split it and send the parts.";
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, text));
    };
    let sent = match content_type.filter(|_| has_file) {
        Some(content_type) => token_beside_file(content_type, body.clone()).await,
        None => {
            let sent = form_urlencoded::parse(&body).find(|(name, _)| name == FIELD);
            sent.map(|(_, sent)| sent.into_owned())
        }
    };
    let from_elsewhere = parts.headers.get("sec-fetch-site").is_some_and(|v| v == "cross-site");
    let is_ours = sent.is_some_and(|sent| is_token(ctx, &parts.headers, &sent));
    if from_elsewhere || !is_ours {
        ctx.counters.add("console_forms_refused", 1);
        let text = "This form is too old, or was not on a page of this console. Go back, load the \
                    page again, and send it once more.";
        return Err(Refusal::new(StatusCode::FORBIDDEN, text));
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// What a form with a file carries besides.
async fn token_beside_file(content_type: &HeaderValue, body: Bytes) -> Option<String> {
    let request = Request::post("/").header(header::CONTENT_TYPE, content_type);
    let request = request.body(Body::from(body)).ok()?;
    let mut form = Multipart::from_request(request, &()).await.ok()?;
    while let Some(field) = form.next_field().await.ok()? {
        if field.name() == Some(FIELD) {
            return field.text().await.ok();
        }
    }
    None
}

fn is_token(ctx: &Context, headers: &HeaderMap, sent: &str) -> bool {
    [Cookie::Session, Cookie::Visit].into_iter().any(|cookie| {
        let expected = cookie.read(ctx, headers).map(|value| token(&value));
        expected.is_some_and(|expected| expected.as_bytes().ct_eq(sent.as_bytes()).into())
    })
}

fn with_headers(ctx: &Context, mut response: Response) -> Response {
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set("content-security-policy", CONTENT_SECURITY_POLICY);
    set("x-content-type-options", "nosniff");
    set("x-frame-options", "DENY");
    // The callback's address holds a code.
    set("referrer-policy", "no-referrer");
    set("cross-origin-opener-policy", "same-origin");
    set("cross-origin-resource-policy", "same-origin");
    set("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=()");
    if cookies::is_secure(ctx) {
        set("strict-transport-security", "max-age=31536000");
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
