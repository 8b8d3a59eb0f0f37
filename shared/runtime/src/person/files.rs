//! Lines of uploaded files: the rows of a person lose their cells. A file that
//! is still being planned is left alone until it is: its lines must read as
//! they did.

use std::collections::BTreeSet;

use carillon_domain::contact::import::ContactImport;
use carillon_domain::erasure::{Erasure, Stage};
use carillon_domain::import::Import;
use carillon_domain::rows::{self, Row};
use carillon_domain::{AddressKey, AddressSecret, ImportId, PhoneNumber};
use carillon_store::{TimelineEntry, keys};
use jiff::Timestamp;

use super::{EraseError, Next, PAUSE};
use crate::Context;

/// Time line entries read at a time.
const ENTRIES: i32 = 50;
/// Before the place in the files of contacts, which come behind the others.
const CONTACTS: &str = "contacts/";
/// How far back files are looked for, in months.
const MONTHS: usize = 36;

/// The files of one page of the time line, from when it was asked backwards.
pub async fn page(
    ctx: &Context,
    erasure: &mut Erasure,
    now: Timestamp,
) -> Result<Next, EraseError> {
    if let Some(after) = erasure.cursor.as_deref().and_then(|c| c.strip_prefix(CONTACTS)) {
        let after = ImportId::from_key(after).ok();
        return contacts(ctx, erasure, after, now).await;
    }
    let (month, before, left) = place(erasure);
    let entries = ctx.store.timeline(erasure.org, &month, before.as_deref(), ENTRIES).await?;
    let Some((last, _)) = entries.last() else {
        match (left.checked_sub(1), keys::month_before(&month)) {
            (Some(left), Some(month)) if left > 0 => {
                erasure.cursor = Some(format!("{month}|{left}|"));
            }
            _ => erasure.cursor = Some(CONTACTS.to_owned()),
        }
        return Ok(Next::Further);
    };
    let next = format!("{month}|{left}|{}", last.sort);
    let imports: BTreeSet<_> = entries
        .iter()
        .filter_map(|(_, entry)| match entry {
            TimelineEntry::Page { import, page: 0 } => Some(*import),
            TimelineEntry::Page { .. } | TimelineEntry::Message(_) => None,
        })
        .collect();
    let secret = ctx.address_secret().await?;
    for id in imports {
        let Some(import) = ctx.store.import(erasure.org, id).await? else { continue };
        if import.created_at > erasure.asked_at {
            continue;
        }
        if import.due.is_some() {
            // It may plan a message to this person yet.
            erasure.begin_anew(now + PAUSE);
            return Ok(Next::Later);
        }
        for chunk in 0..import.chunks {
            while !blank(ctx, &import, chunk, erasure.address, &secret).await? {}
        }
    }
    erasure.cursor = Some(next);
    Ok(Next::Further)
}

/// The files of contacts of one page, in the order of their ids.
async fn contacts(
    ctx: &Context,
    erasure: &mut Erasure,
    after: Option<ImportId>,
    now: Timestamp,
) -> Result<Next, EraseError> {
    let ids = ctx.store.contact_imports(erasure.org, after, ENTRIES).await?;
    let Some(last) = ids.last().copied() else {
        erasure.go_on(Stage::Done);
        return Ok(Next::Further);
    };
    let secret = ctx.address_secret().await?;
    for id in ids {
        let Some(import) = ctx.store.contact_import(erasure.org, id).await? else { continue };
        if import.created_at > erasure.asked_at {
            continue;
        }
        if import.due.is_some() {
            // It may make a contact of this person yet.
            erasure.begin_anew(now + PAUSE);
            return Ok(Next::Later);
        }
        for chunk in 0..import.chunks {
            while !blank_contact(ctx, &import, chunk, erasure.address, &secret).await? {}
        }
    }
    erasure.cursor = Some(format!("{CONTACTS}{}", last.key()));
    Ok(Next::Further)
}

/// As [`blank`], of a file of contacts.
async fn blank_contact(
    ctx: &Context,
    import: &ContactImport,
    chunk: u32,
    address: AddressKey,
    secret: &AddressSecret,
) -> Result<bool, EraseError> {
    let Some(text) = ctx.store.contact_import_chunk(import.org, import.id, chunk).await? else {
        return Ok(true);
    };
    let is_theirs = |row: &Row| {
        let numbers = import.mapping.numbers(&row.cells);
        let read = |cell: &str| PhoneNumber::parse(cell.trim(), import.default_country).ok();
        numbers
            .filter_map(read)
            .any(|to| AddressKey::new(secret, import.org, to.as_str()) == address)
    };
    let Some(without) = emptied(&text, is_theirs)? else { return Ok(true) };
    let of = (import.org, import.id);
    Ok(ctx.store.replace_contact_import_chunk(of, chunk, &text, &without).await?)
}

/// The piece without the cells of these rows; `None` where it has none.
fn emptied(text: &str, is_theirs: impl Fn(&Row) -> bool) -> Result<Option<String>, EraseError> {
    let mut rows = rows::read_chunk(text).collect::<Result<Vec<Row>, _>>()?;
    let mut is_changed = false;
    for row in rows.iter_mut().filter(|row| is_theirs(row)) {
        row.cells.iter_mut().for_each(String::clear);
        is_changed = true;
    }
    Ok(is_changed.then(|| rows::chunk_text(&rows)))
}

/// Month, the place in it, and how many months are left.
fn place(erasure: &Erasure) -> (String, Option<String>, usize) {
    let mut parts = erasure.cursor.as_deref().unwrap_or_default().splitn(3, '|');
    let month = parts.next().filter(|month| !month.is_empty());
    let left = parts.next().and_then(|left| left.parse().ok());
    let before = parts.next().filter(|before| !before.is_empty());
    let newest = || keys::month(erasure.asked_at);
    (month.map_or_else(newest, str::to_owned), before.map(str::to_owned), left.unwrap_or(MONTHS))
}

/// Empties the cells of the person's rows; false when somebody else has changed
/// this piece meanwhile.
async fn blank(
    ctx: &Context,
    import: &Import,
    chunk: u32,
    address: AddressKey,
    secret: &AddressSecret,
) -> Result<bool, EraseError> {
    let Some(text) = ctx.store.import_chunk_if_kept(import.org, import.id, chunk).await? else {
        return Ok(true);
    };
    let is_theirs = |row: &Row| {
        import
            .number_in(&row.cells)
            .and_then(|cell| PhoneNumber::parse(cell.trim(), import.default_country()).ok())
            .is_some_and(|to| AddressKey::new(secret, import.org, to.as_str()) == address)
    };
    let Some(without) = emptied(&text, is_theirs)? else { return Ok(true) };
    Ok(ctx.store.replace_chunk(import.org, import.id, chunk, &text, &without).await?)
}
