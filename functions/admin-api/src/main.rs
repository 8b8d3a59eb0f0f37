//! The REST API on Lambda, behind API Gateway.

use std::sync::Arc;

use carillon_runtime::{Context, telemetry};
use lambda_http::Error;

#[tokio::main]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let ctx = Arc::new(Context::from_env().await?);
    if let Some(hash) = &ctx.config.admin_key_sha256 {
        carillon_admin_api::first_organization::ensure(&ctx, hash).await?;
    }
    lambda_http::run(carillon_admin_api::router(ctx)).await
}
