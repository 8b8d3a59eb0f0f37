//! Dispatch: lease first, queue second. A lease without a queued body runs out
//! and is found again; a queued body without a lease cannot be.

use carillon_domain::{Channel, Lane};
use carillon_runtime::body::{SendBody, Sendable};
use carillon_runtime::{Context, random, set_aside};
use carillon_store::{DueEntry, DueKind, StoreError, keys};
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use crate::Report;

/// Bodies in one request to the queue.
const BATCH: usize = 10;
/// Times that the lease of a pack on the queue doubles: to half an hour.
const LEASE_DOUBLINGS: u32 = 4;
/// Conditional writes in flight at a time.
const LEASES_IN_FLIGHT: usize = 16;

/// One look at every shard of both lanes, transactional first. Queues messages
/// and packs that are due before the next look, each with a delay until its own
/// second; answers the imports that are due, and how many were queued.
pub async fn pass(ctx: &Context, now: Timestamp, report: &mut Report) -> (Vec<DueEntry>, usize) {
    let mut imports = Vec::new();
    let mut queued = 0;
    for lane in Lane::ALL {
        let limit = ctx.config.tuning.dispatch_batch;
        let shards = stream::iter(0..keys::DUE_SHARDS)
            .map(|shard| ctx.store.due(lane, shard, now + ctx.config.tuning.look_ahead(), limit))
            .buffer_unordered(usize::from(keys::DUE_SHARDS))
            .collect::<Vec<_>>()
            .await;
        let mut due = Vec::new();
        for shard in shards {
            match shard {
                Ok(found) => {
                    due.extend(found.entries);
                    for (key, why) in found.unreadable {
                        if let Err(error) = set_aside::row(ctx, &key, &why).await {
                            failed(ctx, report, &error);
                        }
                    }
                }
                Err(error) => failed(ctx, report, &error),
            }
        }
        due.sort_by_key(|entry| entry.at);
        let (plans, sends): (Vec<_>, Vec<_>) = due
            .into_iter()
            .partition(|entry| !matches!(entry.kind, DueKind::Message(_) | DueKind::Pack(_)));
        imports.extend(plans.into_iter().filter(|entry| entry.at <= now));
        queued += queue(ctx, lane, sends, now, report).await;
    }
    (imports, queued)
}

async fn queue(
    ctx: &Context,
    lane: Lane,
    entries: Vec<DueEntry>,
    now: Timestamp,
    report: &mut Report,
) -> usize {
    let leased = stream::iter(entries)
        .map(|entry| async move {
            let token = random::token();
            let until = queue_lease(ctx, &entry, entry.at.max(now));
            let leased = ctx.store.lease(&entry, until, &token).await;
            (entry, leased)
        })
        .buffered(LEASES_IN_FLIGHT)
        .collect::<Vec<_>>()
        .await;
    let mut bodies = Vec::with_capacity(leased.len());
    for (entry, lease) in leased {
        let what = match entry.kind {
            DueKind::Message(id) => Sendable::Message(id),
            DueKind::Pack(id) => Sendable::Pack(id),
            DueKind::Import(_)
            | DueKind::ContactImport(_)
            | DueKind::ContactExport(_)
            | DueKind::Erasure(_)
            | DueKind::Booking(_)
            | DueKind::Workshop(_) => continue,
        };
        match lease {
            Ok(Some(generation)) => {
                // Whole seconds, rather early: a sender waits for the rest.
                let delay = entry.at.max(now).duration_since(now).as_secs();
                let delay = SignedDuration::from_secs(delay);
                bodies.push((SendBody::new(entry.org, what, generation), delay));
            }
            Ok(None) => {}
            // It can never be leased. Is it the row's own fault?
            Err(StoreError::Corrupt { .. }) if is_set_aside(ctx, &entry, report).await => {}
            Err(error) => failed(ctx, report, &error),
        }
    }
    let mut queued = 0;
    for batch in bodies.chunks(BATCH) {
        // SMS is the only channel that has senders yet.
        match ctx.queues.send(Channel::Sms, lane, batch).await {
            Ok(refused) => {
                queued += batch.len() - refused.len();
                if !refused.is_empty() {
                    report.errors += refused.len();
                    tracing::warn!(refused = refused.len(), "the queue refused bodies");
                }
            }
            Err(error) => failed(ctx, report, &error),
        }
    }
    queued
}

async fn is_set_aside(ctx: &Context, entry: &DueEntry, report: &mut Report) -> bool {
    match set_aside::at_once(ctx, entry.org, entry.kind).await {
        Ok(done) => done,
        Err(error) => {
            failed(ctx, report, &error);
            false
        }
    }
}

/// How long a body may stay on the queue before it is queued anew. Doubles for
/// a pack that nobody begins: a queue that is behind is not filled with repeats.
fn queue_lease(ctx: &Context, entry: &DueEntry, at: Timestamp) -> Timestamp {
    let doublings = match entry.kind {
        DueKind::Pack(_) => entry.generation.min(LEASE_DOUBLINGS),
        DueKind::Message(_)
        | DueKind::Import(_)
        | DueKind::ContactImport(_)
        | DueKind::ContactExport(_)
        | DueKind::Erasure(_)
        | DueKind::Booking(_)
        | DueKind::Workshop(_) => 0,
    };
    let lease = ctx.config.tuning.queue_lease(at).duration_since(at);
    at + lease * (1 << doublings)
}

fn failed(ctx: &Context, report: &mut Report, error: &(dyn std::error::Error + 'static)) {
    report.errors += 1;
    ctx.counters.add("dispatch_errors", 1);
    tracing::warn!(error, "left for the next minute");
}
