//! The receiver on Lambda: the receive queue in, rows changed.

use std::sync::Arc;

use aws_lambda_events::sqs::SqsEvent;
use carillon_runtime::{Context, telemetry};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let ctx = Arc::new(Context::from_env().await?);
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| {
        let ctx = Arc::clone(&ctx);
        async move {
            let answer = carillon_receiver::handle(&ctx, event.payload).await;
            ctx.counters.flush(ctx.clock.now());
            Ok::<_, Error>(answer)
        }
    }))
    .await
}
