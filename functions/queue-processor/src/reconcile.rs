//! Reconciling a workshop: what is planned for it becomes what should be.
//!
//! Takes no input but the workshop's rows, is idempotent and bounded, and is the
//! same path after a crash as without one. It goes through the registrations of
//! each campaign in batches: says how far the batch goes, freezes the recipients
//! of each step still ahead, and lets the planner plan them as it plans a file.
//! What was planned for a start that is not so any more, for a campaign that was
//! cancelled or for somebody who left is withdrawn.
//!
//! Whoever changes the workshop meanwhile raises its generation: then the last
//! write here does not count, and it is due again.

use carillon_domain::campaign::{Batch, Campaign, Plan, Status, Step, Withdrawal, frozen};
use carillon_domain::import::{Import, Kind, Progress, StepOf};
use carillon_domain::rows::{self, CorruptChunk};
use carillon_domain::workshop::Workshop;
use carillon_domain::{CampaignId, ImportId};
use carillon_runtime::broadcast::finish::{self, Look};
use carillon_runtime::broadcast::{self, Reading, withdraw};
use carillon_runtime::{Context, random};
use carillon_store::{DueEntry, DueKind, StoreError};
use jiff::{SignedDuration, Timestamp};

/// The lease goes on for this long after the run must have ended.
const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(30);
/// Pages of one source: as many as share a side row of rollup.
const PAGES: usize = 2;
/// What was under way is looked at again after this.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(30);
/// People who left, looked at in one turn.
const LEAVING: i32 = 200;

#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Chunk(#[from] CorruptChunk),
}

/// How far a campaign or a workshop is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Now {
    /// Nothing to do, until somebody changes something.
    Settled,
    /// Nothing to do until then.
    Until(Timestamp),
    /// Never anything any more.
    Over,
    /// Time ran out, or somebody else was first: at once again.
    Again,
}

/// Answers how many batches were planned; 0 when someone else has the workshop.
pub async fn turn(
    ctx: &Context,
    entry: &DueEntry,
    deadline: Timestamp,
) -> Result<u32, ReconcileError> {
    let DueKind::Workshop(id) = entry.kind else { return Ok(0) };
    let until = deadline + LEASE_MARGIN;
    let Some(generation) = ctx.store.lease(entry, until, &random::token()).await? else {
        return Ok(0);
    };
    let Some(mut w) = ctx.store.workshop(entry.org, id).await? else { return Ok(0) };
    if w.generation != generation {
        // Changed since: it is due for that.
        return Ok(0);
    }
    let mut planned = 0;
    let mut due: Option<Timestamp> = None;
    let mut due_by = |at: Timestamp| due = Some(due.map_or(at, |due| due.min(at)));
    for id in w.campaigns.clone() {
        match campaign(ctx, &w, id, deadline, &mut planned).await? {
            Now::Settled => {}
            Now::Over => {
                w.campaigns.remove(&id);
            }
            Now::Until(at) => due_by(at),
            Now::Again => due_by(ctx.clock.now()),
        }
    }
    for number in ctx.store.leaving(w.org, w.id, None, LEAVING).await? {
        match withdraw::registration(ctx, &w, number).await? {
            withdraw::Left::Nothing => ctx.store.has_left(w.org, w.id, number).await?,
            withdraw::Left::UnderWay => due_by(ctx.clock.now() + LOOK_AGAIN),
        }
    }
    w.due = due;
    ctx.store.save_workshop(&mut w, &random::token()).await?;
    Ok(planned)
}

async fn campaign(
    ctx: &Context,
    w: &Workshop,
    id: CampaignId,
    deadline: Timestamp,
    planned: &mut u32,
) -> Result<Now, ReconcileError> {
    let Some(mut c) = ctx.store.campaign(w.org, id).await? else { return Ok(Now::Over) };
    let steps = ctx.store.campaign_steps(w.org, id).await?;
    if c.plan.until != 0 {
        note_begun(ctx, &c, &steps).await?;
    }
    let gone = match (c.status, w.deleted_at) {
        (Status::Cancelled, _) => Some(Withdrawal::CampaignCancelled),
        (_, Some(_)) => Some(Withdrawal::WorkshopDeleted),
        (Status::Running | Status::Paused, None) => None,
    };
    if let Some(why) = gone {
        let done = withdraw::sources(ctx, (w.org, id), why, |_| true, deadline).await?;
        return Ok(if done { Now::Over } else { Now::Again });
    }
    if c.audience.follows() && c.plan.revision != w.revision {
        let why = Withdrawal::WorkshopMoved;
        let is_old = |b: &Batch| b.revision != w.revision;
        if !withdraw::sources(ctx, (w.org, id), why, is_old, deadline).await? {
            return Ok(Now::Again);
        }
        c.plan = Plan::new(w.revision, ctx.clock.now());
        c.completed_at = None;
        if !ctx.store.save_campaign(&mut c, &random::token()).await? {
            return Ok(Now::Again);
        }
    }
    while c.plan.until != 0 || c.plan.next <= c.last(w.registrations) {
        if ctx.clock.now() >= deadline {
            return Ok(Now::Again);
        }
        if c.plan.until == 0 {
            let size = u32::try_from(ctx.config.tuning.page_size * PAGES).unwrap_or(u32::MAX);
            c.plan.until = c.last(w.registrations).min(c.plan.next.saturating_add(size - 1));
            if !ctx.store.save_campaign(&mut c, &random::token()).await? {
                return Ok(Now::Again);
            }
        }
        if !batch(ctx, w, &c, &steps).await? {
            return Ok(Now::Again);
        }
        c.plan.next = c.plan.until + 1;
        c.plan.until = 0;
        if !ctx.store.save_campaign(&mut c, &random::token()).await? {
            return Ok(Now::Again);
        }
        *planned += 1;
    }
    match finish::look(ctx, &c, &steps, w).await? {
        Look::At(at) => return Ok(Now::Until(at)),
        Look::Finished => {
            finish::tell(ctx, &c, w).await?;
            c.completed_at = Some(ctx.clock.now());
            if !ctx.store.save_campaign(&mut c, &random::token()).await? {
                return Ok(Now::Again);
            }
        }
        Look::No => {}
    }
    let is_over = broadcast::is_over(&c, &steps, w, ctx.clock.now());
    Ok(if is_over { Now::Over } else { Now::Settled })
}

/// Sources of the batch under way that a run which was cut off has begun: they
/// are planned, so they are batches too, even if their time has passed since.
async fn note_begun(ctx: &Context, c: &Campaign, steps: &[Step]) -> Result<(), ReconcileError> {
    for step in steps {
        let source = c.source_of(step.id, c.plan.revision, c.plan.next);
        if let Some(import) = ctx.store.import(c.org, source).await? {
            ctx.store.put_batch(c.org, c.id, &batch_of(c, step, &import)).await?;
        }
    }
    Ok(())
}

/// Freezes the batch under way, for each step that is still ahead. False while
/// its registrations cannot all be seen.
async fn batch(
    ctx: &Context,
    w: &Workshop,
    c: &Campaign,
    steps: &[Step],
) -> Result<bool, ReconcileError> {
    let (first, last) = (c.plan.next, c.plan.until);
    let count = last - first + 1;
    let limit = i32::try_from(count).unwrap_or(i32::MAX);
    let registrations = ctx.store.registrations(w.org, w.id, (first, last), limit).await?;
    if u32::try_from(registrations.len()).ok() != Some(count) {
        return Ok(false);
    }
    let ids: Vec<_> = registrations.iter().filter(|r| r.is_active()).map(|r| r.contact).collect();
    let contacts = ctx.store.contacts(w.org, &ids, true).await?;
    let organization = ctx.store.organization(w.org).await?.map(|o| o.name).unwrap_or_default();
    let zone = broadcast::zone(w);
    for step in steps {
        let now = ctx.clock.now();
        let source = c.source_of(step.id, c.plan.revision, first);
        let Some(moment) = broadcast::ahead(step, w, &zone, now) else { continue };
        let reading = Reading::new(step, c.max_segments);
        let recipients: Vec<_> = broadcast::people(&registrations, &contacts)
            .into_iter()
            .filter_map(|(number, contact)| {
                let said = reading.of(contact, (w, &zone), &organization).ok()?;
                Some(frozen(number, &said.frozen))
            })
            .collect();
        if recipients.is_empty() {
            continue;
        }
        let piece = rows::chunk_text(&recipients);
        let piece = ctx.store.freeze_source(w.org, source, piece, now).await?;
        let rows = rows::read_chunk(&piece).collect::<Result<Vec<_>, _>>()?.len();
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        let import = import(w, c, (step, &reading), (source, rows), moment.at, now);
        ctx.store.begin_source(&import).await?;
        ctx.store.put_batch(w.org, c.id, &batch_of(c, step, &import)).await?;
    }
    Ok(true)
}

fn batch_of(c: &Campaign, step: &Step, import: &Import) -> Batch {
    Batch {
        revision: c.plan.revision,
        step: step.place,
        first: c.plan.next,
        last: c.plan.until,
        source: import.id,
        recipients: import.rows,
        at: import.scheduled_for,
    }
}

fn import(
    w: &Workshop,
    c: &Campaign,
    (step, reading): (&Step, &Reading<'_>),
    (id, rows): (ImportId, u32),
    at: Timestamp,
    now: Timestamp,
) -> Import {
    Import {
        org: w.org,
        id,
        channel: c.channel,
        purpose: c.purpose,
        body: reading.source.clone(),
        template: Some(step.template.clone()),
        kind: Kind::Step(StepOf {
            campaign: c.id,
            step: step.id,
            workshop: w.id,
            revision: c.plan.revision,
            started_at: c.created_at,
        }),
        integration: c.integration,
        max_segments: c.max_segments,
        scheduled_for: at,
        expires_at: Some(Step::expires(at, w)),
        created_by: c.created_by.clone(),
        created_at: now,
        chunks: 1,
        rows,
        progress: Progress::default(),
        failed: None,
        due: Some(now),
        generation: 0,
    }
}
