//! Workshops. All that belongs to one changes together with its row, under a
//! condition on its generation: registrations, campaigns, and that it is due.

use carillon_domain::workshop::Workshop;
use carillon_domain::{CampaignId, Lane, OrgId, TagId, WorkshopId};
use jiff::Timestamp;
use serde_json::json;

use crate::attributes::{Item, Reader, Writer, n};
use crate::transaction::{Transacted, Transaction};
use crate::{Result, Store, keys};

/// Version of this row shape.
const VERSION: u8 = 1;

/// The tag was deleted just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TagGone;

/// What came of changing a workshop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edited {
    Done,
    /// Somebody else was first.
    Changed,
    /// The tag was deleted just now.
    TagGone,
}

impl Store {
    /// Stores a new one, with its place in the list; its tag is used from now on.
    /// `None`: done, or done before. Otherwise the tag is not there any more.
    pub async fn insert_workshop(&self, w: &Workshop, token: &str) -> Result<Option<TagGone>> {
        let mut t = self.transaction();
        t.put(write(w, token), "attribute_not_exists(pk)", &[]);
        t.count_use(&keys::tag_users(w.org, w.tag));
        t.set(place(w));
        Ok(match t.commit().await? {
            Transacted::Refused(1) => Some(TagGone),
            Transacted::Done | Transacted::Refused(_) => None,
        })
    }

    /// As of now; also one that was deleted.
    pub async fn workshop(&self, org: OrgId, id: WorkshopId) -> Result<Option<Workshop>> {
        self.get(&keys::workshop(org, id), true).await?.as_ref().map(read).transpose()
    }

    /// Stores a changed one, if it is still at the generation it was read at, and
    /// raises that. False: somebody else was first.
    pub async fn save_workshop(&self, w: &mut Workshop, token: &str) -> Result<bool> {
        let seen = w.generation;
        w.generation += 1;
        let met = self.put_if(write(w, token), "gn = :seen", Some((":seen", n(seen)))).await?;
        Ok(met.is_none_or(|met| is_written_by(&met, token)))
    }

    /// Stores one that a person has changed: its tag and its place in the list
    /// with it.
    pub async fn edit_workshop(
        &self,
        before: &Workshop,
        w: &mut Workshop,
        token: &str,
    ) -> Result<Edited> {
        let mut t = self.transaction();
        let tag = |w: &Workshop| w.deleted_at.is_none().then_some(w.tag);
        let (old, new) = (tag(before), tag(w));
        if old != new {
            if let Some(new) = new {
                t.count_use(&keys::tag_users(w.org, new));
            }
            if let Some(old) = old {
                t.uncount_use(&keys::tag_users(w.org, old));
            }
        }
        let begins_use = old != new && new.is_some();
        if before.starts_at != w.starts_at {
            // Where it was before leads nowhere from now on.
            t.set(place(w));
        }
        Ok(match self.save_workshop_with(w, t, token).await? {
            None => Edited::Done,
            Some(0) if begins_use => Edited::TagGone,
            Some(_) => Edited::Changed,
        })
    }

    /// As [`Self::save_workshop`], together with other rows. `None`: done. What
    /// stood against it otherwise, by its place in the transaction.
    pub(crate) async fn save_workshop_with(
        &self,
        w: &mut Workshop,
        mut t: Transaction<'_>,
        token: &str,
    ) -> Result<Option<usize>> {
        let seen = w.generation;
        w.generation += 1;
        t.put(write(w, token), "gn = :seen", &[(":seen", n(seen))]);
        let Transacted::Refused(by) = t.commit().await? else { return Ok(None) };
        // The SDK may have repeated what was done already.
        let there = self.get(&keys::workshop(w.org, w.id), true).await?;
        Ok(if there.is_some_and(|there| is_written_by(&there, token)) { None } else { Some(by) })
    }

    /// Workshops that begin from `from` on and before `to`, in order, from behind
    /// a place; each with its place.
    pub async fn workshops(
        &self,
        org: OrgId,
        (from, to): (Option<Timestamp>, Option<Timestamp>),
        after: Option<&str>,
        limit: i32,
    ) -> Result<Vec<(String, Option<Workshop>)>> {
        let place = |at: Timestamp| format!("{:013}", at.as_millisecond().max(0));
        let low = match (after, from) {
            // No place has a character below the space.
            (Some(after), _) => format!("{after}\u{1}"),
            (None, Some(from)) => place(from),
            (None, None) => "0".to_owned(),
        };
        let high = to.map_or_else(|| "~".to_owned(), place);
        if low > high {
            return Ok(Vec::new());
        }
        let pk = keys::workshops(org);
        let rows = self.between(&pk, (low, high), limit, false, false).await?;
        let mut places = Vec::with_capacity(rows.len());
        for row in &rows {
            let r = Reader::new("workshop in the list", row);
            let sort = r.text("sk")?;
            let id = r.parsed("sk", |sk| WorkshopId::from_key(sk.split_once('#')?.1).ok())?;
            places.push((sort.to_owned(), id));
        }
        let wanted: Vec<_> = places.iter().map(|(_, id)| keys::workshop(org, *id)).collect();
        let found = self.get_many(&wanted, false).await?;
        let found = found.iter().map(read).collect::<Result<Vec<_>>>()?;
        let is_there = |sort: &str, w: &&Workshop| {
            w.deleted_at.is_none() && keys::workshop_listed(org, w.starts_at, w.id).sk == *sort
        };
        let listed = places.into_iter().map(|(sort, id)| {
            let workshop = found.iter().find(|w| w.id == id).filter(|w| is_there(&sort, w));
            let workshop = workshop.cloned();
            (sort, workshop)
        });
        Ok(listed.collect())
    }
}

fn place(w: &Workshop) -> Item {
    Writer::new(&keys::workshop_listed(w.org, w.starts_at, w.id)).done()
}

fn is_written_by(item: &Item, token: &str) -> bool {
    Reader::new("workshop", item).maybe_text("tk") == Some(token)
}

fn write(w: &Workshop, token: &str) -> Item {
    let mut row = Writer::new(&keys::workshop(w.org, w.id));
    row.number("v", VERSION).number("gn", w.generation).text("tk", token);
    row.text("ti", &w.title).text("tg", w.tag.key()).time("sa", w.starts_at);
    row.text("tz", &w.time_zone).number("rv", w.revision).number("ed", w.edition);
    if !w.whatsapp_group_ids.is_empty() {
        row.text("gr", json!(w.whatsapp_group_ids).to_string());
    }
    row.number("nr", w.registrations);
    if !w.campaigns.is_empty() {
        row.text("cm", json!(w.campaigns).to_string());
    }
    row.some("de", w.deleted_at, crate::attributes::ms);
    row.text("by", &w.created_by).time("ca", w.created_at).time("ua", w.updated_at);
    if let Some(due) = w.due {
        row.text("due", keys::due_partition(Lane::Bulk, keys::due_shard(w.id.as_bytes())));
        row.text("due_at", keys::due_at(due, w.generation));
    }
    row.done()
}

pub(crate) fn read(item: &Item) -> Result<Workshop> {
    let r = Reader::new("workshop", item);
    if r.number::<u8>("v")? > VERSION + 1 {
        return Err(r.corrupt("v"));
    }
    let (org, rest) = r.parsed("pk", keys::read_org)?;
    let id = rest.strip_prefix(keys::WORKSHOP).ok_or_else(|| r.corrupt("pk"))?;
    Ok(Workshop {
        org,
        id: WorkshopId::from_key(id)?,
        title: r.text("ti")?.to_owned(),
        tag: r.parsed("tg", |key| TagId::from_key(key).ok())?,
        starts_at: r.time("sa")?,
        time_zone: r.text("tz")?.to_owned(),
        whatsapp_group_ids: r.json("gr")?.unwrap_or_default(),
        revision: r.number("rv")?,
        edition: r.number("ed")?,
        registrations: r.number("nr")?,
        campaigns: r.json::<Vec<CampaignId>>("cm")?.unwrap_or_default().into_iter().collect(),
        deleted_at: r.maybe_time("de")?,
        created_by: r.text("by")?.to_owned(),
        created_at: r.time("ca")?,
        updated_at: r.time("ua")?,
        due: r.maybe_parsed("due_at", keys::read_due_at)?.map(|(at, _)| at),
        generation: r.number("gn")?,
    })
}
