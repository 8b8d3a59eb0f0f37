//! `Idempotency-Key` on every `POST` that has no way of its own. The key is
//! claimed before anything is done, and the answer kept before it is given, so a
//! repeat within 24 hours gets that answer, and one that comes too early is told
//! to wait. A refusal, of ours too (503), is not kept, and the key is free again.
//!
//! A try that is cut off holds its claim for a minute; then a repeat does the
//! work again. What it makes it makes under ids that are hashes of the key, so
//! that it meets what the first had made.
//!
//! Answers hold secrets (a new API key) and people's data, so they are stored
//! encrypted, under a key of the installation's secret.

use std::sync::Arc;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use carillon_domain::{ids, keyed_hash};
use carillon_runtime::{Context, random};
use carillon_store::{Answered, Claim, Once};
use jiff::SignedDuration;

use crate::auth::Caller;
use crate::extract::body_problem;
use crate::problem::Problem;
use crate::routes::Route;
use crate::{JSON_LIMIT, idempotency};

/// Longer than any request of ours runs.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// Seconds after which one may ask again for what is being done.
const AGAIN: u32 = 1;
/// Of an answer, encrypted: a row of the table holds 400 KB.
const LARGEST: usize = 300 * 1024;
const NONCE: usize = 12;
/// These make the key part of the message's or import's id.
const OWN_WAY: [&str; 3] = ["/v1/messages", "/v1/messages/bulk", "/v1/contacts/import"];

/// How a request begins.
pub enum Start {
    /// To be worked on, and what it holds meanwhile.
    Work(Request, Option<Box<Held>>),
    /// Answered already.
    Answer(Response),
}

/// A claim.
pub struct Held {
    once: Once,
    ctx: Arc<Context>,
    cipher: Aes256Gcm,
}

/// # Errors
/// 409 for a key that is in use or was used for another request, 422 for none.
pub async fn start(
    ctx: &Arc<Context>,
    route: &Route,
    caller: &Caller,
    request: Request,
) -> Result<Start, Problem> {
    if route.method != Method::POST || OWN_WAY.contains(&route.path) {
        return Ok(Start::Work(request, None));
    }
    let Some(key) = idempotency::key(request.headers(), None)? else {
        return Ok(Start::Work(request, None));
    };
    let (parts, body) = request.into_parts();
    let raw = to_bytes(body, JSON_LIMIT)
        .await
        .map_err(|_| body_problem(StatusCode::PAYLOAD_TOO_LARGE))?;
    let uri = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let hashing = ctx.derived_key("idempotent request").await?;
    let held = Held {
        once: Once {
            org: caller.org,
            scope: format!("POST {}", parts.uri.path()),
            key,
            request_hash: ids::encode(&keyed_hash(&hashing, &[uri.as_bytes(), &raw])[..20]),
            token: random::token(),
        },
        cipher: Aes256Gcm::new(&Key::<Aes256Gcm>::from(
            ctx.derived_key("idempotent answer").await?,
        )),
        ctx: Arc::clone(ctx),
    };
    let now = ctx.clock.now();
    match ctx.store.claim_once(&held.once, now, now + LEASE).await? {
        Claim::Taken => {
            let request = Request::from_parts(parts, Body::from(raw));
            Ok(Start::Work(request, Some(Box::new(held))))
        }
        Claim::Answered(first) => held.again(&first).map(Start::Answer),
        Claim::Running => {
            let detail = "A request with this idempotency key is being worked on; ask again.";
            Err(Problem::conflict("idempotency_key_in_use", detail).after(AGAIN))
        }
        Claim::Reused => Err(idempotency::reused()),
    }
}

impl Held {
    /// Keeps the answer of what was done, or lets the key go.
    pub async fn finish(self, response: Response) -> Response {
        // Also where it may have taken effect by half: the repeat does the work again and
        // meets what there is, and need not wait for it.
        if !response.status().is_success() {
            if let Err(error) = self.ctx.store.release_once(&self.once).await {
                self.lost(&error);
            }
            return response;
        }
        let (parts, body) = response.into_parts();
        let Ok(body) = to_bytes(body, usize::MAX).await else {
            return Problem::conflict("answer_lost", "The answer broke off; ask again.")
                .into_response();
        };
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let answer = Answered {
            status: parts.status.as_u16(),
            content_type: content_type.map(str::to_owned),
            body: self.sealed(&body),
        };
        let now = self.ctx.clock.now();
        if let Err(error) = self.ctx.store.finish_once(&self.once, &answer, now).await {
            self.lost(&error);
        }
        Response::from_parts(parts, Body::from(body))
    }

    /// The answer is right all the same; a repeat does the work again.
    fn lost(&self, error: &carillon_store::StoreError) {
        self.ctx.counters.add("idempotent_answer_lost", 1);
        tracing::warn!(error = error as &dyn std::error::Error, "an answer is not kept");
    }

    /// Empty for what is too large to keep, or could not be encrypted.
    fn sealed(&self, body: &Bytes) -> Vec<u8> {
        let nonce = random::bytes::<NONCE>();
        let place = self.once.place();
        let payload = Payload { msg: body, aad: place.as_bytes() };
        match self.cipher.encrypt(&Nonce::from(nonce), payload) {
            Ok(sealed) if sealed.len() <= LARGEST => [&nonce[..], &sealed].concat(),
            Ok(_) | Err(_) => Vec::new(),
        }
    }

    fn again(&self, first: &Answered) -> Result<Response, Problem> {
        let place = self.once.place();
        let body = first.body.split_first_chunk::<NONCE>().and_then(|(nonce, sealed)| {
            let payload = Payload { msg: sealed, aad: place.as_bytes() };
            self.cipher.decrypt(&Nonce::from(*nonce), payload).ok()
        });
        let status = StatusCode::from_u16(first.status).unwrap_or(StatusCode::OK);
        let body = body.ok_or_else(|| {
            let detail = "This was done; its answer was too large to be kept.";
            Problem::conflict("idempotent_answer_gone", detail)
        })?;
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        let content_type = first.content_type.as_deref().map(HeaderValue::from_str);
        if let Some(Ok(content_type)) = content_type {
            headers.insert(header::CONTENT_TYPE, content_type);
        }
        headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
        Ok(response)
    }
}
