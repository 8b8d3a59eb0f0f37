//! Planning a file, or a step's source: page by page, in the one order that survives a crash at
//! any point. The page is frozen first; then its messages, each put only if
//! absent; then its packs, which make the messages due; then the seal; then the
//! cursor. A repeat finds what is there and goes on behind it.

use carillon_domain::campaign::Standing;
use carillon_domain::import::{DUPLICATE, Entry, Import, Page, Progress};
use carillon_domain::ledger::interval;
use carillon_domain::message::{Content, Direction, Message, Related, Source, State};
use carillon_domain::pack::{Pack, Stage};
use carillon_domain::rows::Row;
use carillon_domain::{Lane, PackId, segments};
use carillon_runtime::context::InstallationError;
use carillon_runtime::{Context, random};
use carillon_store::{DueEntry, DueKind, Inserted, Mechanism, StoreError, TimelineEntry};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use crate::freeze::{self, FreezeError, Outcome, Reader, Recipient, Text};

/// Message rows put side by side.
const PUTS_IN_FLIGHT: usize = 16;
/// The lease goes on for this long after the run must have ended.
const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Installation(#[from] InstallationError),
    #[error(transparent)]
    Freeze(#[from] FreezeError),
}

/// Plans up to `pages` pages of a due import. Answers how many it planned; 0
/// when someone else has the import.
pub async fn turn(
    ctx: &Context,
    entry: &DueEntry,
    pages: u32,
    deadline: Timestamp,
) -> Result<u32, PlanError> {
    let DueKind::Import(id) = entry.kind else { return Ok(0) };
    let until = deadline + LEASE_MARGIN;
    let Some(generation) = ctx.store.lease(entry, until, &random::token()).await? else {
        return Ok(0);
    };
    let Some(mut import) = ctx.store.import(entry.org, id).await? else { return Ok(0) };
    if is_withdrawn(ctx, &import).await? {
        return Ok(0);
    }
    let mut reader = Reader::new(ctx, &import).await?;
    let mut planned = 0;
    while planned < pages && !import.is_planned() && ctx.clock.now() < deadline {
        match page(ctx, &import, &mut reader).await {
            Ok(Some(progress)) => import.progress = progress,
            Ok(None) => return Ok(planned),
            Err(error) => {
                give_up_if_final(ctx, &import, &error).await?;
                return Err(error);
            }
        }
        planned += 1;
    }
    if !import.is_planned() {
        // Others have their turn; it is due again at once.
        let held = DueEntry { at: until, generation, ..entry.clone() };
        ctx.store.lease(&held, ctx.clock.now(), &random::token()).await?;
    }
    Ok(planned)
}

/// What was asked for is not so any more: nothing more is planned of it.
async fn is_withdrawn(ctx: &Context, import: &Import) -> Result<bool, PlanError> {
    let Some(of) = import.step() else { return Ok(false) };
    let found = ctx.store.campaign_and_workshop(import.org, of.campaign, of.workshop).await?;
    let Standing::Withdrawn(why) = Standing::of(of, found.0.as_ref(), found.1.as_ref()) else {
        return Ok(false);
    };
    ctx.store.withdraw_source(import.org, import.id, why.detail()).await?;
    Ok(true)
}

/// An error that would be the same again ends the import, visibly.
async fn give_up_if_final(
    ctx: &Context,
    import: &Import,
    error: &PlanError,
) -> Result<(), PlanError> {
    let is_final = matches!(
        error,
        PlanError::Store(StoreError::Corrupt { .. })
            | PlanError::Freeze(
                FreezeError::Store(StoreError::Corrupt { .. })
                    | FreezeError::Chunk(_)
                    | FreezeError::Template(_)
                    | FreezeError::Changed { .. }
            )
    );
    if is_final {
        ctx.counters.add("imports_failed", 1);
        ctx.store.fail_import(import.org, import.id, &error.to_string()).await?;
    }
    Ok(())
}

/// Plans one page. `None` when someone else moved the cursor.
async fn page(
    ctx: &Context,
    import: &Import,
    reader: &mut Reader,
) -> Result<Option<Progress>, PlanError> {
    let number = import.progress.pages;
    let (org, id) = (import.org, import.id);
    let frozen = match ctx.store.page(org, id, number).await? {
        Some(frozen) => frozen,
        None => {
            let page = freeze::build(ctx, import, reader).await?;
            let when = (import.scheduled_for, ctx.clock.now());
            ctx.store.freeze_page(org, id, number, page, when).await?
        }
    };
    let rows = reader.rows(ctx, import, &frozen).await?;
    let entry = TimelineEntry::Page { import: id, page: number };
    ctx.store.note_in_timeline(org, import.created_at, entry, import.scheduled_for).await?;
    let (doubles, sizes) =
        put_messages(ctx, import, number, &frozen, (&rows, &reader.text)).await?;
    let packs_late = ctx.store.lacks(Mechanism::PackBeforeCursor);
    let parts = match packs_late {
        true => sizes.iter().map(|size| u64::from(*size)).sum(),
        false => put_packs(ctx, import, number, &frozen, &sizes).await?,
    };
    // That the cursor has passed it says that the page is sealed; only what
    // doubled is written on it.
    if !doubles.is_empty() {
        ctx.store.seal_page(org, id, number, &doubles).await?;
    }

    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let repeated = frozen.rejected.iter().filter(|r| r.code == DUPLICATE).count();
    let progress = Progress {
        pages: number + 1,
        chunk: frozen.next_chunk,
        record: frozen.next_record,
        accepted: import.progress.accepted + count(frozen.entries.len() - doubles.len()),
        duplicates: import.progress.duplicates + count(doubles.len() + repeated),
        rejected: import.progress.rejected + count(frozen.rejected.len() - repeated),
        parts: import.progress.parts + parts,
    };
    let moved = ctx.store.advance_import(import, &progress, &random::token()).await?;
    if packs_late {
        put_packs(ctx, import, number, &frozen, &sizes).await?;
    }
    Ok(moved.then_some(progress))
}

/// Puts the page's messages; answers the places of those whose number an
/// earlier page had, and how many parts each message has.
async fn put_messages(
    ctx: &Context,
    import: &Import,
    number: u32,
    page: &Page,
    (rows, text): (&[Row], &Text),
) -> Result<(Vec<u32>, Vec<u16>), PlanError> {
    let secret = ctx.address_secret().await?;
    let token = random::token();
    let now = ctx.clock.now();
    let mut messages = Vec::with_capacity(page.entries.len());
    for (place, entry) in (0..).zip(&page.entries) {
        let row = rows.iter().find(|row| row.line == entry.line);
        let row = row.ok_or(FreezeError::Changed { line: entry.line })?;
        let said = read(import, text, entry, row)?;
        // The frozen id decides whose row this is: what is read again must be
        // the same person.
        if freeze::message_id(&secret, import, &said.to, entry.line) != entry.message {
            return Err(FreezeError::Changed { line: entry.line }.into());
        }
        messages.push((place, message(import, number, entry, said, &token, now)));
    }
    let sizes = messages.iter().map(|(_, m)| m.content.segments.max(1)).collect();
    let found: Vec<Option<u32>> = stream::iter(messages)
        .map(|(place, message)| async move {
            Ok::<_, PlanError>(match ctx.store.insert_message(&message).await? {
                Inserted::New => None,
                // This row's own message, put by a run that was cut off; or
                // another line's with the same number.
                Inserted::Exists(other) => (other.source != message.source).then_some(place),
            })
        })
        .buffered(PUTS_IN_FLIGHT)
        .try_collect()
        .await?;
    Ok((found.into_iter().flatten().collect(), sizes))
}

fn read(import: &Import, text: &Text, entry: &Entry, row: &Row) -> Result<Recipient, FreezeError> {
    match freeze::read(import, text, row) {
        Outcome::Recipient(recipient) => Ok(recipient),
        Outcome::Rejected { .. } => Err(FreezeError::Changed { line: entry.line }),
    }
}

fn message(
    import: &Import,
    page: u32,
    entry: &Entry,
    Recipient { to, contact, zone, variables, body }: Recipient,
    token: &str,
    now: Timestamp,
) -> Message {
    let counted = segments::count(&body);
    Message {
        id: entry.message,
        org: import.org,
        direction: Direction::Outbound,
        channel: import.channel,
        address: to.as_str().to_owned(),
        our_address: None,
        state: State::Scheduled,
        content: Content {
            body,
            encoding: Some(counted.encoding),
            segments: counted.segments,
            template: import.template.clone(),
            variables,
            media: Vec::new(),
            flash: false,
            introduction: None,
            elsewhere: false,
        },
        purpose: import.purpose,
        lane: Lane::Bulk,
        source: Source::Import { id: import.id, page, line: entry.line },
        related: import
            .step()
            .map(|of| Related { kind: "workshop".to_owned(), id: of.workshop.to_string() }),
        contact,
        zone,
        campaign: import.step().map(|of| of.campaign),
        integration: import.integration,
        provider: None,
        provider_message_id: None,
        price: None,
        scheduled_for: import.scheduled_for,
        expires_at: import.expires_at,
        override_quiet_hours: false,
        created_by: import.created_by.clone(),
        created_at: import.created_at,
        updated_at: now,
        sent_at: None,
        erased_at: None,
        attempts: Vec::new(),
        events: Vec::new(),
        decisions: Vec::new(),
        due: None,
        generation: 0,
        version: 1,
        token: token.to_owned(),
        idle: 0,
    }
}

/// Puts the page's packs, each due when the rate of its account gets to it: so
/// the queue stays shallow, and nobody waits for slots that others have. Answers
/// how many parts the page has.
async fn put_packs(
    ctx: &Context,
    import: &Import,
    number: u32,
    page: &Page,
    sizes: &[u16],
) -> Result<u64, PlanError> {
    let now = ctx.clock.now();
    let step = interval(rate(ctx, import).await?);
    let count = page.entries.len();
    let mut parts = 0;
    for from in (0..count).step_by(ctx.config.tuning.pack_size) {
        let to = (from + ctx.config.tuning.pack_size).min(count);
        let place = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let id: PackId = Pack::id_of(import.id, number, place(from));
        let before = i64::try_from(import.progress.parts + parts).unwrap_or(i64::MAX);
        let wait = SignedDuration::from_micros(before.saturating_mul(step));
        let pack = Pack {
            org: import.org,
            id,
            source: import.id,
            page: number,
            from: place(from),
            to: place(to),
            channel: import.channel,
            lane: Lane::Bulk,
            stage: Stage::Send,
            due: Some(import.scheduled_for.checked_add(wait).unwrap_or(import.scheduled_for)),
            generation: 0,
            idle_runs: 0,
            given_up: None,
        };
        ctx.store.insert_pack(&pack, now).await?;
        let pack = sizes.get(from..to).unwrap_or_default();
        parts += pack.iter().map(|size| u64::from(*size)).sum::<u64>();
    }
    Ok(parts)
}

/// Parts a second of the account that will most likely send: the one asked for,
/// or the channel's first. Which it is, is decided at send time.
async fn rate(ctx: &Context, import: &Import) -> Result<u32, PlanError> {
    let mut accounts = ctx.store.integrations(import.org).await?;
    accounts.retain(|i| {
        i.enabled
            && i.provider.channel() == import.channel
            && import.integration.is_none_or(|asked| asked == i.provider)
    });
    let first = accounts.into_iter().min_by_key(|i| (i.settings.priority, i.provider));
    Ok(first.map_or(u32::MAX, |i| i.settings.rate_per_second))
}
