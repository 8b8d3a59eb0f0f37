//! A table that gathers what is put into it and takes it in at once, thousands of rows in one go: the store writes
//! as it always does, and a million rows are there in minutes. Conditions are not looked at, so only rows that are
//! not there yet may be written; nothing is told to the stream.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use carillon_local::Stack;
use carillon_local::stack::TABLE;
use carillon_store::Store;
use serde_json::Value;

/// Rows of the table, not in it yet.
#[derive(Clone, Default)]
pub struct Gathered(Arc<Mutex<Vec<Value>>>);

impl Gathered {
    /// A store whose rows are gathered here; what it reads is the stack's.
    #[must_use]
    pub fn store(&self, stack: &Stack) -> Store {
        let client = stack.engines.dynamodb();
        let gathering =
            Gathering { rows: self.clone(), reads: stack.engines.dynamodb_http_client() };
        let config =
            client.config().to_builder().http_client(SharedHttpClient::new(gathering)).build();
        Store::new(aws_sdk_dynamodb::Client::from_conf(config), TABLE)
    }

    /// Puts all that was gathered into the table.
    ///
    /// # Panics
    /// When the engine does not take a row.
    pub async fn take_in(&self, stack: &Stack) {
        let rows = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        stack.engines.tables().take_in(TABLE, rows).await.expect("the table takes them");
    }

    fn add(&self, row: Value) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(row);
    }
}

#[derive(Clone)]
struct Gathering {
    rows: Gathered,
    reads: SharedHttpClient,
}

impl fmt::Debug for Gathering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gathering")
    }
}

impl HttpClient for Gathering {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let reads = self.reads.http_connector(settings, components);
        SharedHttpConnector::new(Connector { rows: self.rows.clone(), reads })
    }
}

struct Connector {
    rows: Gathered,
    reads: SharedHttpConnector,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        if ["GetItem", "BatchGetItem", "Query"].contains(&operation) {
            return self.reads.call(request);
        }
        let body = request.body().bytes().unwrap_or_default();
        let mut body: Value = serde_json::from_slice(body).expect("a request of the SDK is JSON");
        match operation {
            "PutItem" => self.rows.add(body["Item"].take()),
            "TransactWriteItems" => {
                for write in body["TransactItems"].as_array_mut().into_iter().flatten() {
                    assert!(write.get("Put").is_some(), "only new rows: {write}");
                    self.rows.add(write["Put"]["Item"].take());
                }
            }
            _ => panic!("{operation} cannot be gathered"),
        }
        let status = StatusCode::try_from(200).expect("a status");
        let mut response = HttpResponse::new(status, SdkBody::from("{}"));
        response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
        HttpConnectorFuture::ready(Ok(response))
    }
}
