//! The sender on Lambda: SQS in, provider out.

use std::sync::Arc;

use aws_lambda_events::sqs::SqsEvent;
use carillon_runtime::{Context, telemetry};
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let ctx = Arc::new(Context::from_env().await?);
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| {
        let ctx = Arc::clone(&ctx);
        async move {
            let millis = i64::try_from(event.context.deadline).unwrap_or(i64::MAX);
            let deadline = Timestamp::from_millisecond(millis)?;
            let answer = carillon_sender::handle(&ctx, event.payload, deadline).await;
            ctx.counters.flush(ctx.clock.now());
            Ok::<_, Error>(answer)
        }
    }))
    .await
}
