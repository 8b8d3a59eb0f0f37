//! Contacts. A number and an external id belong to one contact: each has a row
//! of its own that says whose it is, written in one transaction with the
//! contact and with its places in the lists ([`crate::contact_lists`]). So none
//! of them is ever without the others, whatever is cut off.

use std::collections::HashMap;

use carillon_domain::{AddressKey, AddressSecret, Contact, ContactId, OrgId};

use crate::attributes::{Item, Reader, Writer, n, s};
use crate::contact_row::{self, Row};
use crate::table::Write;
use crate::{Result, Store, StoreError, contact_lists, keys};

/// Contacts that were merged one into the next, at most.
const MERGES: usize = 8;

/// What is at a contact's id.
#[derive(Clone, PartialEq, Debug)]
pub enum FoundContact {
    Contact(Box<Contact>),
    MergedInto(ContactId),
}

/// What came of storing a contact.
#[derive(Clone, PartialEq, Debug)]
pub enum ContactSaved {
    Done,
    /// There is one with this id, or somebody else changed it first: as it is
    /// now, `None` when it is gone or part of another.
    Changed(Option<Box<Contact>>),
    /// The number is this contact's.
    PhoneTaken(ContactId),
    /// The external id is this contact's.
    ExternalIdTaken(ContactId),
}

/// What came of deleting a contact.
#[derive(Clone, PartialEq, Debug)]
pub enum ContactDeleted {
    Done,
    /// Somebody else changed it first.
    Changed,
}

/// What a contact holds that nobody else may have.
fn claims(secret: &AddressSecret, c: &Contact) -> Vec<keys::Key> {
    let phones = c
        .phones()
        .map(|phone| keys::phone_claim(c.org, AddressKey::new(secret, c.org, phone.as_str())));
    let external = c.external_id.iter().map(|id| keys::external_id_claim(c.org, id));
    phones.chain(external).collect()
}

fn claim(key: &keys::Key, id: ContactId) -> Write {
    let mut w = Writer::new(key);
    w.text("id", id.key());
    Write::put(w.done()).only_if("attribute_not_exists(pk) OR id = :me").with(":me", s(id.key()))
}

fn unclaim(key: &keys::Key, id: ContactId) -> Write {
    Write::delete(key.clone())
        .only_if("attribute_not_exists(pk) OR id = :me")
        .with(":me", s(id.key()))
}

/// All rows beside the contact's own that a change writes.
fn beside(secret: &AddressSecret, before: Option<&Contact>, after: Option<&Contact>) -> Vec<Write> {
    let mut writes = Vec::new();
    let held = before.map(|c| claims(secret, c)).unwrap_or_default();
    let wanted = after.map(|c| claims(secret, c)).unwrap_or_default();
    if let Some(c) = after {
        writes.extend(wanted.iter().filter(|key| !held.contains(key)).map(|key| claim(key, c.id)));
    }
    if let Some(c) = before {
        writes
            .extend(held.iter().filter(|key| !wanted.contains(key)).map(|key| unclaim(key, c.id)));
    }
    let listed = before.map(contact_lists::places).unwrap_or_default();
    let to_list = after.map(contact_lists::places).unwrap_or_default();
    let row = |key: &keys::Key| Write::put(Writer::new(key).done());
    writes.extend(to_list.iter().filter(|key| !listed.contains(key)).map(row));
    let gone = listed.into_iter().filter(|key| !to_list.contains(key));
    writes.extend(gone.map(Write::delete));
    writes
}

impl Store {
    /// Stores a contact that nobody has changed since `before` was read (`None`:
    /// a new one), at the version behind it. `token` is of this write alone.
    pub async fn save_contact(
        &self,
        secret: &AddressSecret,
        before: Option<&Contact>,
        after: &mut Contact,
        token: &str,
    ) -> Result<ContactSaved> {
        let row = match before {
            None => {
                after.version = 1;
                Write::put(contact_row::write(after, token))
                    .only_if("attribute_not_exists(pk) OR tk = :tk")
                    .with(":tk", s(token))
            }
            Some(before) => {
                after.version = before.version + 1;
                Write::put(contact_row::write(after, token))
                    .only_if("ver = :seen OR tk = :tk")
                    .with(":seen", n(before.version))
                    .with(":tk", s(token))
            }
        };
        let mut writes = vec![row];
        writes.extend(beside(secret, before, Some(after)));
        let refused = self.transact("save a contact", &writes).await?;
        self.what_stands_against(secret, after, refused).await
    }

    async fn what_stands_against(
        &self,
        secret: &AddressSecret,
        c: &Contact,
        refused: Vec<(usize, Item)>,
    ) -> Result<ContactSaved> {
        let Some((place, met)) = refused.into_iter().next() else { return Ok(ContactSaved::Done) };
        if place == 0 {
            let now = match met.is_empty() {
                true => None,
                false => match contact_row::read(c.org, &met)? {
                    Row::Contact(now) => Some(now),
                    Row::MergedInto(_) => None,
                },
            };
            return Ok(ContactSaved::Changed(now));
        }
        let r = Reader::new("claim of a contact", &met);
        let by = ContactId::from_key(r.text("id")?)?;
        let phone = keys::Key { pk: r.text("pk")?.to_owned(), sk: r.text("sk")?.to_owned() };
        let is_phone = c
            .phones()
            .any(|p| keys::phone_claim(c.org, AddressKey::new(secret, c.org, p.as_str())) == phone);
        Ok(if is_phone { ContactSaved::PhoneTaken(by) } else { ContactSaved::ExternalIdTaken(by) })
    }

    /// Stores `after` in place of `before`, as part of which `other` goes on: its
    /// numbers are now this contact's, and its id leads here. All or none.
    pub async fn merge_contacts(
        &self,
        secret: &AddressSecret,
        (before, other): (&Contact, &Contact),
        after: &mut Contact,
        token: &str,
    ) -> Result<ContactSaved> {
        after.version = before.version + 1;
        let seen = |row: Item, version: u64| {
            Write::put(row)
                .only_if("ver = :seen OR tk = :tk")
                .with(":seen", n(version))
                .with(":tk", s(token))
        };
        let mut writes = vec![
            seen(contact_row::write(after, token), before.version),
            seen(contact_row::write_merged(other, after.id, token), other.version),
        ];
        let wanted = claims(secret, after);
        let own = claims(secret, before);
        let taken = claims(secret, other);
        writes.extend(wanted.iter().filter(|key| !own.contains(key)).map(|key| {
            let mut w = Writer::new(key);
            w.text("id", after.id.key());
            Write::put(w.done())
                .only_if("attribute_not_exists(pk) OR id IN (:me, :other)")
                .with(":me", s(after.id.key()))
                .with(":other", s(other.id.key()))
        }));
        let left = taken.iter().filter(|key| !wanted.contains(key));
        writes.extend(left.map(|key| unclaim(key, other.id)));
        let to_list = contact_lists::places(after);
        let mut listed = contact_lists::places(before);
        let row = |key: &keys::Key| Write::put(Writer::new(key).done());
        writes.extend(to_list.iter().filter(|key| !listed.contains(key)).map(row));
        listed.extend(contact_lists::places(other));
        let gone = listed.into_iter().filter(|key| !to_list.contains(key));
        writes.extend(gone.map(Write::delete));
        let refused = self.transact("merge contacts", &writes).await?;
        match refused.first() {
            None => Ok(ContactSaved::Done),
            Some(_) => Ok(ContactSaved::Changed(None)),
        }
    }

    /// Deletes it, and what it held, if nobody changed it since it was read.
    pub async fn delete_contact(
        &self,
        secret: &AddressSecret,
        c: &Contact,
    ) -> Result<ContactDeleted> {
        let row = Write::delete(keys::contact(c.org, c.id))
            .only_if("attribute_not_exists(pk) OR ver = :seen")
            .with(":seen", n(c.version));
        let mut writes = vec![row];
        writes.extend(beside(secret, Some(c), None));
        let refused = self.transact("delete a contact", &writes).await?;
        Ok(if refused.is_empty() { ContactDeleted::Done } else { ContactDeleted::Changed })
    }

    /// One contact, as of now.
    pub async fn contact(&self, org: OrgId, id: ContactId) -> Result<Option<FoundContact>> {
        let item = self.get(&keys::contact(org, id), true).await?;
        item.map(|item| match contact_row::read(org, &item)? {
            Row::Contact(c) => Ok(FoundContact::Contact(c)),
            Row::MergedInto(other) => Ok(FoundContact::MergedInto(other)),
        })
        .transpose()
    }

    /// The contact with this id, or the one that it is part of now.
    pub async fn contact_now(&self, org: OrgId, id: ContactId) -> Result<Option<Contact>> {
        let mut id = id;
        for _ in 0..MERGES {
            match self.contact(org, id).await? {
                None => return Ok(None),
                Some(FoundContact::Contact(c)) => return Ok(Some(*c)),
                Some(FoundContact::MergedInto(other)) => id = other,
            }
        }
        Err(StoreError::Corrupt { kind: "contact", detail: "merged too often".to_owned() })
    }

    /// Many contacts by the ids asked for; what is part of another answers that
    /// one, what is gone is left out.
    pub async fn contacts(
        &self,
        org: OrgId,
        ids: &[ContactId],
        consistent: bool,
    ) -> Result<HashMap<ContactId, Contact>> {
        let mut wanted: Vec<_> = ids.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let keys: Vec<_> = wanted.iter().map(|id| keys::contact(org, *id)).collect();
        let mut found = HashMap::with_capacity(keys.len());
        let mut merged = Vec::new();
        for item in self.get_many(&keys, consistent).await? {
            match contact_row::read(org, &item)? {
                Row::Contact(c) => drop(found.insert(c.id, *c)),
                Row::MergedInto(_) => merged.push(contact_row::id(&item)?),
            }
        }
        for id in merged {
            if let Some(c) = self.contact_now(org, id).await? {
                found.insert(id, c);
            }
        }
        Ok(found)
    }

    /// Whose number it is, as of now.
    pub async fn contact_of_phone(&self, org: OrgId, at: AddressKey) -> Result<Option<ContactId>> {
        self.holder(&keys::phone_claim(org, at)).await
    }

    /// Whose numbers and external ids these are, as of now.
    pub async fn holders(
        &self,
        org: OrgId,
        phones: &[AddressKey],
        external_ids: &[&str],
    ) -> Result<(HashMap<AddressKey, ContactId>, HashMap<String, ContactId>)> {
        let phones: Vec<_> = phones.iter().map(|at| (*at, keys::phone_claim(org, *at))).collect();
        let ids: Vec<_> =
            external_ids.iter().map(|id| (*id, keys::external_id_claim(org, id))).collect();
        let mut wanted: Vec<_> = phones
            .iter()
            .map(|(_, key)| key.clone())
            .chain(ids.iter().map(|(_, key)| key.clone()))
            .collect();
        wanted.sort_by(|a, b| a.pk.cmp(&b.pk));
        wanted.dedup();
        let mut holders = HashMap::new();
        for item in self.get_many(&wanted, true).await? {
            let r = Reader::new("claim of a contact", &item);
            holders.insert(r.text("pk")?.to_owned(), ContactId::from_key(r.text("id")?)?);
        }
        let of = |key: &keys::Key| holders.get(&key.pk).copied();
        Ok((
            phones.iter().filter_map(|(at, key)| Some((*at, of(key)?))).collect(),
            ids.iter().filter_map(|(id, key)| Some(((*id).to_owned(), of(key)?))).collect(),
        ))
    }

    /// Whose external id it is, as of now.
    pub async fn contact_of_external_id(
        &self,
        org: OrgId,
        external_id: &str,
    ) -> Result<Option<ContactId>> {
        self.holder(&keys::external_id_claim(org, external_id)).await
    }

    async fn holder(&self, key: &keys::Key) -> Result<Option<ContactId>> {
        let Some(item) = self.get(key, true).await? else { return Ok(None) };
        Ok(Some(ContactId::from_key(Reader::new("claim of a contact", &item).text("id")?)?))
    }
}
