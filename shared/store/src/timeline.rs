//! An organization's history, newest first: one small row a page or a single
//! message, spread over a few partitions a month.

use carillon_domain::{ImportId, MessageId, OrgId};
use jiff::Timestamp;

use crate::attributes::{Reader, Writer, s};
use crate::{Result, Store, keys, retention, unavailable};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimelineEntry {
    Message(MessageId),
    Page { import: ImportId, page: u32 },
}

/// A place in the time line: the month and the entry's sort key. Text order is
/// time order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub month: String,
    pub sort: String,
}

impl Store {
    /// Idempotent: the same entry at the same time is the same row. Written
    /// before the messages it leads to; an entry that leads nowhere is skipped.
    /// `until` is when the messages are due.
    pub async fn note_in_timeline(
        &self,
        org: OrgId,
        at: Timestamp,
        entry: TimelineEntry,
        until: Timestamp,
    ) -> Result<()> {
        let sort = sort_key(at, entry);
        let shard = shard_of(entry);
        let key = keys::Key { pk: keys::timeline(org, &keys::month(at), shard), sk: sort };
        let mut row = Writer::new(&key).done();
        retention::set(&mut row, self.end_beside(org, until, at).await);
        self.put(row).await
    }

    /// Entries of one month before `before`, newest first.
    pub async fn timeline(
        &self,
        org: OrgId,
        month: &str,
        before: Option<&str>,
        limit: i32,
    ) -> Result<Vec<(Place, TimelineEntry)>> {
        let mut found = Vec::new();
        for shard in 0..keys::TIMELINE_SHARDS {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk AND sk < :before")
                .expression_attribute_values(":pk", s(keys::timeline(org, month, shard)))
                .expression_attribute_values(":before", s(before.unwrap_or("~")))
                .scan_index_forward(false)
                .limit(limit)
                .send()
                .await
                .map_err(unavailable("query time line"))?;
            for item in answer.items() {
                let r = Reader::new("time line", item);
                let sort = r.text("sk")?;
                let entry = r.parsed("sk", read_sort_key)?;
                found.push((Place { month: month.to_owned(), sort: sort.to_owned() }, entry));
            }
        }
        found.sort_by(|a, b| b.0.sort.cmp(&a.0.sort));
        found.truncate(usize::try_from(limit).unwrap_or(0));
        Ok(found)
    }
}

fn shard_of(entry: TimelineEntry) -> u8 {
    let byte = match entry {
        TimelineEntry::Message(id) => id.as_bytes()[25],
        TimelineEntry::Page { import, page } => {
            import.as_bytes()[9].wrapping_add(page.to_be_bytes()[3])
        }
    };
    byte % keys::TIMELINE_SHARDS
}

fn sort_key(at: Timestamp, entry: TimelineEntry) -> String {
    let at = at.as_millisecond().max(0);
    match entry {
        TimelineEntry::Message(id) => format!("{at:013}#m#{}", id.key()),
        TimelineEntry::Page { import, page } => format!("{at:013}#p#{}#{page:06}", import.key()),
    }
}

fn read_sort_key(text: &str) -> Option<TimelineEntry> {
    let mut parts = text.split('#').skip(1);
    match (parts.next()?, parts.next()?, parts.next()) {
        ("m", id, None) => Some(TimelineEntry::Message(MessageId::from_key(id).ok()?)),
        ("p", import, Some(page)) => Some(TimelineEntry::Page {
            import: ImportId::from_key(import).ok()?,
            page: page.parse().ok()?,
        }),
        _ => None,
    }
}
