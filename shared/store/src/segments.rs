//! Segments: a name and rules, as they were written.

use carillon_domain::{OrgId, SegmentId};
use jiff::Timestamp;
use serde_json::Value;

use crate::attributes::{Item, Reader, Writer, n};
use crate::{Result, Store, keys};

#[derive(Clone, PartialEq, Debug)]
pub struct StoredSegment {
    pub id: SegmentId,
    pub name: String,
    /// [`carillon_domain::segment::read`] reads them.
    pub rules: Value,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Counts the changes; 1 when new.
    pub version: u64,
}

impl Store {
    /// False when there is one with this id.
    pub async fn insert_segment(&self, org: OrgId, segment: &StoredSegment) -> Result<bool> {
        Ok(self.put_if(write(org, segment), "attribute_not_exists(pk)", None).await?.is_none())
    }

    /// The segment as changed, whose version is one more than the stored one's.
    /// False when somebody else changed or deleted it.
    pub async fn save_segment(&self, org: OrgId, segment: &StoredSegment) -> Result<bool> {
        let before = n(segment.version - 1);
        let met = self.put_if(write(org, segment), "ver = :seen", Some((":seen", before))).await?;
        // Our own write, whose answer was lost on the way, is done.
        Ok(met.is_none_or(|met| met == write(org, segment)))
    }

    pub async fn segment(&self, org: OrgId, id: SegmentId) -> Result<Option<StoredSegment>> {
        self.get(&keys::segment(org, id), true).await?.as_ref().map(read).transpose()
    }

    /// By id, from behind `after`.
    pub async fn segments(
        &self,
        org: OrgId,
        after: Option<SegmentId>,
        limit: i32,
    ) -> Result<Vec<StoredSegment>> {
        let after = after.map(|id| id.key()).unwrap_or_default();
        self.range(&keys::segments(org), &after, None, limit).await?.iter().map(read).collect()
    }

    /// False when there was none.
    pub async fn delete_segment(&self, org: OrgId, id: SegmentId) -> Result<bool> {
        self.delete_row(&keys::segment(org, id)).await
    }
}

fn write(org: OrgId, segment: &StoredSegment) -> Item {
    let mut w = Writer::new(&keys::segment(org, segment.id));
    w.text("nm", &segment.name).text("ru", segment.rules.to_string());
    w.text("by", &segment.created_by).time("ca", segment.created_at);
    w.time("ua", segment.updated_at).number("ver", segment.version);
    w.done()
}

fn read(item: &Item) -> Result<StoredSegment> {
    let r = Reader::new("segment", item);
    Ok(StoredSegment {
        id: SegmentId::from_key(r.text("sk")?)?,
        name: r.text("nm")?.to_owned(),
        rules: r.json("ru")?.ok_or_else(|| r.corrupt("ru"))?,
        created_by: r.text("by")?.to_owned(),
        created_at: r.time("ca")?,
        updated_at: r.time("ua")?,
        version: r.number("ver")?,
    })
}
