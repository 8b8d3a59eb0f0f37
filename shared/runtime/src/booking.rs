//! Bookings and their notices: brings what is planned to what should be.
//!
//! [`sync`] takes no input but the booking and may be repeated at any time: by
//! who has changed the booking, at once, and by the queue processor while the row
//! is due. In this order, so that it may be cut off after any write:
//!
//! 1. what should be told is decided ([`notices::wanted`]) and written on the
//!    booking's row, with the ids of the messages, before any of them exists;
//! 2. what was planned before and is not wanted any more is withdrawn;
//! 3. each message is stored under its id, unless it is there; one that waits for
//!    another time than it should is moved;
//! 4. the row is due no more, if nobody has changed it meanwhile.
//!
//! A notice that is on its way cannot be withdrawn; until that is settled, the
//! booking stays due and nothing of the same kind is planned.

mod about;
mod letter;

use std::collections::HashMap;

use carillon_domain::booking::notices::{self, Told, Wanted};
use carillon_domain::booking::{Booking, Decided, MOST_NOTICES, Notice, NoticeKind, State};
use carillon_domain::message::{Message, State as MessageState};
use carillon_domain::{BookingId, ContactId, MessageId, OrgId};
use carillon_store::StoreError;
use jiff::{SignedDuration, Timestamp};

use self::about::About;
pub use self::letter::FEEDBACK_KEY;
use crate::context::InstallationError;
use crate::{Context, outbox, random};

/// Between two looks at what is on its way.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// So long after a change somebody who had not seen it may still be at work.
const OTHERS_END: SignedDuration = SignedDuration::from_mins(5);
/// Rounds against others who change the booking.
const ROUNDS: usize = 8;
/// By whom what is not wanted any more is cancelled; each with what happened.
const WITHDRAWN: &str = "booking";

#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Installation(#[from] InstallationError),
}

/// The booking's notices are as they should be, or it is due again. `lease` is
/// when the caller's own lease on it ends.
///
/// # Errors
/// When the table or KMS does not answer: the booking is due, and what was done
/// stays done.
pub async fn sync(
    ctx: &Context,
    org: OrgId,
    id: BookingId,
    lease: Option<Timestamp>,
) -> Result<Option<Booking>, SyncError> {
    for _ in 0..ROUNDS {
        let Some(mut booking) = ctx.store.booking(org, id).await? else { return Ok(None) };
        let now = ctx.clock.now();
        // Somebody is about to change what it is read from, and wants it looked at
        // again after that.
        let woken = booking.due.filter(|due| *due > now && Some(*due) != lease);
        let about = About::read(ctx, &booking).await?;
        let there = messages(ctx, &booking).await?;
        let plan = decide(ctx, &booking, &about, &there, now).await?;
        if booking.notices != plan.notices {
            booking.notices.clone_from(&plan.notices);
            booking.due = Some(now + PAUSE);
            if !ctx.store.save_booking(&mut booking).await? {
                continue;
            }
        }
        let mut waits = plan.waits;
        for stale in &plan.stale {
            waits |= withdraw(ctx, &booking, *stale, now).await?;
        }
        for message in &plan.messages {
            outbox::post(ctx, message, now).await?;
        }
        for (id, at) in &plan.moved {
            reschedule(ctx, &booking, *id, *at, now).await?;
        }
        if booking.due.is_none() && !waits {
            return Ok(Some(booking));
        }
        booking.due = if waits { Some(now + PAUSE) } else { woken };
        if ctx.store.save_booking(&mut booking).await? {
            return Ok(Some(booking));
        }
    }
    Err(StoreError::Contended("a booking").into())
}

/// Something that notices tell of the client is about to change: each of their
/// bookings that is not over is looked at again in a minute. Said before the
/// change is stored, so that it is not forgotten; answers which, for who brings
/// them up to date at once, after it.
///
/// # Errors
/// When the table does not answer.
pub async fn client_changes(
    ctx: &Context,
    org: OrgId,
    client: ContactId,
) -> Result<Vec<BookingId>, StoreError> {
    let now = ctx.clock.now();
    let mut woken = Vec::new();
    for booking in ctx.store.bookings_of(org, client).await? {
        let waits = booking.notices.iter().any(|n| n.at > now);
        if !matches!(booking.state, State::Cancelled { .. }) && (waits || booking.starts_at > now) {
            ctx.store.wake_booking(org, booking.id, now + PAUSE).await?;
            woken.push(booking.id);
        }
    }
    Ok(woken)
}

/// Brings the notices of a client's sessions to what they should be now. What
/// cannot be followed at once is due, where it was woken before the change.
///
/// # Errors
/// When the table does not answer.
pub async fn follow_client(ctx: &Context, org: OrgId, client: ContactId) -> Result<(), StoreError> {
    let now = ctx.clock.now();
    for b in ctx.store.bookings_of(org, client).await? {
        if b.ends_at() <= now || matches!(b.state, State::Cancelled { .. }) {
            continue;
        }
        if let Err(error) = Box::pin(sync(ctx, org, b.id, None)).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "left for the next minute");
        }
    }
    Ok(())
}

/// A client is about to become part of another contact: so do the bookings. As
/// [`client_changes`].
///
/// # Errors
/// When the table does not answer.
pub async fn client_merges(
    ctx: &Context,
    org: OrgId,
    from: ContactId,
    into: ContactId,
) -> Result<(), StoreError> {
    for booking in ctx.store.bookings_of(org, from).await? {
        ctx.store.note_booking(org, into, booking.id).await?;
    }
    client_changes(ctx, org, into).await.map(drop)
}

/// The client is to be forgotten: what they said of sessions, and where these were.
/// That there was a session stays.
///
/// # Errors
/// When the table does not answer; a repeat goes on.
pub async fn forget_client(ctx: &Context, org: OrgId, client: ContactId) -> Result<(), StoreError> {
    let now = ctx.clock.now();
    for booking in ctx.store.bookings_of(org, client).await? {
        let mut booking = Some(booking);
        for _ in 0..ROUNDS {
            let Some(mut b) = booking.take() else { break };
            let comment = b.feedback.as_mut().and_then(|feedback| feedback.comment.take());
            if b.location.is_empty() && comment.is_none() {
                break;
            }
            b.location.clear();
            b.due = Some(now + PAUSE);
            if ctx.store.save_booking(&mut b).await? {
                break;
            }
            booking = ctx.store.booking(org, b.id).await?;
        }
    }
    Ok(())
}

/// The messages of a booking's notices, those that are there.
///
/// # Errors
/// When the table does not answer.
pub async fn messages(
    ctx: &Context,
    b: &Booking,
) -> Result<HashMap<MessageId, Message>, StoreError> {
    let ids: Vec<MessageId> = b.notices.iter().filter_map(Notice::message).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = ctx.store.messages(b.org, &ids, true, false).await?;
    Ok(found.into_iter().map(|m| (m.id, m)).collect())
}

/// What is to be done.
#[derive(Default)]
struct Plan {
    notices: Vec<Notice>,
    /// To be withdrawn, if they are still waiting.
    stale: Vec<MessageId>,
    /// To be stored, unless they are there.
    messages: Vec<Message>,
    /// Those that are there and wait for another time.
    moved: Vec<(MessageId, Timestamp)>,
    /// Something is on its way, so there is more to do later.
    waits: bool,
}

async fn decide(
    ctx: &Context,
    b: &Booking,
    about: &About,
    there: &HashMap<MessageId, Message>,
    now: Timestamp,
) -> Result<Plan, SyncError> {
    let address = match &about.phone {
        Some(phone) => Some(ctx.address_key(b.org, phone.as_str()).await?),
        None => None,
    };
    let current = |kind: NoticeKind| address.map(|address| b.message_id(kind, address));
    let mut told = Vec::new();
    for notice in &b.notices {
        let Some(id) = notice.message().filter(|id| current(notice.kind) != Some(*id)) else {
            continue;
        };
        if there.get(&id).is_some_and(is_told) {
            told.push(Told { kind: notice.kind, revision: notice.revision });
        }
    }
    let mut plan = Plan::default();
    let mut wanted_ids = Vec::new();
    let mut decided = Vec::new();
    for wanted in notices::wanted(b, &about.settings.booking, &told, now) {
        let id = current(wanted.kind);
        let before = b.notices.iter().find(|n| id.is_some() && n.message() == id);
        let notice = Notice {
            kind: wanted.kind,
            revision: b.revision,
            channel: b.overrides.channel(),
            at: time(wanted, before, now),
            what: match before {
                Some(before) => before.what,
                None => Decided::Skipped(carillon_domain::booking::SkipReason::NoPhone),
            },
        };
        let is_there = id.and_then(|id| there.get(&id));
        let what = match (is_there, id, wanted.at) {
            // Planned before: what became of it, the message says.
            (Some(message), Some(id), _) => {
                if message.state == MessageState::Scheduled && message.scheduled_for != notice.at {
                    plan.moved.push((id, notice.at));
                }
                Decided::Planned(id)
            }
            (None, Some(_), Err((_, why))) if before.is_none() => Decided::Skipped(why),
            (None, Some(id), _) => match letter::write(ctx, b, about, &notice, id, now).await? {
                Ok(message) => {
                    plan.messages.push(message);
                    Decided::Planned(id)
                }
                Err(why) => Decided::Skipped(why),
            },
            (_, None, Err((_, why))) => Decided::Skipped(why),
            (_, None, Ok(_)) => Decided::Skipped(about.no_phone()),
        };
        wanted_ids.extend(id);
        decided.push(Notice { what, ..notice });
    }
    for notice in &b.notices {
        let Some(id) = notice.message() else { continue };
        if wanted_ids.contains(&id) {
            continue;
        }
        match there.get(&id) {
            Some(m) if is_waiting(m) => plan.stale.push(id),
            Some(_) => {}
            // Whoever wrote its id may be about to store it.
            None => plan.waits |= now < b.updated_at + OTHERS_END,
        }
    }
    plan.notices = listed(b, there, &wanted_ids, decided);
    Ok(plan)
}

/// When a notice goes. One whose time has come keeps it.
fn time(wanted: Wanted, before: Option<&Notice>, now: Timestamp) -> Timestamp {
    let at = match (wanted.at, before) {
        (_, Some(before)) if before.at <= now => before.at,
        (Ok(at), _) => at,
        (Err(_), Some(before)) => before.at,
        (Err((at, _)), None) => at,
    };
    // To the millisecond, as it is stored.
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// What was decided before and still says something, then what was decided now.
fn listed(
    b: &Booking,
    there: &HashMap<MessageId, Message>,
    wanted: &[MessageId],
    decided: Vec<Notice>,
) -> Vec<Notice> {
    let stays = |n: &&Notice| match n.what {
        Decided::Planned(id) => !wanted.contains(&id),
        // Of what is ahead it is decided anew each time.
        Decided::Skipped(_) => !matches!(n.kind, NoticeKind::Reminder | NoticeKind::Feedback),
    };
    let mut decided = decided;
    let mut all: Vec<Notice> = Vec::with_capacity(b.notices.len() + decided.len());
    for notice in &b.notices {
        // Where it stood, as it is decided now.
        let again =
            decided.iter().position(|d| d.message().is_some() && d.message() == notice.message());
        match again {
            Some(place) => all.push(decided.remove(place)),
            None if stays(&notice) => all.push(notice.clone()),
            None => {}
        }
    }
    all.extend(decided);
    while all.len() > MOST_NOTICES {
        let is_over = |n: &Notice| match n.what {
            Decided::Planned(id) => {
                there.get(&id).is_some_and(|m| matches!(m.state, MessageState::Cancelled { .. }))
            }
            Decided::Skipped(_) => n.revision < b.revision,
        };
        let Some(place) = all.iter().position(is_over) else { break };
        all.remove(place);
    }
    all
}

/// It may have reached the person, or has had its end otherwise than by us.
fn is_told(m: &Message) -> bool {
    match &m.state {
        MessageState::Scheduled => false,
        MessageState::Cancelled { by, .. } => !by.starts_with(WITHDRAWN),
        MessageState::Sending { .. }
        | MessageState::Unknown { .. }
        | MessageState::Accepted { .. }
        | MessageState::Delivered { .. }
        | MessageState::Read { .. }
        | MessageState::Failed { .. }
        | MessageState::Suppressed { .. }
        | MessageState::Received => true,
    }
}

/// It is not settled: it can be withdrawn, or will be settled soon.
fn is_waiting(m: &Message) -> bool {
    !m.state.is_settled()
}

/// True when it cannot be withdrawn yet, and may come back.
async fn withdraw(
    ctx: &Context,
    b: &Booking,
    id: MessageId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let what = match b.state {
        State::Cancelled { .. } => "cancelled",
        State::Completed { .. } => "completed",
        State::Confirmed if b.moved_in == b.revision && b.revision > 1 => "moved",
        State::Confirmed => "changed",
    };
    let by = format!("{WITHDRAWN} {what}");
    let changed = ctx
        .store
        .change_message(b.org, id, &random::token(), now, |m| {
            (m.state == MessageState::Scheduled).then(|| m.cancel(&by, now).ok()).flatten()
        })
        .await?;
    Ok(changed.is_some_and(|(m, _)| is_waiting(&m)))
}

async fn reschedule(
    ctx: &Context,
    b: &Booking,
    id: MessageId,
    at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let kind = b.notices.iter().find(|n| n.message() == Some(id)).map(|n| n.kind);
    ctx.store
        .change_message(b.org, id, &random::token(), now, |m| {
            if m.scheduled_for == at {
                return None;
            }
            m.reschedule(at, now).ok()?;
            m.expires_at = kind.and_then(|kind| letter::end(b, kind, at)).or(m.expires_at);
            Some(())
        })
        .await?;
    Ok(())
}
