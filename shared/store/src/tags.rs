//! Stored tags. A tag, its name and the uses of its sequences change in one
//! transaction.

use carillon_domain::{OrgId, SequenceId, Tag, TagId};

use crate::attributes::{Item, Reader, Writer, n, s};
use crate::transaction::Transacted;
use crate::{Deleted, Kept, Result, Store, Stored, Users, keys};

impl Store {
    /// Stores a tag in the place of `before`; a new one where there is none.
    pub async fn put_tag(
        &self,
        org: OrgId,
        before: Option<&Kept<Tag>>,
        after: &Kept<Tag>,
    ) -> Result<Stored<SequenceId>> {
        let id = after.what.id;
        let mut t = self.transaction();
        let key = keys::tag(org, id);
        match before {
            None => t.put(write(&key, after), "attribute_not_exists(pk)", &[]),
            Some(b) => t.put(write(&key, after), "vn = :seen", &[(":seen", n(b.version))]),
        }
        let names = |of: &Tag| keys::tag_name(org, &of.name);
        let named = t.take_name(before.map(|b| names(&b.what)), &names(&after.what), &id.key());
        let (old, new) = (before.map(|b| b.what.needs()).unwrap_or_default(), after.what.needs());
        let begun: Vec<SequenceId> = new.difference(&old).copied().collect();
        let user = id.to_string();
        let first = t.len();
        for sequence in &begun {
            t.begin_use(&keys::sequence_users(org, *sequence), &user);
        }
        for sequence in old.difference(&new) {
            t.end_use(&keys::sequence_users(org, *sequence), &user);
        }
        Ok(match t.commit().await? {
            Transacted::Done => Stored::Done,
            Transacted::Refused(0) => Stored::Changed,
            Transacted::Refused(place) if Some(place) == named => Stored::NameTaken,
            Transacted::Refused(place) => {
                begun.get(place.saturating_sub(first)).map_or(Stored::Changed, |q| Stored::Gone(*q))
            }
        })
    }

    /// As of now.
    pub async fn tag(&self, org: OrgId, id: TagId) -> Result<Option<Kept<Tag>>> {
        self.get(&keys::tag(org, id), true).await?.as_ref().map(read).transpose()
    }

    /// By id, from behind `after`.
    pub async fn tags(
        &self,
        org: OrgId,
        after: Option<TagId>,
        limit: i32,
    ) -> Result<Vec<Kept<Tag>>> {
        let after = after.map_or_else(String::new, |id| keys::tag(org, id).sk);
        let items = self.range(&keys::tags(org), &after, Some(keys::TAG_PREFIX), limit).await?;
        items.iter().map(read).collect()
    }

    /// Deletes a tag as it was read, unless a workshop has it.
    pub async fn delete_tag(&self, org: OrgId, seen: &Kept<Tag>) -> Result<Deleted> {
        let id = seen.what.id;
        let users = keys::tag_users(org, id);
        let mut t = self.transaction();
        t.retire(&users);
        t.delete(&keys::tag(org, id), "vn = :seen", &[(":seen", n(seen.version))]);
        let name = keys::tag_name(org, &seen.what.name);
        t.delete(&name, "id = :id", &[(":id", s(id.key()))]);
        for sequence in seen.what.needs() {
            t.end_use(&keys::sequence_users(org, sequence), &id.to_string());
        }
        Ok(match t.commit().await? {
            Transacted::Done => Deleted::Done,
            Transacted::Refused(0) => Deleted::InUse(self.users_of(&users).await?),
            Transacted::Refused(_) => Deleted::Changed,
        })
    }

    /// How many workshops have it.
    pub async fn users_of_tag(&self, org: OrgId, id: TagId) -> Result<Users> {
        self.users_of(&keys::tag_users(org, id)).await
    }
}

fn write(key: &keys::Key, kept: &Kept<Tag>) -> Item {
    let tag = &kept.what;
    let mut w = Writer::new(key);
    w.text("id", tag.id.key()).text("nm", &tag.name).some("co", tag.color.as_deref(), s);
    w.some("de", tag.description.as_deref(), s);
    w.text("sq", serde_json::json!(tag.sequences).to_string());
    kept.write(&mut w);
    w.done()
}

fn read(item: &Item) -> Result<Kept<Tag>> {
    let r = Reader::new("tag", item);
    let what = Tag {
        id: TagId::from_key(r.text("id")?)?,
        name: r.text("nm")?.to_owned(),
        color: r.maybe_text("co").map(str::to_owned),
        description: r.maybe_text("de").map(str::to_owned),
        sequences: r.json("sq")?.ok_or_else(|| r.corrupt("sq"))?,
    };
    Kept::read(&r, what)
}
