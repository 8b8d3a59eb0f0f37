//! Each minute: dispatch what is due, plan what was asked for.
//!
//! Takes no input and is idempotent: the schedule may fire twice, late or not
//! at all. What it finds it leases before it acts, so two runs side by side
//! share the work. What it leaves is due again when its lease runs out.

mod contacts;
mod dispatch;
mod export;
mod follow;
mod forget;
mod freeze;
mod plan;
mod reconcile;

use carillon_runtime::{Context, set_aside};
use carillon_store::{DueEntry, DueKind};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// Time kept free at the end of a run.
const RESERVE: SignedDuration = SignedDuration::from_secs(5);
/// Pages planned of one import before others have their turn.
const PAGES_A_TURN: u32 = 20;

/// What one run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Messages and packs that went to a queue.
    pub queued: usize,
    pub pages_planned: u32,
    /// The table was restored from a backup and not released: nothing was done.
    pub restored: bool,
    /// Things that failed and stay due.
    pub errors: usize,
}

/// Works until nothing is due, or until shortly before `deadline`.
pub async fn run(ctx: &Context, deadline: Timestamp) -> Report {
    let mut report = Report::default();
    match ctx.is_held().await {
        Ok(false) => {}
        Ok(true) => return Report { restored: true, ..report },
        Err(error) => {
            ctx.counters.add("dispatch_errors", 1);
            tracing::error!(error = &error as &dyn std::error::Error, "left for the next minute");
            return Report { errors: 1, ..report };
        }
    }
    while ctx.clock.now() + RESERVE < deadline {
        let now = ctx.clock.now();
        let (imports, queued) = dispatch::pass(ctx, now, &mut report).await;
        report.queued += queued;
        let planned = plan_all(ctx, &imports, deadline, &mut report).await;
        report.pages_planned += planned;
        if queued == 0 && planned == 0 {
            break;
        }
    }
    report
}

/// What a turn of one kind of file or another ends in.
#[derive(Debug, thiserror::Error)]
enum TurnError {
    #[error(transparent)]
    Plan(#[from] plan::PlanError),
    #[error(transparent)]
    Contacts(#[from] contacts::ImportError),
    #[error(transparent)]
    Export(#[from] export::ExportError),
    #[error(transparent)]
    Booking(#[from] carillon_runtime::booking::SyncError),
    #[error(transparent)]
    Reconcile(#[from] reconcile::ReconcileError),
}

async fn plan_all(
    ctx: &Context,
    imports: &[DueEntry],
    deadline: Timestamp,
    report: &mut Report,
) -> u32 {
    let mut planned = 0;
    for entry in imports {
        if ctx.clock.now() + RESERVE >= deadline {
            break;
        }
        if matches!(entry.kind, DueKind::Erasure(_)) {
            if let Err(error) = forget::turn(ctx, entry, deadline).await {
                report.errors += 1;
                ctx.counters.add("erase_errors", 1);
                tracing::error!(error = &error as &dyn std::error::Error, "erasing stopped");
                set_aside_if_unreadable(ctx, entry).await;
            }
            continue;
        }
        let turn = match entry.kind {
            DueKind::ContactExport(_) => {
                export::turn(ctx, entry, deadline).await.map_err(TurnError::from)
            }
            DueKind::ContactImport(_) => {
                contacts::turn(ctx, entry, PAGES_A_TURN, deadline).await.map_err(TurnError::from)
            }
            DueKind::Booking(_) => {
                follow::turn(ctx, entry, deadline).await.map(|()| 0).map_err(TurnError::from)
            }
            DueKind::Workshop(_) => {
                reconcile::turn(ctx, entry, deadline).await.map_err(TurnError::from)
            }
            DueKind::Message(_) | DueKind::Pack(_) | DueKind::Import(_) | DueKind::Erasure(_) => {
                plan::turn(ctx, entry, PAGES_A_TURN, deadline).await.map_err(TurnError::from)
            }
        };
        match turn {
            Ok(pages) => planned += pages,
            Err(error) => {
                report.errors += 1;
                ctx.counters.add("plan_errors", 1);
                tracing::error!(error = &error as &dyn std::error::Error, "planning stopped");
                set_aside_if_unreadable(ctx, entry).await;
            }
        }
    }
    planned
}

/// After work that ended in an error. Best effort: it is due again, and so is this.
async fn set_aside_if_unreadable(ctx: &Context, entry: &DueEntry) {
    let (org, kind, leases) = (entry.org, entry.kind, entry.generation);
    if let Err(error) = set_aside::after_leases(ctx, org, kind, leases).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "left for its lease");
    }
}
