//! `GET /healthz`: this process answers. Asks nothing of the table.

use axum::Json;
use serde_json::{Value, json};

pub async fn read() -> Json<Value> {
    Json(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))
}
