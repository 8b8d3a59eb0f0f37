//! What stands before a provider's API and is too busy at times: 429 with
//! `Retry-After`. Everything else goes through to the simulator as it came.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

/// How busy it is.
#[derive(Debug, Clone, Copy)]
pub struct Busy {
    /// Sends that are turned away before the first goes through.
    pub times: u32,
    /// Seconds that it asks to wait.
    pub retry_after: u32,
}

struct Gateway {
    behind: String,
    left: AtomicU32,
    retry_after: u32,
    http: reqwest::Client,
}

/// Serves in the background; answers its address.
///
/// # Panics
/// When there is no free port.
pub async fn start(busy: Busy, behind: String, http: reqwest::Client) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let left = AtomicU32::new(busy.times);
    let gateway = Arc::new(Gateway { behind, left, retry_after: busy.retry_after, http });
    let router = Router::new().fallback(pass).with_state(gateway);
    tokio::spawn(axum::serve(listener, router).into_future());
    format!("http://{address}")
}

async fn pass(
    State(gateway): State<Arc<Gateway>>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let take = |left: u32| left.checked_sub(1);
    let is_send = method == Method::POST;
    if is_send && gateway.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_ok() {
        let document = r#"{"code":20429,"message":"Too Many Requests","status":429}"#;
        let wait = [
            (header::RETRY_AFTER, gateway.retry_after.to_string()),
            (header::CONTENT_TYPE, "application/json".to_owned()),
        ];
        return (StatusCode::TOO_MANY_REQUESTS, wait, document).into_response();
    }
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    let mut request = gateway.http.request(method, format!("{}{path}", gateway.behind)).body(body);
    for name in [header::AUTHORIZATION, header::CONTENT_TYPE] {
        if let Some(value) = headers.get(&name) {
            request = request.header(name, value);
        }
    }
    match request.send().await {
        Ok(answer) => {
            let status = answer.status();
            (status, answer.bytes().await.unwrap_or_default()).into_response()
        }
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}
