//! Stored sequences. A sequence, its name and the uses of its templates change
//! in one transaction.

use std::collections::BTreeSet;

use carillon_domain::{Channel, OrgId, Sequence, SequenceId, TemplateId};

use crate::attributes::{Item, Reader, Writer, n, s};
use crate::transaction::Transacted;
use crate::{Deleted, Kept, Result, Store, Stored, Users, keys};

impl Store {
    /// Stores a sequence in the place of `before`; a new one where there is none.
    pub async fn put_sequence(
        &self,
        org: OrgId,
        before: Option<&Kept<Sequence>>,
        after: &Kept<Sequence>,
    ) -> Result<Stored<TemplateId>> {
        let id = after.what.id;
        let mut t = self.transaction();
        let key = keys::sequence(org, id);
        match before {
            None => t.put(write(&key, after), "attribute_not_exists(pk)", &[]),
            Some(b) => t.put(write(&key, after), "vn = :seen", &[(":seen", n(b.version))]),
        }
        let names = |of: &Sequence| keys::sequence_name(org, &of.name);
        let named = t.take_name(before.map(|b| names(&b.what)), &names(&after.what), &id.key());
        let uses = |of: &Kept<Sequence>| of.what.templates();
        let (old, new) = (before.map(uses).unwrap_or_default(), uses(after));
        let begun: Vec<TemplateId> = new.difference(&old).copied().collect();
        let user = id.to_string();
        let first = t.len();
        for template in &begun {
            t.begin_use(&keys::template_users(org, *template), &user);
        }
        for template in old.difference(&new) {
            t.end_use(&keys::template_users(org, *template), &user);
        }
        Ok(match t.commit().await? {
            Transacted::Done => Stored::Done,
            Transacted::Refused(0) => Stored::Changed,
            Transacted::Refused(place) if Some(place) == named => Stored::NameTaken,
            Transacted::Refused(place) => {
                begun.get(place.saturating_sub(first)).map_or(Stored::Changed, |t| Stored::Gone(*t))
            }
        })
    }

    /// As of now.
    pub async fn sequence(&self, org: OrgId, id: SequenceId) -> Result<Option<Kept<Sequence>>> {
        self.get(&keys::sequence(org, id), true).await?.as_ref().map(read).transpose()
    }

    /// By id, from behind `after`.
    pub async fn sequences(
        &self,
        org: OrgId,
        after: Option<SequenceId>,
        limit: i32,
    ) -> Result<Vec<Kept<Sequence>>> {
        let after = after.map_or_else(String::new, |id| keys::sequence(org, id).sk);
        let pk = keys::sequences(org);
        let items = self.range(&pk, &after, Some(keys::SEQUENCE_PREFIX), limit).await?;
        items.iter().map(read).collect()
    }

    /// Deletes a sequence as it was read, unless a tag uses it.
    pub async fn delete_sequence(&self, org: OrgId, seen: &Kept<Sequence>) -> Result<Deleted> {
        let id = seen.what.id;
        let users = keys::sequence_users(org, id);
        let mut t = self.transaction();
        t.retire(&users);
        t.delete(&keys::sequence(org, id), "vn = :seen", &[(":seen", n(seen.version))]);
        let name = keys::sequence_name(org, &seen.what.name);
        t.delete(&name, "id = :id", &[(":id", s(id.key()))]);
        let templates: BTreeSet<TemplateId> = seen.what.templates();
        for template in templates {
            t.end_use(&keys::template_users(org, template), &id.to_string());
        }
        Ok(match t.commit().await? {
            Transacted::Done => Deleted::Done,
            Transacted::Refused(0) => Deleted::InUse(self.users_of(&users).await?),
            Transacted::Refused(_) => Deleted::Changed,
        })
    }

    /// The tags that use it.
    pub async fn users_of_sequence(&self, org: OrgId, id: SequenceId) -> Result<Users> {
        self.users_of(&keys::sequence_users(org, id)).await
    }
}

fn write(key: &keys::Key, kept: &Kept<Sequence>) -> Item {
    let q = &kept.what;
    let mut w = Writer::new(key);
    w.text("id", q.id.key()).text("nm", &q.name).some("de", q.description.as_deref(), s);
    w.text("ch", q.channel.as_str()).text("st", serde_json::json!(q.steps).to_string());
    kept.write(&mut w);
    w.done()
}

fn read(item: &Item) -> Result<Kept<Sequence>> {
    let r = Reader::new("sequence", item);
    let what = Sequence {
        id: SequenceId::from_key(r.text("id")?)?,
        name: r.text("nm")?.to_owned(),
        description: r.maybe_text("de").map(str::to_owned),
        channel: r.parsed("ch", Channel::parse)?,
        steps: r.json("st")?.ok_or_else(|| r.corrupt("st"))?,
    };
    Kept::read(&r, what)
}
