//! What contacts are listed and found by: small rows whose sort key begins with
//! a name, an address or a number, in a few partitions each
//! ([decision 16](../../../docs/decisions/0016-contacts-and-their-lists.md)).
//! They are written with the contact, all or none. A list is read as a replica
//! has it, so a place may lead to what is not there any more: who reads the
//! contacts passes it over.

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

/// A part of a list, as far as it was read.
struct Shard {
    pk: String,
    low: String,
    found: Vec<(String, ContactId)>,
    has_more: bool,
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
        let most = usize::try_from(limit).unwrap_or(0);
        let mut shards: Vec<_> = lists
            .iter()
            .flat_map(|list| (0..CONTACT_SHARDS).map(|n| keys::contact_list(org, *list, n)))
            .map(|pk| Shard { pk, low: low.clone(), found: Vec::new(), has_more: true })
            .collect();
        // Each holds about its share of a page; one that holds more is asked again.
        let mut ask = limit / i32::from(CONTACT_SHARDS) + limit / 8 + 1;
        loop {
            let mut all: Vec<_> = shards.iter().flat_map(|shard| &shard.found).collect();
            all.sort_unstable();
            all.dedup();
            all.truncate(most);
            let last = all.get(most.saturating_sub(1)).map(|(place, _)| place.clone());
            let is_needed = |shard: &Shard| {
                shard.has_more && last.as_ref().is_none_or(|last| shard.low < *last)
            };
            if most == 0 || !shards.iter().any(is_needed) {
                return Ok(all.into_iter().cloned().collect());
            }
            let needed = shards.iter_mut().filter(|shard| is_needed(shard));
            let asked = needed.map(|shard| self.more_places(shard, &high, ask));
            futures::future::try_join_all(asked).await?;
            ask = limit;
        }
    }

    async fn more_places(&self, shard: &mut Shard, high: &str, ask: i32) -> Result<()> {
        let range = (shard.low.clone(), high.to_owned());
        let items = self.between(&shard.pk, range, ask, false, false).await?;
        for item in &items {
            let r = Reader::new("place of a contact", item);
            let place = r.text("sk")?;
            shard.low = format!("{place}\u{1}");
            shard.found.push((place.to_owned(), r.parsed("sk", keys::contact_of_place)?));
        }
        shard.has_more = i32::try_from(items.len()) == Ok(ask);
        Ok(())
    }

    /// Whose email address it is, as of now; a few at most.
    pub async fn contacts_of_email(&self, org: OrgId, email: &str) -> Result<Vec<ContactId>> {
        const MOST: i32 = 20;
        // Any id will do: the address chooses the shard.
        let any = ContactId::from_bytes([0; 10]);
        let key = keys::contact_listed(org, ContactList::Emails, email, any);
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :email)")
            .expression_attribute_values(":pk", s(key.pk))
            .expression_attribute_values(":email", s(format!("{email}#")))
            .consistent_read(true)
            .limit(MOST)
            .send()
            .await
            .map_err(unavailable("query an email address"))?;
        let at =
            |item| Reader::new("place of a contact", item).parsed("sk", keys::contact_of_place);
        answer.items().iter().map(at).collect()
    }

    /// The contacts at these places, from behind `after`, each with its place;
    /// `None` where a contact has left it, or stands at an earlier one that the
    /// same text finds: so each is shown once.
    pub async fn contacts_listed(
        &self,
        org: OrgId,
        lists: &[ContactList<'_>],
        prefix: &str,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Vec<(String, Option<Contact>)>> {
        let found = self.contact_places(org, lists, prefix, after, limit).await?;
        let ids: Vec<_> = found.iter().map(|(_, id)| *id).collect();
        let contacts = self.contacts(org, &ids, false).await?;
        let at = |(place, id): (String, ContactId)| {
            let c = contacts
                .get(&id)
                .filter(|c| first_place(c, lists, prefix).as_ref() == Some(&place));
            let c = c.cloned();
            (place, c)
        };
        Ok(found.into_iter().map(at).collect())
    }
}

/// The first place of a contact in these lists whose text begins with `prefix`.
fn first_place(c: &Contact, lists: &[ContactList<'_>], prefix: &str) -> Option<String> {
    let is_in = |key: &Key| {
        let shards = (0..CONTACT_SHARDS).flat_map(|n| lists.iter().map(move |list| (n, list)));
        shards.map(|(n, list)| keys::contact_list(c.org, *list, n)).any(|pk| pk == key.pk)
    };
    let own = places(c).into_iter().filter(is_in);
    own.map(|key| key.sk).filter(|sk| sk.starts_with(prefix)).min()
}
