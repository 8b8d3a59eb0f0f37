//! Exports of contacts: how far each is. The file itself is in the bucket.

use carillon_domain::contact::export::ContactExport;
use carillon_domain::{ExportId, Lane, OrgId};

use crate::attributes::{Item, Reader, Writer, ms, n, s};
use crate::{Result, Store, keys, retention};

impl Store {
    /// False when there is one with this id.
    pub async fn insert_contact_export(&self, e: &ContactExport) -> Result<bool> {
        let mut item = write(e);
        retention::set(&mut item, self.end_of_file(e.org, e.created_at).await);
        Ok(self.put_if(item, "attribute_not_exists(pk)", None).await?.is_none())
    }

    pub async fn contact_export(&self, org: OrgId, id: ExportId) -> Result<Option<ContactExport>> {
        self.get(&keys::contact_export(org, id), true).await?.as_ref().map(read).transpose()
    }

    /// Stores it, if it is still at the version it was read at; raises that.
    /// False when somebody else has gone on with it.
    pub async fn save_contact_export(&self, e: &mut ContactExport) -> Result<bool> {
        let seen = e.version;
        e.version += 1;
        let mut item = write(e);
        retention::set(&mut item, self.end_of_file(e.org, e.created_at).await);
        let met = self.put_if(item.clone(), "ver = :seen", Some((":seen", n(seen)))).await?;
        // Our own write, whose answer was lost on the way, is done.
        Ok(met.is_none_or(|met| met == item))
    }
}

fn write(e: &ContactExport) -> Item {
    let mut w = Writer::new(&keys::contact_export(e.org, e.id));
    w.number("v", 1).number("ver", e.version).number("gn", e.generation);
    w.some("ru", e.rules.as_ref(), |rules| s(rules.to_string()));
    w.some("af", e.after.as_ref(), s).number("rw", e.rows).some("up", e.upload.as_ref(), s);
    if !e.parts.is_empty() {
        w.text("pa", serde_json::json!(e.parts).to_string());
    }
    w.some("er", e.failed.as_ref(), s).some("dn", e.done_at, ms);
    w.text("by", &e.created_by).time("ca", e.created_at);
    if let Some(due) = e.due {
        w.text("due", keys::due_partition(Lane::Bulk, keys::due_shard(e.id.as_bytes())));
        w.text("due_at", keys::due_at(due, e.generation));
    }
    w.done()
}

fn read(item: &Item) -> Result<ContactExport> {
    let r = Reader::new("export of contacts", item);
    let (org, rest) = r.parsed("pk", keys::read_org)?;
    let id = rest.strip_prefix(keys::CONTACT_EXPORT).ok_or_else(|| r.corrupt("pk"))?;
    Ok(ContactExport {
        org,
        id: ExportId::from_key(id)?,
        rules: r.json("ru")?,
        after: r.maybe_text("af").map(str::to_owned),
        rows: r.number("rw")?,
        upload: r.maybe_text("up").map(str::to_owned),
        parts: r.json("pa")?.unwrap_or_default(),
        failed: r.maybe_text("er").map(str::to_owned),
        created_by: r.text("by")?.to_owned(),
        created_at: r.time("ca")?,
        done_at: r.maybe_time("dn")?,
        due: r.maybe_parsed("due_at", keys::read_due_at)?.map(|(at, _)| at),
        generation: r.number("gn")?,
        version: r.number("ver")?,
    })
}
