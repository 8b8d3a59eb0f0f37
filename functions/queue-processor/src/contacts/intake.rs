//! Taking in an uploaded file: a block of bytes becomes pieces of the table.

use carillon_domain::contact::import::ContactImport;
use carillon_domain::rows::{self, FileError, Table, stream};
use carillon_runtime::Context;
use carillon_runtime::files;

use super::ImportError;

/// Bytes read at a time; what is in memory is one block and its rows.
const BLOCK: u64 = 1024 * 1024;
/// A stored piece of the file; a row of the table holds at most 400 KB.
const CHUNK_BYTES: usize = 96 * 1024;
const MAX_ROWS: usize = 2_000_000;

/// The next block, whose place the import then is behind.
pub async fn block(ctx: &Context, import: &mut ContactImport) -> Result<(), ImportError> {
    let Some(upload) = &import.upload else { return Ok(()) };
    let place = import.head.place;
    let key = files::upload_key(import.org, upload.id);
    let bytes = ctx.files()?.range(&key, place.byte, BLOCK, ctx.clock.now()).await?;
    let bytes = bytes.ok_or(ImportError::Gone)?.bytes;
    let is_last = place.byte + bytes.len() as u64 >= upload.size;
    let block = stream::block(&bytes, &import.head, place, is_last)?;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let taken = count(block.rows.len());
    let table = Table { header: Vec::new(), rows: block.rows };
    let now = ctx.clock.now();
    for (number, chunk) in (import.chunks..).zip(rows::chunks(&table, CHUNK_BYTES)) {
        let of = (import.org, import.id);
        ctx.store.put_contact_import_chunk(of, number, &chunk.text, now).await?;
        import.chunks = number + 1;
    }
    import.rows = import.rows.saturating_add(taken);
    if import.rows > count(MAX_ROWS) {
        return Err(FileError::TooManyRows { limit: MAX_ROWS }.into());
    }
    import.head.place = block.next;
    Ok(())
}
