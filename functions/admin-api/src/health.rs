//! `GET /healthz`: this process answers. Asks nothing of the table.

use schemars::JsonSchema;
use serde::Serialize;

use crate::answers::Json;

/// The process answers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Health {
    status: HealthStatus,
    /// Of the program.
    version: &'static str,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    Ok,
}

/// `GET /healthz`: this process answers.
pub async fn read() -> Json<Health> {
    Json(Health { status: HealthStatus::Ok, version: env!("CARGO_PKG_VERSION") })
}
