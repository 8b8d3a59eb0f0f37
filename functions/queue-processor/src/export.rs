//! Exports of contacts: part by part into the bucket. A part that is repeated is
//! the same part again, under its number; what was uploaded counts when the row
//! says so.

use carillon_domain::contact::export::{self, ContactExport};
use carillon_domain::rows::harmless;
use carillon_domain::segment::{self, Rule};
use carillon_runtime::context::InstallationError;
use carillon_runtime::files::{FilesError, export_key};
use carillon_runtime::segment::SegmentError;
use carillon_runtime::{Context, random, segment as evaluate};
use carillon_store::{DueEntry, DueKind, StoreError};
use jiff::{SignedDuration, Timestamp};

/// The lease goes on for this long after the run must have ended.
const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(30);
/// A part but the last has at least so many bytes, by S3's own rule.
const PART_BYTES: usize = 5 * 1024 * 1024;
/// Contacts looked at before the part is looked at.
const LOOKED_AT: usize = 2_000;
/// Parts of a file, by S3's own rule.
const MOST_PARTS: usize = 10_000;

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Installation(#[from] InstallationError),
    #[error(transparent)]
    Segment(#[from] SegmentError),
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error(transparent)]
    Csv(#[from] csv::Error),
}

/// Works on a due export until `deadline`. Answers how many parts were done; 0 when
/// someone else has it.
pub async fn turn(
    ctx: &Context,
    entry: &DueEntry,
    deadline: Timestamp,
) -> Result<u32, ExportError> {
    let DueKind::ContactExport(id) = entry.kind else { return Ok(0) };
    let until = deadline + LEASE_MARGIN;
    if ctx.store.lease(entry, until, &random::token()).await?.is_none() {
        return Ok(0);
    }
    let Some(mut export) = ctx.store.contact_export(entry.org, id).await? else { return Ok(0) };
    let rule = match export.rules.as_ref().map(segment::read) {
        None => Rule::And(Vec::new()),
        Some(Ok(rule)) => rule,
        Some(Err(e)) => {
            export.failed = Some(format!("The rules cannot be read ({}).", e.place));
            export.due = None;
            ctx.store.save_contact_export(&mut export).await?;
            return Ok(1);
        }
    };
    let mut done = 0;
    while !export.is_done() && ctx.clock.now() < deadline {
        part(ctx, &mut export, &rule).await?;
        done += 1;
        if !ctx.store.save_contact_export(&mut export).await? {
            return Ok(done);
        }
    }
    if !export.is_done() {
        export.due = Some(ctx.clock.now());
        export.generation += 1;
        ctx.store.save_contact_export(&mut export).await?;
    }
    Ok(done)
}

/// The next part; with the last, the whole.
async fn part(ctx: &Context, export: &mut ContactExport, rule: &Rule) -> Result<(), ExportError> {
    let files = ctx.files()?;
    let now = ctx.clock.now();
    let key = export_key(export.org, &format!("{}.csv", export.id));
    let mut writer = csv::Writer::from_writer(Vec::new());
    if export.parts.is_empty() {
        writer.write_record(export::HEADER)?;
    }
    let mut after = export.after.clone();
    let mut rows = 0;
    let is_last = loop {
        let bound = (usize::MAX, LOOKED_AT);
        let found = evaluate::page(ctx, export.org, rule, after, bound).await?;
        for contact in &found.contacts {
            writer.write_record(export::cells(contact).iter().map(|cell| harmless(cell)))?;
            rows += 1;
        }
        after = found.next;
        writer.flush().map_err(csv::Error::from)?;
        if after.is_none() {
            break true;
        }
        if writer.get_ref().len() >= PART_BYTES {
            break false;
        }
    };
    let bytes = writer.into_inner().map_err(|e| csv::Error::from(e.into_error()))?;
    if is_last && export.parts.is_empty() {
        files.put(&key, bytes, now).await?;
    } else {
        let upload = match &export.upload {
            Some(upload) => upload.clone(),
            None => files.begin(&key, now).await?,
        };
        let number = export.parts.len() + 1;
        export.parts.push(files.part(&key, &upload, number, bytes, now).await?);
        if is_last || number == MOST_PARTS {
            files.finish(&key, &upload, &export.parts, now).await?;
        }
        export.upload = Some(upload);
    }
    export.rows += rows;
    export.after = after;
    if is_last || export.parts.len() == MOST_PARTS {
        export.done_at = Some(now);
        export.due = None;
    }
    Ok(())
}
