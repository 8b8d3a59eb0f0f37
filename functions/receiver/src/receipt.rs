//! A delivery receipt meets its message.

use carillon_domain::message::EventSource;
use carillon_domain::receipt::{Receipt, ReceiptKind};
use carillon_domain::restore;
use carillon_domain::transition::Verdict;
use carillon_domain::{Failure, FailureReason, MessageId, OrgId, ProviderName};
use carillon_runtime::{Context, random};
use carillon_store::Suppression;
use jiff::Timestamp;

use crate::ReceiveError;

pub async fn apply(ctx: &Context, org: OrgId, r: &Receipt) -> Result<(), ReceiveError> {
    let Some(id) = r.message else {
        // Not one of ours: sent by hand in the provider's console, or through
        // an integration that carries no reference.
        ctx.counters.add("receipts_without_message", 1);
        return Ok(());
    };
    let now = ctx.clock.now();
    if let ReceiptKind::Failed(failure) = &r.kind
        && failure.reason == FailureReason::OptedOut
    {
        // Before the row: a crash between must not lose the opt-out.
        suppress(ctx, org, id, r.provider, failure, now).await?;
    }
    let backup_ends = ctx.backup_ends().await?;
    // Most receipts say what the row knows, or find it at rest: some replica's
    // row will do. One that is behind loses the condition and is read again.
    let changed = ctx
        .store
        .change_glanced(org, id, &random::token(), now, |m| {
            // An attempt that this table, restored from a backup, knows nothing of:
            // the original made it, and here is what became of it.
            let unheard_of = r.attempt == Some(m.attempt() + 1);
            if unheard_of && backup_ends.is_some_and(|end| restore::is_older(m, end)) {
                m.presume_sent(r.provider, now);
            }
            let pid = r.provider_message_id.as_deref();
            match m.receipt(r.attempt, pid, &r.kind, EventSource::Callback, now) {
                Verdict::Ignored => None,
                verdict => Some(verdict),
            }
        })
        .await?;
    match changed {
        None => ctx.counters.add("receipts_without_message", 1),
        Some((m, Some(Verdict::ProvenDuplicate))) => {
            ctx.counters.add("proven_duplicates", 1);
            tracing::error!(message = %m.id, "the provider has this message twice");
        }
        Some((_, Some(Verdict::Changed | Verdict::Ignored) | None)) => {}
    }
    Ok(())
}

/// The provider says that the person does not want our messages.
async fn suppress(
    ctx: &Context,
    org: OrgId,
    id: MessageId,
    provider: ProviderName,
    failure: &Failure,
    now: Timestamp,
) -> Result<(), ReceiveError> {
    let Some(m) = ctx.store.message(org, id).await? else { return Ok(()) };
    let suppression = Suppression::by_provider(&m, provider, &failure.code, now);
    Ok(ctx.store.suppress(org, id.address(), &suppression).await?)
}
