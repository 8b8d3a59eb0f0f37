//! A message that waits by itself: a single send, a retry, an Unknown.

use carillon_domain::{Message, MessageId, OrgId};
use carillon_runtime::Context;
use carillon_runtime::body::{SendBody, Sendable};
use jiff::Timestamp;

use crate::attempt::{self, Made};
use crate::gates::Hold;
use crate::{Run, SendError, is_soon, queue_for};

pub async fn run(
    ctx: &Context,
    org: OrgId,
    id: MessageId,
    generation: u32,
    deadline: Timestamp,
) -> Result<(), SendError> {
    let message = match ctx.store.message(org, id).await? {
        Some(message) if message.generation == generation => message,
        // Another lease, or gone: whoever raised the generation has it.
        _ => return Ok(()),
    };
    let holder = (id.to_string(), message.lane);
    let run = Run::new(ctx, org, deadline, holder, std::slice::from_ref(&message)).await?;
    run.expect(std::slice::from_ref(&message)).await?;
    // On the heap: what it waits for is large.
    let made = Box::pin(attempt::make(&run, message)).await;
    // Whatever became of it, nothing stays reserved.
    let finished = run.purse.finish(&run).await;
    if let Made::Held(hold) = made? {
        wait(&run, id, generation, &hold).await?;
    }
    finished
}

/// Not now: it comes again when what stands against it ends.
async fn wait(run: &Run<'_>, id: MessageId, generation: u32, hold: &Hold) -> Result<(), SendError> {
    let (ctx, now) = (run.ctx, run.ctx.clock.now());
    let soon = is_soon(now, hold.until);
    let due = if soon { ctx.config.tuning.queue_lease(hold.until) } else { hold.until };
    let defer = |m: &mut Message| {
        (m.generation == generation).then(|| {
            m.defer(hold.reason, hold.until, due, hold.detail.clone(), now);
        })
    };
    let token = carillon_runtime::random::token();
    let changed = ctx.store.change_message(run.org, id, &token, now, defer).await?;
    if let Some((message, Some(()))) = changed
        && soon
        && message.due == Some(due)
    {
        let body = SendBody::new(run.org, Sendable::Message(id), message.generation);
        queue_for(ctx, (message.channel, message.lane), body, hold.until).await;
    }
    Ok(())
}
