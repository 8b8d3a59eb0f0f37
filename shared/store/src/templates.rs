//! Stored templates: a head row that moves, versions that never change. A
//! deleted template's versions stay, for messages that were written from them.

use carillon_domain::content::TemplateContent;
use carillon_domain::{Channel, OrgId, TemplateId};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::attributes::{Item, Reader, Writer, n, s};
use crate::transaction::Transacted;
use crate::{Deleted, Result, Store, Users, keys};

#[derive(Clone, PartialEq, Debug)]
pub struct StoredTemplate {
    pub id: TemplateId,
    pub key: String,
    pub version: u32,
    pub channel: Channel,
    /// The key serves, where it has none.
    pub name: Option<String>,
    pub strategy: Option<String>,
    pub content: TemplateContent,
    pub is_active: bool,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What came of storing a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewTemplate {
    Stored,
    /// Another template has this key, or someone stored this version first or
    /// deleted the template.
    Taken,
}

impl Store {
    /// Version 1 takes the key; a later version only if it is the next one.
    pub async fn put_template(&self, org: OrgId, t: &StoredTemplate) -> Result<NewTemplate> {
        let absent = "attribute_not_exists(pk)";
        let mut write_all = self.transaction();
        let head = write(&keys::template(org, t.id), t);
        if t.version == 1 {
            write_all.put(head, absent, &[]);
            let mut w = Writer::new(&keys::template_key(org, &t.key));
            w.text("id", t.id.key());
            write_all.put(w.done(), absent, &[]);
        } else {
            write_all.put(head, "vn = :seen", &[(":seen", n(t.version - 1))]);
        }
        let version = keys::template_version(org, t.id, t.version);
        write_all.put(write(&version, t), absent, &[]);
        Ok(match write_all.commit().await? {
            Transacted::Done => NewTemplate::Stored,
            Transacted::Refused(_) => NewTemplate::Taken,
        })
    }

    pub async fn template(&self, org: OrgId, id: TemplateId) -> Result<Option<StoredTemplate>> {
        self.get(&keys::template(org, id), true).await?.as_ref().map(read).transpose()
    }

    pub async fn template_version(
        &self,
        org: OrgId,
        id: TemplateId,
        version: u32,
    ) -> Result<Option<StoredTemplate>> {
        let item = self.get(&keys::template_version(org, id, version), false).await?;
        item.as_ref().map(read).transpose()
    }

    /// Newest first, from `newest` back; also of a template that was deleted.
    pub async fn template_versions(
        &self,
        org: OrgId,
        id: TemplateId,
        newest: u32,
        limit: usize,
    ) -> Result<Vec<StoredTemplate>> {
        let numbers = (1..=newest).rev().take(limit);
        let wanted: Vec<_> = numbers.map(|v| keys::template_version(org, id, v)).collect();
        let items = self.get_many(&wanted, false).await?;
        let mut found: Vec<StoredTemplate> = items.iter().map(read).collect::<Result<_>>()?;
        found.sort_by_key(|t| std::cmp::Reverse(t.version));
        Ok(found)
    }

    pub async fn template_by_key(&self, org: OrgId, key: &str) -> Result<Option<StoredTemplate>> {
        let Some(item) = self.get(&keys::template_key(org, key), true).await? else {
            return Ok(None);
        };
        let id = TemplateId::from_key(Reader::new("template key", &item).text("id")?)?;
        self.template(org, id).await
    }

    pub async fn templates(
        &self,
        org: OrgId,
        after: Option<TemplateId>,
        limit: i32,
    ) -> Result<Vec<StoredTemplate>> {
        let after = after.map_or_else(String::new, |id| keys::template(org, id).sk);
        let pk = keys::templates(org);
        let items = self.range(&pk, &after, Some(keys::TEMPLATE_PREFIX), limit).await?;
        items.iter().map(read).collect()
    }

    /// Deletes a template as it was read, unless a sequence uses it. Its key is
    /// free again, its versions stay.
    pub async fn delete_template(&self, org: OrgId, seen: &StoredTemplate) -> Result<Deleted> {
        let users = keys::template_users(org, seen.id);
        let mut t = self.transaction();
        t.retire(&users);
        t.delete(&keys::template(org, seen.id), "vn = :seen", &[(":seen", n(seen.version))]);
        let key = keys::template_key(org, &seen.key);
        t.delete(&key, "id = :id", &[(":id", s(seen.id.key()))]);
        Ok(match t.commit().await? {
            Transacted::Done => Deleted::Done,
            Transacted::Refused(0) => Deleted::InUse(self.users_of(&users).await?),
            Transacted::Refused(_) => Deleted::Changed,
        })
    }

    /// The sequences that use it.
    pub async fn users_of_template(&self, org: OrgId, id: TemplateId) -> Result<Users> {
        self.users_of(&keys::template_users(org, id)).await
    }

    /// Whether the organization was given the templates it begins with.
    pub async fn has_first_templates(&self, org: OrgId) -> Result<bool> {
        Ok(self.get(&keys::first_templates(org), false).await?.is_some())
    }

    /// It was, all of them: what it deletes from now on stays deleted.
    pub async fn note_first_templates(&self, org: OrgId, at: Timestamp) -> Result<()> {
        let mut w = Writer::new(&keys::first_templates(org));
        w.time("ca", at);
        self.put(w.done()).await
    }
}

fn write(key: &keys::Key, t: &StoredTemplate) -> Item {
    let (body, mut details) = t.content.row();
    for (name, text) in [("name", &t.name), ("strategy", &t.strategy)] {
        if let Some(text) = text {
            details.insert(name.to_owned(), text.as_str().into());
        }
    }
    let mut w = Writer::new(key);
    w.text("id", t.id.key()).text("ky", &t.key).number("vn", t.version);
    w.text("ch", t.channel.as_str()).text("b", body);
    w.text("dt", Value::Object(details).to_string()).number("on", u8::from(t.is_active));
    w.text("by", &t.created_by).time("ca", t.created_at).time("ua", t.updated_at);
    w.done()
}

fn read(item: &Item) -> Result<StoredTemplate> {
    let r = Reader::new("template", item);
    let details: Map<String, Value> = r.json("dt")?.unwrap_or_default();
    let text = |name: &str| details.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(StoredTemplate {
        id: TemplateId::from_key(r.text("id")?)?,
        key: r.text("ky")?.to_owned(),
        version: r.number("vn")?,
        channel: r.parsed("ch", Channel::parse)?,
        name: text("name"),
        strategy: text("strategy"),
        content: TemplateContent::of_row(r.text("b")?, &details),
        is_active: r.number::<u8>("on")? == 1,
        created_by: r.text("by")?.to_owned(),
        created_at: r.time("ca")?,
        updated_at: r.time("ua")?,
    })
}
