//! Storing contacts. A number and an external id belong to one contact: each has a
//! row of its own that says whose it is, written in one transaction with the
//! contact and with its places in the lists ([`crate::contact_lists`]). So none
//! of them is ever without the others, whatever is cut off.

use carillon_domain::{AddressKey, AddressSecret, Contact, ContactId};

use crate::attributes::{Item, Reader, Writer, n, s};
use crate::contact_row::{self, Row};
use crate::table::{MOST_WRITES, Write};
use crate::{Result, Store, StoreError, contact_lists, keys};

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

/// All that is written to store `after`, at the version behind `before`'s: the
/// contact's own row first.
fn saving(
    secret: &AddressSecret,
    before: Option<&Contact>,
    after: &mut Contact,
    token: &str,
) -> Vec<Write> {
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
    writes
}

/// What one transaction writes, and the places of its contacts.
struct Group {
    writes: Vec<Write>,
    places: Vec<usize>,
}

impl Group {
    /// Whether it writes a row of these too.
    fn meets(&self, others: &[Write]) -> bool {
        others.iter().any(|other| self.writes.iter().any(|own| own.row() == other.row()))
    }
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
        let writes = saving(secret, before, after, token);
        let refused = self.transact("save a contact", &writes).await?;
        self.what_stands_against(secret, after, refused).await
    }

    /// Stores contacts that nobody has changed since they were read (`None`: new
    /// ones), many of them in one transaction, since a transaction is a request.
    /// For each, whether that is done; nothing is for those of a transaction that
    /// somebody else was in the way of: [`Self::save_contact`] says what.
    pub async fn save_contacts(
        &self,
        secret: &AddressSecret,
        changes: &mut [(Option<Contact>, Contact)],
        token: &str,
    ) -> Result<Vec<bool>> {
        let mut groups: Vec<Group> = Vec::new();
        for (place, (before, after)) in changes.iter_mut().enumerate() {
            let own = format!("{token}.{place}");
            let writes = saving(secret, before.as_ref(), after, &own);
            // They go out side by side, so no two of them may write the same row.
            if writes.len() > MOST_WRITES || groups.iter().any(|group| group.meets(&writes)) {
                continue;
            }
            match groups.last_mut() {
                Some(last) if last.writes.len() + writes.len() <= MOST_WRITES => {
                    last.writes.extend(writes);
                    last.places.push(place);
                }
                _ => groups.push(Group { writes, places: vec![place] }),
            }
        }
        let sent = groups.iter().map(|group| self.save_together(&group.writes));
        let saved = futures::future::try_join_all(sent).await?;
        let mut done = vec![false; changes.len()];
        for (group, _) in groups.iter().zip(saved).filter(|(_, saved)| *saved) {
            group.places.iter().for_each(|place| done[*place] = true);
        }
        Ok(done)
    }

    async fn save_together(&self, writes: &[Write]) -> Result<bool> {
        match self.transact("save contacts", writes).await {
            Ok(refused) => Ok(refused.is_empty()),
            Err(StoreError::Contended(_)) => Ok(false),
            Err(error) => Err(error),
        }
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
}
