//! Every answer carries the id of its request; problem documents repeat it.

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use carillon_runtime::random;

tokio::task_local! {
    static REQUEST_ID: String;
}

/// The id of the request being served.
pub fn current() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_default()
}

pub async fn scope(request: Request, next: Next) -> Response {
    let id = format!("req_{}", carillon_domain::ids::encode(&random::bytes::<10>()));
    let mut response = REQUEST_ID.scope(id.clone(), next.run(request)).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}
