//! The API from inside: requests go through the same router, door and log as
//! anybody's.

use anyhow::{Context as _, bail, ensure};
use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Method, Request, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt as _;

/// Largest answer that is read.
const ANSWER: usize = 4 * 1024 * 1024;

pub struct Api {
    router: Router,
    key: String,
}

impl Api {
    pub const fn new(router: Router, key: String) -> Self {
        Self { router, key }
    }

    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(Method::GET, path, None, &Value::Null).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask(Method::PATCH, path, None, body).await
    }

    /// `once` makes a repeat answer what the first one made.
    pub async fn post(&self, path: &str, once: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask(Method::POST, path, Some(once), body).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        once: Option<&str>,
        body: &Value,
    ) -> anyhow::Result<Value> {
        let what = format!("{method} {path}");
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key));
        if let Some(once) = once {
            request = request.header("idempotency-key", once);
        }
        let request = if body.is_null() {
            request.body(Body::empty())
        } else {
            let request = request.header(header::CONTENT_TYPE, "application/json");
            request.body(Body::from(body.to_string()))
        };
        let answer = self.router.clone().oneshot(request?).await?;
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), ANSWER).await?;
        if status == StatusCode::NO_CONTENT {
            return Ok(Value::Null);
        }
        let answer: Value = serde_json::from_slice(&bytes)
            .with_context(|| format!("the answer to {what} cannot be read"))?;
        if !status.is_success() {
            bail!("{what}: {status} {answer}");
        }
        Ok(answer)
    }
}

/// The id in an answer.
pub fn id(answer: &Value) -> anyhow::Result<String> {
    let id = answer["id"].as_str();
    ensure!(id.is_some(), "an answer without an id");
    Ok(id.unwrap_or_default().to_owned())
}
