//! The one HTTP client that all providers are called through.
//!
//! It does one request and says what is known about it. It follows no
//! redirects and repeats nothing: whether a message may be sent again is
//! decided by who holds its claim, never here.
//!
//! HTTP/1.1 only, on purpose: when a shared HTTP/2 connection breaks, every
//! call on it becomes Unknown at once; here one connection is one call.

mod outside;

use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use crate::contract::{HttpAnswer, HttpRequest, Method};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Short, so that a connection which the other side has given up is rarely
/// picked from the pool: writing to it would make the call Unknown.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
const IDLE_CONNECTIONS: usize = 64;
/// Bytes that are kept of the answer to a send.
const POST_LIMIT: usize = 64 * 1024;
/// Bytes that are kept of a list: a thousand messages of the longest kind fit.
const GET_LIMIT: usize = 4 * 1024 * 1024;

/// A call that brought no answer. Says nothing of the URL or the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No connection was made, so nothing has left.
    #[error("not sent: {0}")]
    NotSent(String),
    /// The request may have arrived.
    #[error("no answer: {0}")]
    NoAnswer(String),
}

/// The client could not be set up; for instance, the system has no root
/// certificates.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be set up")]
pub struct SetUpError(#[from] reqwest::Error);

/// Cheap to clone; clones share one pool of connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
}

fn builder() -> reqwest::ClientBuilder {
    // An error means that one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    #[expect(clippy::disallowed_methods, reason = "this is the one HTTP client")]
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        // What a proxy of the environment answers is not the provider's word.
        .no_proxy()
        .http1_only()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .user_agent(concat!("carillon/", env!("CARGO_PKG_VERSION")))
}

impl Client {
    /// Also installs the process's TLS implementation, if nobody has yet.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new() -> Result<Self, SetUpError> {
        Ok(Self { http: builder().build()? })
    }

    /// For addresses that people gave us: whatever a name leads to, nothing but
    /// the internet is called.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn outside() -> Result<Self, SetUpError> {
        Ok(Self { http: builder().dns_resolver(outside::Public).build()? })
    }

    /// One request, one answer. `timeout` is for all of it, the body too; with
    /// one below the 5 s for connecting, a slow connect cannot be told from a
    /// slow answer.
    ///
    /// # Errors
    /// [`CallError::NotSent`] only where no connection was made.
    pub async fn call(
        &self,
        request: HttpRequest,
        timeout: Duration,
    ) -> Result<HttpAnswer, CallError> {
        let (method, limit) = match request.method {
            Method::Get => (reqwest::Method::GET, GET_LIMIT),
            Method::Post => (reqwest::Method::POST, POST_LIMIT),
        };
        let mut builder = self.http.request(method, request.url).timeout(timeout);
        for (name, value) in request.headers {
            let mut value = reqwest::header::HeaderValue::from_str(value.reveal())
                .map_err(|_| CallError::NotSent("the request cannot be built".to_owned()))?;
            // Not in the client's own traces, nor in its compression tables.
            value.set_sensitive(true);
            builder = builder.header(name, value);
        }
        if let Some(body) = request.body {
            builder = builder.header("content-type", body.content_type).body(body.text);
        }
        let mut response = builder.send().await.map_err(|e| failed(&e))?;
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok());
        let retry_after = header("retry-after").and_then(|v| retry_after(v, header("date")));
        let mut body = Vec::new();
        while body.len() < limit {
            match response.chunk().await.map_err(|e| failed(&e))? {
                Some(chunk) => body.extend_from_slice(&chunk),
                None => break,
            }
        }
        body.truncate(limit);
        Ok(HttpAnswer { status, retry_after, body: String::from_utf8_lossy(&body).into_owned() })
    }
}

/// A part of a file.
#[derive(Debug)]
pub struct Bytes {
    pub status: u16,
    pub bytes: Vec<u8>,
    /// Bytes of the whole file, where the answer says so.
    pub size: Option<u64>,
}

/// What became of a file that was put.
#[derive(Debug)]
pub struct Put {
    pub status: u16,
    /// What it is called there.
    pub etag: Option<String>,
}

/// A short answer.
#[derive(Debug)]
pub struct Said {
    pub status: u16,
    pub body: String,
}

impl Client {
    /// A part of a file (`bytes=0-99`), at most `limit` bytes of it.
    ///
    /// # Errors
    /// As for [`Self::call`].
    pub async fn bytes(
        &self,
        url: &str,
        range: &str,
        limit: usize,
        timeout: Duration,
    ) -> Result<Bytes, CallError> {
        let request = self.http.get(url).header("range", range).timeout(timeout);
        let mut response = request.send().await.map_err(|e| failed(&e))?;
        let status = response.status().as_u16();
        let whole = response.headers().get("content-range").and_then(|v| v.to_str().ok());
        let size = whole.and_then(|v| v.rsplit_once('/')?.1.parse().ok());
        let mut bytes = Vec::new();
        while bytes.len() < limit {
            match response.chunk().await.map_err(|e| failed(&e))? {
                Some(chunk) => bytes.extend_from_slice(&chunk),
                None => break,
            }
        }
        bytes.truncate(limit);
        Ok(Bytes { status, bytes, size })
    }

    /// Puts a file, or a part of one.
    ///
    /// # Errors
    /// As for [`Self::call`].
    pub async fn put(
        &self,
        url: &str,
        bytes: Vec<u8>,
        timeout: Duration,
    ) -> Result<Put, CallError> {
        let response = self.http.put(url).body(bytes).timeout(timeout).send().await;
        let response = response.map_err(|e| failed(&e))?;
        let etag = response.headers().get("etag").and_then(|v| v.to_str().ok());
        Ok(Put { status: response.status().as_u16(), etag: etag.map(str::to_owned) })
    }

    /// Posts bytes; the answer is short.
    ///
    /// # Errors
    /// As for [`Self::call`].
    pub async fn post(
        &self,
        url: &str,
        bytes: Vec<u8>,
        timeout: Duration,
    ) -> Result<Said, CallError> {
        let response = self.http.post(url).body(bytes).timeout(timeout).send().await;
        let mut response = response.map_err(|e| failed(&e))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while body.len() < POST_LIMIT {
            match response.chunk().await.map_err(|e| failed(&e))? {
                Some(chunk) => body.extend_from_slice(&chunk),
                None => break,
            }
        }
        Ok(Said { status, body: String::from_utf8_lossy(&body).into_owned() })
    }
}

/// Seconds; a date counts from the answer's own date, so no clock is needed.
fn retry_after(value: &str, date: Option<&str>) -> Option<u32> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(seconds);
    }
    let parse = |text: &str| -> Option<Timestamp> {
        rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
    };
    let seconds = parse(value)?.as_second() - parse(date?)?.as_second();
    u32::try_from(seconds.max(0)).ok()
}

/// In our own words: the error's text would contain the URL.
fn failed(error: &reqwest::Error) -> CallError {
    if error.is_builder() {
        return CallError::NotSent("the request cannot be built".to_owned());
    }
    let cause = io_kind(error).map_or(String::new(), |kind| format!(" ({kind})"));
    if error.is_connect() {
        let what = if error.is_timeout() { "connecting timed out" } else { "could not connect" };
        return CallError::NotSent(format!("{what}{cause}"));
    }
    let what = if error.is_timeout() {
        "timed out"
    } else if error.is_body() || error.is_decode() {
        "the answer broke off"
    } else {
        "the connection broke"
    };
    CallError::NoAnswer(format!("{what}{cause}"))
}

fn io_kind(error: &reqwest::Error) -> Option<std::io::ErrorKind> {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return Some(io.kind());
        }
        source = inner.source();
    }
    None
}

#[cfg(test)]
mod tests;
