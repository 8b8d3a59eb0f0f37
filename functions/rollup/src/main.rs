//! Rollup on Lambda: the table's stream in, counters changed.

use std::sync::Arc;

use aws_lambda_events::dynamodb::Event;
use carillon_runtime::{Context, telemetry};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let ctx = Arc::new(Context::from_env().await?);
    lambda_runtime::run(service_fn(|event: LambdaEvent<Event>| {
        let ctx = Arc::clone(&ctx);
        async move { carillon_rollup::handle(&ctx, event.payload).await.map_err(Error::from) }
    }))
    .await
}
