//! The time line, walked back from now until enough is found or enough was read.

use std::collections::VecDeque;

use carillon_domain::message::Status;
use carillon_domain::statistics::Bucket;
use carillon_domain::{ImportId, MessageId, OrgId};
use carillon_runtime::Context;
use carillon_store::{Group, TimelineEntry, keys};

use super::filter::Filter;
use super::list::{ENTRIES, Found, MOST_ROWS};
use crate::problem::Problem;
use crate::{lists, months};

/// Empty months that one request walks back.
const MONTHS: usize = 36;
/// Messages read at a time, of which some may not fit.
const AT_ONCE: usize = 100;
/// A page of a file, or a piece of the time line, counts as so many rows where
/// most of it may not fit.
const BESIDE: usize = 10;

/// # Errors
/// When the cursor is none of ours, or the table does not answer.
pub async fn back(
    ctx: &Context,
    org: OrgId,
    filter: &Filter,
    cursor: Option<Vec<String>>,
    limit: usize,
) -> Result<Found, Problem> {
    let now = ctx.clock.now();
    let newest = filter.to.map_or(now, |to| to.min(now));
    let (mut month, mut before, mut skip) = match cursor {
        None => (keys::month(newest), None, 0),
        Some(parts) => {
            let [month, before, skip] =
                <[String; 3]>::try_from(parts).map_err(|_| lists::invalid_cursor())?;
            (month, Some(before), skip.parse().map_err(|_| lists::invalid_cursor())?)
        }
    };
    let oldest = months::oldest(ctx, org, filter.from).await?;
    let mut found = Vec::new();
    let mut looked = 0;
    let beside = if filter.is_set() { BESIDE } else { 1 };
    for _ in 0..MONTHS {
        loop {
            let entries = ctx.store.timeline(org, &month, before.as_deref(), ENTRIES).await?;
            if entries.is_empty() {
                break;
            }
            looked += beside;
            let mut entries = entries.into_iter();
            let mut known: VecDeque<(String, usize, MessageId)> = VecDeque::new();
            loop {
                // Without a filter each is taken: no more is read than is shown.
                let wanted = if filter.is_set() { AT_ONCE } else { limit - found.len() };
                while known.len() < wanted
                    && let Some((place, entry)) = entries.next()
                {
                    let (ids, is_page) = ids_of(ctx, org, filter, entry).await?;
                    looked += if is_page { beside } else { 0 };
                    let new = ids.into_iter().filter(|(within, _)| *within >= skip);
                    known.extend(new.map(|(within, id)| (place.sort.clone(), within, id)));
                    skip = 0;
                    before = Some(place.sort);
                }
                let some: Vec<_> = known.drain(..wanted.min(known.len())).collect();
                let Some(last) = some.last() else { break };
                looked += some.len();
                let ids: Vec<_> = some.iter().map(|(.., id)| *id).collect();
                for message in ctx.store.messages(org, &ids, false, true).await? {
                    if !filter.takes(&message, now) {
                        continue;
                    }
                    let id = message.id;
                    found.push(message);
                    if found.len() == limit {
                        let at = some.iter().find(|(.., of)| *of == id).unwrap_or(last);
                        return Ok((found, Some(behind(month, at))));
                    }
                }
                if looked >= MOST_ROWS {
                    return Ok((found, Some(behind(month, last))));
                }
            }
            if looked >= MOST_ROWS {
                let before = before.unwrap_or_default();
                return Ok((found, Some(vec![month, before, "0".to_owned()])));
            }
        }
        if oldest.as_ref().is_some_and(|oldest| *oldest >= month) {
            return Ok((found, None));
        }
        month = months::previous(&month).ok_or_else(lists::invalid_cursor)?;
        before = None;
        skip = 0;
    }
    // Older months are there: it goes on at the next one.
    Ok((found, Some(vec![month, "~".to_owned(), "0".to_owned()])))
}

/// Where to go on from: the entry itself comes again, and what of it was seen is
/// skipped.
fn behind(month: String, (sort, within, _): &(String, usize, MessageId)) -> Vec<String> {
    vec![month, format!("{sort}~"), (within + 1).to_string()]
}

/// The messages of an entry that the filter may take, each with its place in the
/// entry, and whether a page was read for them.
async fn ids_of(
    ctx: &Context,
    org: OrgId,
    filter: &Filter,
    entry: TimelineEntry,
) -> Result<(Vec<(usize, MessageId)>, bool), Problem> {
    let (import, number) = match entry {
        TimelineEntry::Message(_) if filter.import.is_some() => return Ok((Vec::new(), false)),
        TimelineEntry::Message(id) => return Ok((vec![(0, id)], false)),
        TimelineEntry::Page { import, .. } if filter.import.is_some_and(|id| id != import) => {
            return Ok((Vec::new(), false));
        }
        TimelineEntry::Page { import, page } => (import, page),
    };
    let page = ctx.store.page(org, import, number).await?.unwrap_or_default();
    let doubles = page.sealed.as_deref().unwrap_or_default();
    let is_double = |place: usize| doubles.iter().any(|d| usize::try_from(*d) == Ok(place));
    let arrived = match filter.status {
        None | Some(Status::Delivered | Status::Read) => Vec::new(),
        Some(_) => arrived(ctx, org, (import, number)).await?,
    };
    let own = page.entries.iter().enumerate().filter(|(place, entry)| {
        !is_double(*place) && arrived.binary_search(&entry.line.to_be_bytes().to_vec()).is_err()
    });
    Ok((own.map(|(place, entry)| (place, entry.message)).collect(), true))
}

/// The lines of a page, and of its neighbour, whose messages have arrived: they
/// are in no other state again, however long ago that was counted.
async fn arrived(
    ctx: &Context,
    org: OrgId,
    (import, page): (ImportId, u32),
) -> Result<Vec<Vec<u8>>, Problem> {
    let counted = ctx.store.counted(&Group::of_page(org, import, page)).await?;
    let is_there = |bucket| matches!(bucket, Bucket::Delivered | Bucket::Read);
    let lines = counted.messages.into_iter().filter(|(_, (_, fact))| is_there(fact.bucket));
    Ok(lines.map(|(line, _)| line).collect())
}
