//! Lists: contacts picked by hand. A member's row, its mark with the contact and
//! the count are written in one transaction, so that the count is exact whatever
//! is repeated.

use std::collections::HashSet;

use carillon_domain::{ContactId, ListId, OrgId};
use jiff::Timestamp;

use crate::attributes::{Item, Reader, Writer, n, s};
use crate::table::Write;
use crate::{Result, Store, StoreError, keys};

/// Members of one transaction: two rows each, and the list.
const AT_ONCE: usize = 40;
/// Rounds against others who change the same list.
const ROUNDS: usize = 8;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredList {
    pub id: ListId,
    pub name: String,
    pub count: u64,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What came of a change of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListChanged {
    /// So many contacts more, or fewer.
    Done(usize),
    /// There is no such list.
    NoList,
}

impl Store {
    /// False when there is one with this id.
    pub async fn insert_list(&self, org: OrgId, list: &StoredList) -> Result<bool> {
        Ok(self.put_if(write(org, list), "attribute_not_exists(pk)", None).await?.is_none())
    }

    pub async fn list(&self, org: OrgId, id: ListId) -> Result<Option<StoredList>> {
        self.get(&keys::list(org, id), true).await?.as_ref().map(read).transpose()
    }

    pub async fn lists(
        &self,
        org: OrgId,
        after: Option<ListId>,
        limit: i32,
    ) -> Result<Vec<StoredList>> {
        let after = after.map(|id| id.key()).unwrap_or_default();
        self.range(&keys::lists(org), &after, None, limit).await?.iter().map(read).collect()
    }

    /// Renames it, if it has the name that was `seen`.
    pub async fn rename_list(
        &self,
        org: OrgId,
        id: ListId,
        (seen, name): (&str, &str),
        now: Timestamp,
    ) -> Result<bool> {
        let values = [(":seen", s(seen)), (":new", s(name)), (":ua", crate::attributes::ms(now))];
        self.update_if(&keys::list(org, id), "SET nm = :new, ua = :ua", "nm = :seen", &values).await
    }

    /// False when there was none. Its members' rows stay behind, and count for
    /// nothing: [`Self::clear_list`].
    pub async fn delete_list(&self, org: OrgId, id: ListId) -> Result<bool> {
        self.delete_row(&keys::list(org, id)).await
    }

    /// Takes members away from a list that is gone; how many of `limit` there
    /// were.
    pub async fn clear_list(&self, org: OrgId, id: ListId, limit: i32) -> Result<usize> {
        let members = self.list_members(org, id, None, limit).await?;
        for contact in &members {
            self.delete_row(&keys::contact_in_list(org, *contact, id)).await?;
            self.delete_row(&keys::list_member(org, id, *contact)).await?;
        }
        Ok(members.len())
    }

    /// Adds contacts; those that are in it already are passed over.
    pub async fn add_to_list(
        &self,
        org: OrgId,
        list: ListId,
        contacts: &[ContactId],
        now: Timestamp,
    ) -> Result<ListChanged> {
        self.change_list(org, list, contacts, now, true).await
    }

    /// Takes contacts away; those that are not in it are passed over.
    pub async fn take_from_list(
        &self,
        org: OrgId,
        list: ListId,
        contacts: &[ContactId],
        now: Timestamp,
    ) -> Result<ListChanged> {
        self.change_list(org, list, contacts, now, false).await
    }

    async fn change_list(
        &self,
        org: OrgId,
        list: ListId,
        contacts: &[ContactId],
        now: Timestamp,
        adds: bool,
    ) -> Result<ListChanged> {
        if self.list(org, list).await?.is_none() {
            return Ok(ListChanged::NoList);
        }
        let mut changed = 0;
        let mut seen = HashSet::new();
        let contacts: Vec<_> = contacts.iter().copied().filter(|id| seen.insert(*id)).collect();
        for batch in contacts.chunks(AT_ONCE) {
            match self.change_some(org, list, batch, now, adds).await? {
                ListChanged::Done(some) => changed += some,
                ListChanged::NoList => return Ok(ListChanged::NoList),
            }
        }
        Ok(ListChanged::Done(changed))
    }

    async fn change_some(
        &self,
        org: OrgId,
        list: ListId,
        batch: &[ContactId],
        now: Timestamp,
        adds: bool,
    ) -> Result<ListChanged> {
        for _ in 0..ROUNDS {
            let wanted: Vec<_> = batch.iter().map(|id| keys::list_member(org, list, *id)).collect();
            let members = self
                .get_many(&wanted, true)
                .await?
                .iter()
                .map(|item| {
                    Ok(ContactId::from_key(Reader::new("member of a list", item).text("sk")?)?)
                })
                .collect::<Result<HashSet<_>>>()?;
            let left: Vec<_> =
                batch.iter().filter(|id| members.contains(id) != adds).copied().collect();
            if left.is_empty() {
                return Ok(ListChanged::Done(0));
            }
            let by = i64::try_from(left.len()).unwrap_or(0) * if adds { 1 } else { -1 };
            let mut writes = vec![
                Write::update(keys::list(org, list), "SET ua = :ua ADD ct :by")
                    .only_if("attribute_exists(pk)")
                    .with(":by", n(by))
                    .with(":ua", crate::attributes::ms(now)),
            ];
            for id in &left {
                let (member, mark) =
                    (keys::list_member(org, list, *id), keys::contact_in_list(org, *id, list));
                if adds {
                    let row = Writer::new(&member).done();
                    writes.push(Write::put(row).only_if("attribute_not_exists(pk)"));
                    writes.push(Write::put(Writer::new(&mark).done()));
                } else {
                    writes.push(Write::delete(member).only_if("attribute_exists(pk)"));
                    writes.push(Write::delete(mark));
                }
            }
            let refused = self.transact("change a list", &writes).await?;
            match refused.first() {
                None => return Ok(ListChanged::Done(left.len())),
                Some((0, _)) => return Ok(ListChanged::NoList),
                // Somebody else added or took one of them: look again.
                Some(_) => {}
            }
        }
        Err(StoreError::Contended("a list"))
    }

    /// Members in the order of their ids, from behind `after`.
    pub async fn list_members(
        &self,
        org: OrgId,
        list: ListId,
        after: Option<ContactId>,
        limit: i32,
    ) -> Result<Vec<ContactId>> {
        let after = after.map(|id| id.key()).unwrap_or_default();
        let items = self.range(&keys::list_members(org, list), &after, None, limit).await?;
        let id = |item| Ok(ContactId::from_key(Reader::new("member of a list", item).text("sk")?)?);
        items.iter().map(id).collect()
    }

    /// The lists that a contact is in, at most `limit`.
    pub async fn lists_of(&self, org: OrgId, id: ContactId, limit: i32) -> Result<Vec<ListId>> {
        let pk = keys::contact_partition(org, id);
        let items = self.range(&pk, "", Some(keys::OF_LIST_PREFIX), limit).await?;
        let list = |item| {
            let r = Reader::new("mark of a list", item);
            let key = r.parsed("sk", |sk| sk.strip_prefix(keys::OF_LIST_PREFIX))?;
            Ok(ListId::from_key(key)?)
        };
        items.iter().map(list).collect()
    }
}

fn write(org: OrgId, list: &StoredList) -> Item {
    let mut w = Writer::new(&keys::list(org, list.id));
    w.text("nm", &list.name).number("ct", list.count).text("by", &list.created_by);
    w.time("ca", list.created_at).time("ua", list.updated_at);
    w.done()
}

fn read(item: &Item) -> Result<StoredList> {
    let r = Reader::new("list", item);
    Ok(StoredList {
        id: ListId::from_key(r.text("sk")?)?,
        name: r.text("nm")?.to_owned(),
        count: r.number("ct")?,
        created_by: r.text("by")?.to_owned(),
        created_at: r.time("ca")?,
        updated_at: r.time("ua")?,
    })
}
