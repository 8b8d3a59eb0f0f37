//! The queue processor on Lambda: EventBridge calls it each minute.

use std::sync::Arc;

use carillon_runtime::{Context, telemetry};
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let ctx = Arc::new(Context::from_env().await?);
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| {
        let ctx = Arc::clone(&ctx);
        async move {
            let millis = i64::try_from(event.context.deadline).unwrap_or(i64::MAX);
            let deadline = Timestamp::from_millisecond(millis)?;
            let report = carillon_queue_processor::run(&ctx, deadline).await;
            ctx.counters.flush(ctx.clock.now());
            Ok::<_, Error>(serde_json::json!(report))
        }
    }))
    .await
}
