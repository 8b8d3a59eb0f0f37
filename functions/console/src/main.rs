//! The console on Lambda, behind API Gateway.

use std::sync::Arc;

use carillon_runtime::{Context, telemetry};
use lambda_http::Error;

#[tokio::main]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let ctx = Arc::new(Context::from_env().await?);
    lambda_http::run(carillon_console::router(ctx)).await
}
