//! Callbacks that could not be applied. The queue gives them up into its dead
//! letters, which nobody can look through; so whoever asks for the list has them
//! kept as rows first, each under its organization.
//!
//! Safe to cut off anywhere: a body is forgotten by the queue only when its row
//! is there, and comes again otherwise. To redrive is the same backwards. What
//! was cut off between the two may be applied twice, which changes nothing: the
//! receiver takes each body as often as it comes.

use carillon_domain::OrgId;
use carillon_runtime::Context;
use carillon_runtime::body::ReceiveBody;
use carillon_store::Letter;
use serde_json::Value;

use super::not_given_up;
use crate::problem::Problem;

/// Bodies kept in one request, ten at a time; the next request goes on.
const ROUNDS: usize = 10;

/// Keeps what the queue has given up.
///
/// # Errors
/// When queue or table do not answer: what was not kept stays on the queue.
pub async fn take_up(ctx: &Context) -> Result<(), Problem> {
    for _ in 0..ROUNDS {
        let bodies = ctx.queues.given_up_callbacks().await?;
        if bodies.is_empty() {
            return Ok(());
        }
        for dead in bodies {
            let org = organization_of(&dead.body);
            let why = match serde_json::from_str::<ReceiveBody>(&dead.body) {
                Ok(_) => "it could not be applied, however often it was tried",
                Err(_) => "it cannot be read",
            };
            let (body, now) = (dead.body.clone(), ctx.clock.now());
            let letter = Letter::callback(org, &dead.id, body, why.to_owned(), now);
            if ctx.store.put_letter(&letter).await? {
                ctx.counters.add("callbacks_given_up", 1);
                tracing::error!(letter = %letter.id, "a callback was given up");
            }
            ctx.queues.forget(&dead).await?;
        }
    }
    Ok(())
}

/// Back on the receive queue, and no dead letter any more.
///
/// # Errors
/// 409 when somebody else has redriven or dropped it.
pub async fn redrive(ctx: &Context, letter: &Letter, body: &str) -> Result<(), Problem> {
    ctx.queues.receive_again(letter.org, body.to_owned()).await?;
    drop(ctx, letter).await
}

/// It is never applied.
///
/// # Errors
/// 409 when somebody else has redriven or dropped it.
pub async fn drop(ctx: &Context, letter: &Letter) -> Result<(), Problem> {
    if ctx.store.delete_letter(letter).await? { Ok(()) } else { Err(not_given_up()) }
}

/// Whose it is. A body that a release cannot read may still say so.
fn organization_of(body: &str) -> Option<OrgId> {
    let body: Value = serde_json::from_str(body).ok()?;
    body["org"].as_str()?.parse().ok()
}
