//! The API, asked in the name of whoever is signed in. There is no second logic here: what is allowed, what is
//! noted, what is done once is decided behind these requests, as for any other client. Nothing is retried.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, Method, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use carillon_admin_api::auth::Caller;
use carillon_admin_api::client::Peer;
use carillon_admin_api::inside::Vouched;
use lambda_http::request::RequestContext;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt as _;

/// Of an answer; a list has 200 entries at most.
const LARGEST: usize = 8 * 1024 * 1024;
pub const ONCE: HeaderName = HeaderName::from_static("idempotency-key");

/// The API as one person may use it.
#[derive(Clone)]
pub struct Api {
    pub router: Router,
    pub caller: Caller,
    pub from: From,
}

/// Where the person's own request came from, for the audit log.
#[derive(Clone, Default)]
pub struct From {
    pub peer: Option<Peer>,
    pub gateway: Option<RequestContext>,
}

/// Why the API did not do it; a problem document, read.
#[derive(Debug, Clone, Deserialize)]
pub struct Problem {
    pub status: u16,
    pub code: String,
    pub detail: String,
    #[serde(default)]
    pub errors: Vec<FieldError>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct FieldError {
    pub field: String,
    pub detail: String,
}

/// A page of a list.
#[derive(Debug, Clone, Deserialize)]
pub struct Listed<T> {
    pub data: Vec<T>,
    pub next_cursor: Option<String>,
}

/// What is there, and the version that a change may be bound to.
pub struct Tagged<T> {
    pub tag: String,
    pub value: T,
}

impl Api {
    /// # Errors
    /// What the API says against it.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        read(self.ask(Request::get(path), Body::empty()).await).await
    }

    /// # Errors
    /// As [`Self::get`].
    pub async fn tagged<T: DeserializeOwned>(&self, path: &str) -> Result<Tagged<T>, Problem> {
        let response = self.ask(Request::get(path), Body::empty()).await;
        let tag = text(&response, &header::ETAG);
        Ok(Tagged { tag, value: read(response).await? })
    }

    /// What changes something, done once for a key.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
        once: Option<&str>,
    ) -> Result<T, Problem> {
        let request = match once.filter(|once| !once.is_empty()) {
            Some(once) => Request::post(path).header(ONCE, once),
            None => Request::post(path),
        };
        read(self.ask(json(request), Body::from(body.to_string())).await).await
    }

    /// A change of the version that was seen; of any where the tag is empty.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn change<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        tag: &str,
    ) -> Result<T, Problem> {
        let mut request = Request::builder().method(method).uri(path);
        if !tag.is_empty() {
            request = request.header(header::IF_MATCH, tag);
        }
        read(self.ask(json(request), Body::from(body.to_string())).await).await
    }

    /// # Errors
    /// As [`Self::get`].
    pub async fn delete(&self, path: &str) -> Result<(), Problem> {
        let response = self.ask(Request::delete(path), Body::empty()).await;
        if response.status().is_success() { Ok(()) } else { Err(refused(response).await) }
    }

    /// The answer as it comes, such as a file.
    pub async fn ask(&self, request: http::request::Builder, body: Body) -> Response {
        let Ok(mut request) = request.body(body) else {
            // A path that somebody typed and that is none.
            return StatusCode::NOT_FOUND.into_response();
        };
        let extensions = request.extensions_mut();
        extensions.insert(Vouched::new(self.caller.clone()));
        if let Some(peer) = self.from.peer {
            extensions.insert(peer);
        }
        if let Some(gateway) = &self.from.gateway {
            extensions.insert(gateway.clone());
        }
        match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

fn json(request: http::request::Builder) -> http::request::Builder {
    request.header(header::CONTENT_TYPE, "application/json")
}

fn text(response: &Response, name: &HeaderName) -> String {
    let value = response.headers().get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

/// # Errors
/// What the API says against it.
pub async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Problem> {
    if !response.status().is_success() {
        return Err(refused(response).await);
    }
    let body = to_bytes(response.into_body(), LARGEST).await.unwrap_or_default();
    // Nothing was answered, and nothing is wanted.
    let body = if body.is_empty() { &b"null"[..] } else { &body[..] };
    serde_json::from_slice(body).map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "an answer is not as expected");
        Problem::unreadable(500)
    })
}

/// # Errors
/// Never `Ok`.
pub async fn refused(response: Response) -> Problem {
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), LARGEST).await.unwrap_or_default();
    serde_json::from_slice(&body).unwrap_or_else(|_| Problem::unreadable(status))
}

impl Problem {
    fn unreadable(status: u16) -> Self {
        let detail = match status {
            404 => "There is no such thing here.",
            _ => "Something went wrong on our side. Load the page again to see what is there.",
        };
        Self { status, code: String::new(), detail: detail.to_owned(), errors: Vec::new() }
    }
}

/// A path with its query; what is empty is left out.
pub fn path(path: &str, query: &[(&str, &str)]) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    pairs.extend_pairs(query.iter().filter(|(_, value)| !value.is_empty()));
    let query = pairs.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// What somebody may have typed into an address, as one segment of a path.
pub fn segment(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
