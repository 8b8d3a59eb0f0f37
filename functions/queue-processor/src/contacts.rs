//! Imports of contacts: page by page. The rest of an uploaded file is taken in
//! first, block by block, into pieces of the table; then each page of rows
//! becomes contacts. Both can be repeated: a piece is the same piece again, a row
//! finds what it did before. The cursor moves last, on the version of the row.

mod find;
mod intake;
mod page;
mod person;

use carillon_domain::contact::import::ContactImport;
use carillon_domain::rows::{CorruptChunk, FileError, Row};
use carillon_runtime::context::InstallationError;
use carillon_runtime::files::FilesError;
use carillon_runtime::{Context, random};
use carillon_store::{DueEntry, DueKind, StoreError};
use jiff::{SignedDuration, Timestamp};

/// The lease goes on for this long after the run must have ended.
const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Installation(#[from] InstallationError),
    #[error(transparent)]
    Chunk(#[from] CorruptChunk),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error("The file is not kept any more; upload it again.")]
    Gone,
    #[error("The workshop gives no more numbers to registrations.")]
    Full,
}

/// The piece that was read last, kept for the next page.
#[derive(Default)]
pub struct Piece(Option<(u32, Vec<Row>)>);

/// Works on up to `pages` pages of a due import. Answers how many were done; 0
/// when someone else has the import.
pub async fn turn(
    ctx: &Context,
    entry: &DueEntry,
    pages: u32,
    deadline: Timestamp,
) -> Result<u32, ImportError> {
    let DueKind::ContactImport(id) = entry.kind else { return Ok(0) };
    let until = deadline + LEASE_MARGIN;
    if ctx.store.lease(entry, until, &random::token()).await?.is_none() {
        return Ok(0);
    }
    let Some(mut import) = ctx.store.contact_import(entry.org, id).await? else { return Ok(0) };
    let mut piece = Piece::default();
    let mut done = 0;
    while done < pages && !import.is_done() && ctx.clock.now() < deadline {
        let step = match import.is_coming_in() {
            true => intake::block(ctx, &mut import).await,
            false => page::page(ctx, &mut import, &mut piece).await,
        };
        if let Err(error) = step {
            give_up_if_final(ctx, &mut import, &error).await?;
            return Err(error);
        }
        done += 1;
        settle(&mut import, ctx.clock.now());
        if !ctx.store.save_contact_import(&mut import).await? {
            return Ok(done);
        }
    }
    if !import.is_done() {
        // Others have their turn; it is due again at once.
        import.due = Some(ctx.clock.now());
        import.generation += 1;
        ctx.store.save_contact_import(&mut import).await?;
    }
    Ok(done)
}

/// An import that is done is no longer due.
fn settle(import: &mut ContactImport, now: Timestamp) {
    if import.is_done() {
        import.due = None;
        import.done_at = Some(now);
    }
}

/// An error that would be the same again ends the import, visibly.
async fn give_up_if_final(
    ctx: &Context,
    import: &mut ContactImport,
    error: &ImportError,
) -> Result<(), ImportError> {
    let reason = match error {
        ImportError::Store(StoreError::Corrupt { .. }) | ImportError::Chunk(_) => {
            "a row of ours cannot be read; upload the file again".to_owned()
        }
        ImportError::File(error) => error.to_string(),
        ImportError::Gone | ImportError::Full => error.to_string(),
        ImportError::Store(_) | ImportError::Installation(_) | ImportError::Files(_) => {
            return Ok(());
        }
    };
    ctx.counters.add("imports_failed", 1);
    import.failed = Some(reason);
    settle(import, ctx.clock.now());
    ctx.store.save_contact_import(import).await?;
    Ok(())
}
