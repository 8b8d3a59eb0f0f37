//! What is stored about one person, known by an address: forgetting it.
//!
//! An erasure is a row with a due time, so it goes on after a crash, and where
//! something is under way. Every step can be repeated; progress is saved page by
//! page by whoever has the row's version. Who asked works on it first, then the
//! queue processor, each minute, until it is done.

mod files;

use carillon_domain::erasure::{Counts, Erasure, Stage};
use carillon_domain::message::Message;
use carillon_domain::transition::Erased;
use carillon_domain::{AddressKey, ContactId, MessageId, OrgId};
use carillon_store::{ContactDeleted, FoundContact, StoreError};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use crate::context::InstallationError;
use crate::{Context, booking, random};

/// Messages looked at before progress is saved.
const PAGE: i32 = 100;
/// Messages erased side by side.
const IN_FLIGHT: usize = 10;
/// Lists that a contact is taken from.
const LISTS: i32 = 1_000;
/// How often a contact that others change is tried again.
const ROUNDS: usize = 8;
/// Between two looks at what is under way.
const PAUSE: SignedDuration = SignedDuration::from_secs(60);
/// Files are looked through this much later: by then each that was there has its
/// place in the time line.
const FILES_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// So long after a send its id with the provider may be met by a look-up of
/// another message.
const ID_MATTERS: SignedDuration = SignedDuration::from_hours(2);
/// A text without a message after so long belongs to nothing.
const ORPHANED_AFTER: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Installation(#[from] InstallationError),
    #[error("a piece of a file cannot be read")]
    File(#[from] carillon_domain::rows::CorruptChunk),
}

/// What a step leaves to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Something, at once.
    Further,
    /// It has set when it goes on.
    Later,
}

/// The erasure of this address that is under way, or a new one, due soon.
///
/// # Errors
/// When the table does not answer.
pub async fn ask(
    ctx: &Context,
    org: OrgId,
    address: AddressKey,
    by: &str,
) -> Result<Erasure, EraseError> {
    loop {
        let now = ctx.clock.now();
        let mut erasure = match ctx.store.erasure(org, address).await? {
            Some(running) if !running.is_done() => return Ok(running),
            Some(done) => Erasure {
                version: done.version,
                generation: done.generation + 1,
                ..Erasure::new(org, address, by, now)
            },
            None => Erasure::new(org, address, by, now),
        };
        erasure.due = Some(now + PAUSE);
        if ctx.store.save_erasure(&mut erasure).await? {
            return Ok(erasure);
        }
    }
}

/// Goes on with an erasure until it is done, waits, or `deadline` is near.
/// Answers how far it is; somebody else may have gone on with it instead.
///
/// # Errors
/// When the table or KMS does not answer; what was done stays done.
pub async fn go_on(
    ctx: &Context,
    mut erasure: Erasure,
    deadline: Timestamp,
) -> Result<Erasure, EraseError> {
    while !erasure.is_done() && ctx.clock.now() < deadline {
        let now = ctx.clock.now();
        let next = match erasure.stage {
            Stage::Messages => messages(ctx, &mut erasure, now).await?,
            Stage::Texts => texts(ctx, &mut erasure, now).await?,
            Stage::Gates => {
                let (org, address) = (erasure.org, erasure.address);
                if let Some(id) = ctx.store.contact_of_phone(org, address).await? {
                    forget_contact(ctx, org, id, Some(erasure.asked_at)).await?;
                }
                ctx.store.erase_gates(erasure.org, erasure.address).await?;
                erasure.go_on(Stage::Files);
                Next::Further
            }
            Stage::Files if now < erasure.asked_at + FILES_AFTER => {
                erasure.due = Some(erasure.asked_at + FILES_AFTER);
                Next::Later
            }
            Stage::Files => files::page(ctx, &mut erasure, now).await?,
            Stage::Done => Next::Later,
        };
        if erasure.is_done() {
            erasure.done_at = Some(now);
            erasure.due = None;
            ctx.counters.add("erasures_done", 1);
        }
        if !ctx.store.save_erasure(&mut erasure).await? {
            // Somebody else has it; how far, the row says.
            let there = ctx.store.erasure(erasure.org, erasure.address).await?;
            return Ok(there.unwrap_or(erasure));
        }
        if next == Next::Later {
            return Ok(erasure);
        }
    }
    if !erasure.is_done() {
        erasure.due = Some(ctx.clock.now());
        ctx.store.save_erasure(&mut erasure).await?;
    }
    Ok(erasure)
}

/// Takes a contact off the books, with its places in lists. One that was made
/// after `asked` stays.
///
/// # Errors
/// When the table or KMS does not answer; what was done stays done.
pub async fn forget_contact(
    ctx: &Context,
    org: OrgId,
    id: ContactId,
    asked: Option<Timestamp>,
) -> Result<(), EraseError> {
    let secret = ctx.address_secret().await?;
    for _ in 0..ROUNDS {
        let Some(FoundContact::Contact(contact)) = ctx.store.contact(org, id).await? else {
            return Ok(());
        };
        if asked.is_some_and(|asked| contact.created_at > asked) {
            return Ok(());
        }
        booking::forget_client(ctx, org, id).await?;
        for list in ctx.store.lists_of(org, id, LISTS).await? {
            ctx.store.take_from_list(org, list, &[id], ctx.clock.now()).await?;
        }
        if ctx.store.delete_contact(&secret, &contact).await? == ContactDeleted::Done {
            return Ok(());
        }
    }
    Err(StoreError::Contended("a contact").into())
}

/// One page of messages, from the newest on.
async fn messages(
    ctx: &Context,
    erasure: &mut Erasure,
    now: Timestamp,
) -> Result<Next, EraseError> {
    let (org, address) = (erasure.org, erasure.address);
    let before = erasure.cursor.as_deref().and_then(|id| id.parse().ok());
    if before.is_none() {
        erasure.counts = Counts::default();
    }
    let ids = ctx.store.messages_with(org, address, before, PAGE).await?;
    let Some(last) = ids.last().copied() else {
        // What is under way needs its text, and with it the neighbours' ids.
        if erasure.counts.under_way > 0 {
            erasure.begin_anew(now + PAUSE);
            return Ok(Next::Later);
        }
        erasure.go_on(Stage::Texts);
        return Ok(Next::Further);
    };
    let asked = u64::try_from(erasure.asked_at.as_millisecond()).unwrap_or(0);
    let ids: Vec<MessageId> = ids.into_iter().filter(|id| id.at_ms() <= asked).collect();
    let found = ctx.store.messages(org, &ids, true, false).await?;
    let by = erasure.by.as_str();
    let outcomes: Vec<(Erased, bool)> = stream::iter(found)
        .map(|message| erase(ctx, message, by, now))
        .buffer_unordered(IN_FLIGHT)
        .try_collect()
        .await?;
    for (outcome, cancelled) in outcomes {
        let counts = &mut erasure.counts;
        counts.under_way += u32::from(outcome == Erased::NotYet);
        counts.erased += u32::from(outcome != Erased::NotYet);
        counts.cancelled += u32::from(cancelled);
    }
    erasure.cursor = Some(last.to_string());
    Ok(Next::Further)
}

/// One message; and whether it was cancelled for this, now or in a run that was
/// cut off.
async fn erase(
    ctx: &Context,
    message: Message,
    by: &str,
    now: Timestamp,
) -> Result<(Erased, bool), EraseError> {
    let (org, id) = (message.org, message.id);
    if message.erased_at.is_some() {
        return Ok((Erased::Before, message.was_cancelled_to_erase()));
    }
    // Whoever looks another message up must still see that this id is taken.
    if let (Some(provider), Some(pid)) = (message.provider, &message.provider_message_id)
        && message.sent_at.is_some_and(|sent| now < sent + ID_MATTERS)
    {
        ctx.store.take_provider_id(org, provider, pid, id).await?;
    }
    let mut outcome = Erased::NotYet;
    let changed = ctx
        .store
        .change_message(org, id, &random::token(), now, |m| {
            outcome = m.erase(by, now);
            matches!(outcome, Erased::Now | Erased::NowCancelled).then_some(())
        })
        .await?;
    // Its time to live was over.
    let Some((message, _)) = changed else { return Ok((Erased::Before, false)) };
    Ok((outcome, message.was_cancelled_to_erase()))
}

/// One page of long texts and of answers.
async fn texts(ctx: &Context, erasure: &mut Erasure, now: Timestamp) -> Result<Next, EraseError> {
    let (org, address) = (erasure.org, erasure.address);
    let after = erasure.cursor.as_deref();
    let (ids, last) = ctx.store.texts_of(org, address, after, PAGE).await?;
    let Some(last) = last else {
        erasure.go_on(Stage::Gates);
        return Ok(Next::Further);
    };
    let found = ctx.store.messages(org, &ids, true, false).await?;
    for id in ids {
        let is_gone = match found.iter().find(|m| m.id == id) {
            Some(message) => message.erased_at.is_some(),
            // A message that is just being stored comes after its text.
            None => {
                let at = i64::try_from(id.at_ms()).unwrap_or(i64::MAX);
                at + i64::try_from(ORPHANED_AFTER.as_millis()).unwrap_or(0) < now.as_millisecond()
            }
        };
        if is_gone {
            ctx.store.delete_texts(org, id).await?;
        }
    }
    erasure.cursor = Some(last);
    Ok(Next::Further)
}
