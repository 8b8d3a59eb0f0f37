//! What contacts are listed and found by: small rows whose sort key begins with
//! a name, an address or a number, in a few partitions each
//! ([decision 16](../../../docs/decisions/0016-contacts-and-their-lists.md)).
//! They are written with the contact, all or none. A list is read as a replica
//! has it, so a place may lead to what is not there any more: who reads the
//! contacts passes it over.

use std::collections::BTreeMap;

use carillon_domain::contact::search;
use carillon_domain::{Contact, ContactId, OrgId};

use crate::attributes::{Reader, s};
use crate::keys::{self, CONTACT_SHARDS, ContactList, Key};
use crate::{Result, Store, unavailable};

/// Where a contact stands: in each list once.
pub fn places(c: &Contact) -> Vec<Key> {
    let names = c.name.as_deref().map(search::of_name).unwrap_or_default();
    let name = names.first().map_or("", String::as_str);
    let at = |list: ContactList<'_>, by: &str| keys::contact_listed(c.org, list, by, c.id);
    let mut places = vec![at(ContactList::All, name)];
    places.extend(names.iter().skip(1).map(|rest| at(ContactList::Words, rest)));
    places.extend(c.email.iter().map(|email| at(ContactList::Emails, email)));
    places.extend(c.phones().map(|phone| at(ContactList::Phones, phone.as_str())));
    places.extend(c.labels.iter().map(|l| at(ContactList::Label(&search::fold(l)), name)));
    places.extend(c.status.iter().map(|st| at(ContactList::Status(&search::fold(st)), name)));
    places
}

impl Store {
    /// Places in a list whose text begins with `prefix`, from behind `after`, in
    /// order; at most `limit`.
    pub async fn contact_places(
        &self,
        org: OrgId,
        lists: &[ContactList<'_>],
        prefix: &str,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Vec<(String, ContactId)>> {
        let low = match after {
            Some(after) => format!("{after}\u{1}"),
            None if prefix.is_empty() => "\u{1}".to_owned(),
            None => prefix.to_owned(),
        };
        let high = format!("{prefix}\u{10ffff}");
        let mut found = BTreeMap::new();
        for list in lists {
            for shard in 0..CONTACT_SHARDS {
                let answer = self
                    .client
                    .query()
                    .table_name(&self.table)
                    .key_condition_expression("pk = :pk AND sk BETWEEN :low AND :high")
                    .expression_attribute_values(":pk", s(keys::contact_list(org, *list, shard)))
                    .expression_attribute_values(":low", s(&low))
                    .expression_attribute_values(":high", s(&high))
                    .limit(limit)
                    .send()
                    .await
                    .map_err(unavailable("query a list of contacts"))?;
                for item in answer.items() {
                    let r = Reader::new("place of a contact", item);
                    let id = r.parsed("sk", keys::contact_of_place)?;
                    found.insert(r.text("sk")?.to_owned(), id);
                }
            }
        }
        Ok(found.into_iter().take(usize::try_from(limit).unwrap_or(0)).collect())
    }

    /// Whether a contact still stands where a list has it.
    #[must_use]
    pub fn is_at(c: &Contact, place: &str) -> bool {
        places(c).iter().any(|key| key.sk == place)
    }
}
