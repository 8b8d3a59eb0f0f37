//! Puts an engine behind the real SDK client: the `HttpClient` the SDK sends its requests to,
//! without a port.
//!
//! A request is AWS JSON: the operation stands in `x-amz-target`, the input is the body. Retries
//! stay with the SDK. Connect and read timeouts are not applied, for there is no connection; the
//! SDK's own operation timeouts still are.

use std::fmt;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::fault::{FaultLayer, ServiceName, Verdict};
use super::injected::{HeldBack, Stop, stop};
use super::meter::Meter;

/// An engine: takes one operation and its input, answers as the service would.
pub(crate) trait Service: Send + Sync + 'static {
    const NAME: ServiceName;

    /// `call.meter` is told what the call cost, also when the caller no longer waits.
    fn call(self: Arc<Self>, call: Call) -> BoxFuture<'static, Reply>;

    /// The service's answer to too many requests.
    fn throttled() -> Reply;
}

/// One operation with its input.
pub(crate) struct Call {
    pub operation: String,
    pub body: Value,
    pub meter: Arc<Meter>,
}

/// An answer, not yet on the wire.
#[derive(Debug)]
pub(crate) struct Reply {
    pub status: u16,
    pub body: String,
    /// `x-amzn-query-error`: the code older SQS clients know an error by.
    pub query_error: Option<String>,
}

impl Reply {
    pub fn ok(body: &Value) -> Self {
        Self { status: 200, body: body.to_string(), query_error: None }
    }

    /// `kind` with its namespace, for instance `com.amazonaws.sqs#QueueDoesNotExist`.
    pub fn error(status: u16, kind: &str, message: &str) -> Self {
        Self {
            status,
            body: json!({"__type": kind, "message": message}).to_string(),
            query_error: None,
        }
    }
}

/// The layers that every engine of a stack shares.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers {
    pub faults: Arc<FaultLayer>,
    pub meter: Arc<Meter>,
}

impl Layers {
    /// The HTTP client to give to the SDK configuration of `S`'s service.
    pub fn over<S: Service>(&self, service: Arc<S>) -> SharedHttpClient {
        SharedHttpClient::new(Connector { service, layers: self.clone() })
    }
}

struct Connector<S> {
    service: Arc<S>,
    layers: Layers,
}

impl<S> Clone for Connector<S> {
    fn clone(&self) -> Self {
        Self { service: Arc::clone(&self.service), layers: self.layers.clone() }
    }
}

impl<S: Service> fmt::Debug for Connector<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connector({})", S::NAME)
    }
}

impl<S: Service> HttpClient for Connector<S> {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl<S: Service> HttpConnector for Connector<S> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move { this.serve(request).await })
    }
}

impl<S: Service> Connector<S> {
    async fn serve(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let operation = request
            .headers()
            .get("x-amz-target")
            .and_then(|target| target.rsplit('.').next())
            .unwrap_or_default()
            .to_owned();
        let bytes = request.body().bytes().unwrap_or_default();
        let mut body: Value = match serde_json::from_slice(bytes) {
            Ok(body @ Value::Object(_)) => body,
            _ => {
                return respond(Reply::error(
                    400,
                    "com.amazon.coral.service#SerializationException",
                    "not an object",
                ));
            }
        };

        let verdict = self.layers.faults.judge(S::NAME, &operation, &body);
        if let Some(stopped) = stop::<S>(verdict, &operation, &body) {
            self.layers.meter.stopped(S::NAME, &operation, verdict);
            return match stopped {
                Stop::Broken => Err(broken("no connection (injected)")),
                Stop::Answer(reply) => respond(reply),
            };
        }
        if verdict == Verdict::HangBefore {
            self.layers.faults.hang().await;
        }

        let held_back = match verdict {
            Verdict::Unprocessed => HeldBack::take(&operation, &mut body),
            _ => None,
        };
        let reply = match &held_back {
            Some(held_back) if held_back.is_everything(&body) => Reply::ok(&json!({})),
            _ => {
                let meter = Arc::clone(&self.layers.meter);
                Arc::clone(&self.service).call(Call { operation, body, meter }).await
            }
        };
        let reply = match held_back {
            Some(held_back) => held_back.put(reply),
            None => reply,
        };
        match verdict {
            Verdict::LoseAnswer => Err(broken("connection lost before the answer (injected)")),
            Verdict::HangAfter => {
                self.layers.faults.hang().await;
                respond(reply)
            }
            _ => respond(reply),
        }
    }
}

fn broken(why: &str) -> ConnectorError {
    ConnectorError::io(std::io::Error::new(std::io::ErrorKind::ConnectionReset, why).into())
}

fn respond(reply: Reply) -> Result<HttpResponse, ConnectorError> {
    let status =
        StatusCode::try_from(reply.status).map_err(|error| ConnectorError::user(error.into()))?;
    let mut response = HttpResponse::new(status, SdkBody::from(reply.body));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    if let Some(code) = reply.query_error {
        response.headers_mut().insert("x-amzn-query-error", code);
    }
    Ok(response)
}
