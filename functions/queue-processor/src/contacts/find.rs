//! Whose row it is: by external id, then by number, then by email address.

use std::collections::HashMap;

use carillon_domain::contact::import::{Matched, Refused, RowContact};
use carillon_domain::{AddressKey, Contact, ContactId};

use super::ImportError;
use super::person::Work;

/// Who was there when the page began, by what rows know people by.
pub struct Known {
    phones: HashMap<AddressKey, ContactId>,
    external_ids: HashMap<String, ContactId>,
    contacts: HashMap<ContactId, Contact>,
}

impl Work<'_> {
    fn address(&self, person: &RowContact) -> Option<AddressKey> {
        let phone = person.phone.as_ref()?;
        Some(AddressKey::new(&self.secret, self.import.org, phone.as_str()))
    }

    /// In two questions for all rows.
    pub async fn known(&self, rows: &[(u32, RowContact)]) -> Result<Known, ImportError> {
        let (store, org) = (&self.ctx.store, self.import.org);
        let addresses: Vec<_> = rows.iter().filter_map(|(_, p)| self.address(p)).collect();
        let ids: Vec<_> = rows.iter().filter_map(|(_, p)| p.external_id.as_deref()).collect();
        let (phones, external_ids) = store.holders(org, &addresses, &ids).await?;
        let ids: Vec<_> = phones.values().chain(external_ids.values()).copied().collect();
        let contacts = store.contacts(org, &ids, true).await?;
        Ok(Known { phones, external_ids, contacts })
    }

    /// The person of a row, if he is there.
    pub async fn find(
        &self,
        person: &RowContact,
        known: Option<&Known>,
    ) -> Result<Result<Option<Contact>, Refused>, ImportError> {
        let (store, org) = (&self.ctx.store, self.import.org);
        let mut by_id = None;
        if let Some(external_id) = &person.external_id {
            let id = match known {
                Some(known) => known.external_ids.get(external_id).copied(),
                None => store.contact_of_external_id(org, external_id).await?,
            };
            by_id = self.contact(id, known).await?;
        }
        let mut by_phone = None;
        if let Some(address) = self.address(person) {
            let id = match known {
                Some(known) => known.phones.get(&address).copied(),
                None => store.contact_of_phone(org, address).await?,
            };
            by_phone = self.contact(id, known).await?;
        }
        match (by_id, by_phone) {
            (Some(one), Some(other)) if one.id != other.id => {
                let detail = format!(
                    "The external id is that of contact {}, and the number that of {}; merge the \
                     two, or correct one of them.",
                    one.id, other.id
                );
                return Ok(Err(Refused::new("contact_exists", detail)));
            }
            (Some(contact), _) => return Ok(Ok(Some(contact))),
            (None, Some(contact)) => {
                return Ok(match person.is_of(&contact) {
                    Matched::Conflict(refused) => Err(refused),
                    Matched::Yes | Matched::No => Ok(Some(contact)),
                });
            }
            (None, None) => {}
        }
        if let Some(email) = &person.email {
            for id in store.contacts_of_email(org, email).await? {
                if let Some(contact) = store.contact_now(org, id).await?
                    && person.is_of(&contact) == Matched::Yes
                {
                    return Ok(Ok(Some(contact)));
                }
            }
        }
        match person.id_by_content(org) {
            Some(id) => Ok(Ok(store.contact_now(org, id).await?)),
            None => Ok(Ok(None)),
        }
    }

    async fn contact(
        &self,
        id: Option<ContactId>,
        known: Option<&Known>,
    ) -> Result<Option<Contact>, ImportError> {
        let Some(id) = id else { return Ok(None) };
        match known.and_then(|known| known.contacts.get(&id)) {
            Some(contact) => Ok(Some(contact.clone())),
            None => Ok(self.ctx.store.contact_now(self.import.org, id).await?),
        }
    }
}
