//! A message that waits by itself: a single send, a retry, an Unknown.

use carillon_domain::{MessageId, OrgId};
use carillon_runtime::Context;
use jiff::Timestamp;

use crate::{Run, SendError, attempt};

pub async fn run(
    ctx: &Context,
    org: OrgId,
    id: MessageId,
    generation: u32,
    deadline: Timestamp,
) -> Result<(), SendError> {
    let (run, message) = futures::join!(Run::new(ctx, org, deadline), ctx.store.message(org, id));
    match message? {
        Some(message) if message.generation == generation => attempt::make(&run?, message).await,
        // Another lease, or gone: whoever raised the generation has it.
        _ => Ok(()),
    }
}
