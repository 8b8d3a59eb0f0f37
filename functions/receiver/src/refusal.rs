//! A sender's result that the table did not take at the time: the provider had
//! refused the attempt.

use carillon_domain::retry::{self, Limits};
use carillon_domain::transition::{Answered, Verdict};
use carillon_domain::{Failure, MessageId, OrgId};
use carillon_runtime::{Context, random};

use crate::ReceiveError;

pub async fn apply(
    ctx: &Context,
    org: OrgId,
    id: MessageId,
    attempt: u16,
    failure: &Failure,
    retry_after: Option<u32>,
) -> Result<(), ReceiveError> {
    let settings = ctx.store.settings(org).await?;
    let now = ctx.clock.now();
    let jitter = random::unit();
    ctx.store
        .change_message(org, id, &random::token(), now, |m| {
            let limits = Limits::of(&settings, m);
            let next = retry::next(failure, attempt, limits, retry_after, now, jitter);
            let answered = Answered { code: Some(failure.code.clone()), ..Answered::default() };
            let verdict = m.refused(attempt, answered, failure, next, now);
            (verdict != Verdict::Ignored).then_some(())
        })
        .await?;
    Ok(())
}
