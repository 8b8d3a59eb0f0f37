//! A pack: its messages are sent side by side, and it is finished only when a
//! consistent read shows each one settled or waiting by itself.

use std::panic::AssertUnwindSafe;

use carillon_domain::message::{Message, Source, State};
use carillon_domain::pack::{Pack, RECONCILE_AFTER, Stage};
use carillon_domain::{MessageId, OrgId, PackId};
use carillon_runtime::body::{SendBody, Sendable};
use carillon_runtime::{Context, random};
use carillon_store::Mechanism;
use futures::{FutureExt, StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use crate::attempt::{self, Made};
use crate::gates::Hold;
use crate::{CLAIM_MARGIN, Run, SendError, give_up, is_soon, queue_for};

/// Pause after a run that got on but not to the end.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

pub async fn run(
    ctx: &Context,
    org: OrgId,
    id: PackId,
    generation: u32,
    deadline: Timestamp,
) -> Result<(), SendError> {
    // Closing a pack is one write that can be repeated: it needs no lease.
    match ctx.store.pack(org, id).await? {
        Some(pack) if pack.stage == Stage::Reconcile && pack.generation == generation => {
            let closed = reconcile(ctx, &pack).await;
            if let Err(error) = &closed {
                let tried = Pack { idle_runs: pack.idle_runs + 1, ..pack };
                give_up::rest(ctx, &tried, Some(&error.to_string())).await?;
            }
            return closed;
        }
        _ => {}
    }
    let token = random::token();
    // The dispatcher looks ahead: it must not find a run that is not over.
    let until = deadline + CLAIM_MARGIN + ctx.config.tuning.look_ahead();
    let Some(pack) = ctx.store.begin_pack(org, id, generation, until, &token).await? else {
        return Ok(());
    };
    if give_up::is_used_up(ctx, &pack).await? {
        return Ok(());
    }
    match pack.stage {
        Stage::Send => {
            let sent = send(ctx, &pack, deadline).await;
            if let Err(error) = &sent {
                give_up::rest(ctx, &pack, Some(&error.to_string())).await?;
            }
            sent
        }
        // It moved on since it was read; what is due comes again.
        Stage::Reconcile | Stage::Done => Ok(()),
    }
}

async fn send(ctx: &Context, pack: &Pack, deadline: Timestamp) -> Result<(), SendError> {
    let members = members(ctx, pack).await?;
    let ids: Vec<MessageId> = members.iter().map(|(id, _)| *id).collect();
    // Eventually consistent: a stale row only makes a claim fail.
    let messages = ctx.store.messages(pack.org, &ids, false, true).await?;
    let (own, others): (Vec<_>, Vec<_>) = messages.into_iter().partition(|m| belongs(&members, m));
    let run = Run::new(ctx, pack.org, deadline, (pack.id.to_string(), pack.lane), &own).await?;
    run.expect(&own).await?;
    let (left, waiting): (Vec<_>, Vec<_>) = own.into_iter().partition(Message::has_left_its_pack);
    let left_before = left.len() + others.len();
    let holds: Vec<Hold> = stream::iter(waiting)
        .map(|message| one(&run, message))
        .buffer_unordered(ctx.config.tuning.calls_in_flight)
        .filter_map(std::future::ready)
        .collect()
        .await;
    run.purse.finish(&run).await?;
    let held_until = holds.iter().map(|hold| hold.until).min();
    finish(&run, pack, &members, left_before, held_until).await
}

/// One message of the pack; answers what holds it up, with all others.
async fn one(run: &Run<'_>, message: Message) -> Option<Hold> {
    let id = message.id;
    // One message that panics must not make its neighbours Unknown.
    let made = match AssertUnwindSafe(Box::pin(attempt::make(run, message))).catch_unwind().await {
        Ok(Ok(Made::Done)) => return None,
        Ok(Ok(Made::Held(hold))) if !hold.is_told() => return Some(hold),
        Ok(Ok(Made::Held(hold))) => tell(run, id, &hold).await.map(|()| Some(hold)),
        Ok(Err(error)) => Err(error),
        Err(_) => {
            run.note_trouble(&SendError::Panicked);
            run.ctx.counters.add("send_panics", 1);
            tracing::error!("a send panicked");
            return None;
        }
    };
    made.unwrap_or_else(|error| {
        run.note_trouble(&error);
        run.ctx.counters.add("send_errors", 1);
        tracing::warn!(error = &error as &dyn std::error::Error, "one message left");
        None
    })
}

/// Notes on the message why it waits; it stays in its pack.
async fn tell(run: &Run<'_>, id: MessageId, hold: &Hold) -> Result<(), SendError> {
    let now = run.ctx.clock.now();
    let note = |m: &mut Message| {
        let waits = m.state == State::Scheduled && m.due.is_none();
        (waits && m.note_wait(hold.reason, hold.until, hold.detail.clone(), now)).then_some(())
    };
    run.ctx.store.change_message(run.org, id, &random::token(), now, note).await?;
    Ok(())
}

/// The pack's entries of its page: message and line.
async fn members(ctx: &Context, pack: &Pack) -> Result<Vec<(MessageId, u32)>, SendError> {
    let page = ctx.store.page(pack.org, pack.source, pack.page).await?.unwrap_or_default();
    let range = usize::try_from(pack.from).unwrap_or(0)..usize::try_from(pack.to).unwrap_or(0);
    // A page or entry that is not there is "not yet", never "nothing to do".
    let entries = page.entries.get(range).ok_or(SendError::Gone)?;
    Ok(entries.iter().map(|e| (e.message, e.line)).collect())
}

/// Two lines with one number meet in one row; it belongs to the first line.
fn belongs(members: &[(MessageId, u32)], m: &Message) -> bool {
    match m.source {
        Source::Import { line, .. } => members.contains(&(m.id, line)),
        Source::Single | Source::Person | Source::Answer { .. } => false,
    }
}

async fn finish(
    run: &Run<'_>,
    pack: &Pack,
    members: &[(MessageId, u32)],
    left_before: usize,
    held_until: Option<Timestamp>,
) -> Result<(), SendError> {
    let ctx = run.ctx;
    let ids: Vec<MessageId> = members.iter().map(|(id, _)| *id).collect();
    let messages = ctx.store.messages(pack.org, &ids, true, false).await?;
    // A missing row is "not yet": the pack exists only after its messages.
    let all_there = messages.len() == ids.len();
    let left = messages.iter().filter(|m| !belongs(members, m) || m.has_left_its_pack()).count();
    let now = ctx.clock.now();
    let is_over = all_there && left == messages.len();
    let (stage, due) = if is_over || ctx.store.lacks(Mechanism::FinishRule) {
        if messages.iter().any(|m| matches!(m.state, State::Accepted { .. })) {
            (Stage::Reconcile, Some(now + RECONCILE_AFTER))
        } else {
            (Stage::Done, None)
        }
    } else if let Some(until) = held_until {
        return come_again(ctx, pack, until).await;
    } else if left > left_before {
        (Stage::Send, Some(now + PAUSE))
    } else {
        let trouble = match (all_there, run.trouble()) {
            (false, None) => Some("rows of its messages are missing or cannot be read".to_owned()),
            (_, trouble) => trouble,
        };
        return give_up::rest(ctx, pack, trouble.as_deref()).await;
    };
    ctx.store.leave_pack(pack, stage, due, true, &random::token()).await?;
    Ok(())
}

/// The rest of the pack waits for a moment that is known: its rate, a cap, a
/// switch. Near ones are spent on the queue, under the pack's lease.
async fn come_again(ctx: &Context, pack: &Pack, until: Timestamp) -> Result<(), SendError> {
    let soon = is_soon(ctx.clock.now(), until);
    let due = if soon { ctx.config.tuning.queue_lease(until) } else { until };
    let left = ctx.store.leave_pack(pack, Stage::Send, Some(due), true, &random::token()).await?;
    if left && soon {
        let body = SendBody::new(pack.org, Sendable::Pack(pack.id), pack.generation + 1);
        queue_for(ctx, (pack.channel, pack.lane), body, until).await;
    }
    Ok(())
}

/// A day later: what is still only accepted stays "sent", without a receipt.
async fn reconcile(ctx: &Context, pack: &Pack) -> Result<(), SendError> {
    let members = members(ctx, pack).await?;
    let ids: Vec<MessageId> = members.iter().map(|(id, _)| *id).collect();
    let messages = ctx.store.messages(pack.org, &ids, false, false).await?;
    let open = messages.iter().filter(|m| matches!(m.state, State::Accepted { .. })).count();
    ctx.counters.add("sent_without_receipt", u64::try_from(open).unwrap_or(0));
    ctx.store.leave_pack(pack, Stage::Done, None, true, &random::token()).await?;
    Ok(())
}
