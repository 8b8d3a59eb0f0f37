//! Contacts, by their id and by what they are known by.

use std::collections::HashMap;

use carillon_domain::{AddressKey, Contact, ContactId, OrgId};

use crate::attributes::Reader;
use crate::contact_row::{self, Row};
use crate::{Result, Store, StoreError, keys};

/// Contacts that were merged one into the next, at most.
const MERGES: usize = 8;

/// What is at a contact's id.
#[derive(Clone, PartialEq, Debug)]
pub enum FoundContact {
    Contact(Box<Contact>),
    MergedInto(ContactId),
}

impl Store {
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
