//! Registrations: by number in their workshop, and by workshop at their contact.
//! Both change together with the workshop, whose generation is the condition on
//! all of it: who has read the workshop first knows that nothing has changed.

use std::collections::HashMap;

use carillon_domain::workshop::{Left, Registration, Why, Workshop};
use carillon_domain::{AddressKey, ContactId, OrgId, WorkshopId};

use crate::attributes::{Item, Reader, Writer, s};
use crate::{Result, Store, keys};

/// Registrations that are made or ended together: a transaction has at most a
/// hundred rows, and one who leaves has three.
pub const TOGETHER: usize = 30;

/// Where a contact stands in a workshop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub number: u32,
    pub is_active: bool,
}

impl Store {
    /// Stores registrations that were made or ended, and the workshop with them,
    /// due. False: somebody else has changed the workshop since it was read.
    pub async fn save_registrations(
        &self,
        w: &mut Workshop,
        changed: &[Registration],
        token: &str,
    ) -> Result<bool> {
        let mut t = self.transaction();
        let mut places: HashMap<ContactId, &Registration> = HashMap::new();
        for r in changed {
            t.set(write(w.org, r));
            if r.left.is_some() {
                t.set(Writer::new(&keys::leaving(w.org, w.id, r.number)).done());
            }
            let last = places.entry(r.contact).or_insert(r);
            if r.number > last.number {
                *last = r;
            }
        }
        for (contact, r) in places {
            t.set(write_place(w, contact, (r.number, r.is_active())));
        }
        Ok(self.save_workshop_with(w, t, token).await?.is_none())
    }

    /// A registration is another contact's from now on, under its number. False:
    /// somebody else has changed the workshop since it was read.
    pub async fn hand_registration(
        &self,
        w: &mut Workshop,
        r: &Registration,
        to: ContactId,
        token: &str,
    ) -> Result<bool> {
        let mut t = self.transaction();
        t.set(write(w.org, &Registration { contact: to, ..r.clone() }));
        t.set(write_place(w, r.contact, (r.number, false)));
        t.set(write_place(w, to, (r.number, true)));
        Ok(self.save_workshop_with(w, t, token).await?.is_none())
    }

    /// Where these contacts stand in the workshop, as of now; who was never in it
    /// is left out.
    pub async fn places(
        &self,
        org: OrgId,
        workshop: WorkshopId,
        contacts: &[ContactId],
    ) -> Result<HashMap<ContactId, Place>> {
        let wanted: Vec<_> = contacts.iter().map(|c| keys::registered(org, *c, workshop)).collect();
        let rows = self.get_many(&wanted, true).await?;
        rows.iter().map(|row| read_place(row).map(|(c, _, place)| (c, place))).collect()
    }

    /// The workshops that a contact was ever registered for.
    pub async fn workshops_of(
        &self,
        org: OrgId,
        contact: ContactId,
        after: Option<WorkshopId>,
        limit: i32,
    ) -> Result<Vec<(WorkshopId, Place)>> {
        let pk = keys::contact_partition(org, contact);
        let after = after.map_or_else(String::new, |w| keys::registered(org, contact, w).sk);
        let rows = self.range(&pk, &after, Some(keys::REGISTERED_PREFIX), limit).await?;
        rows.iter().map(|row| read_place(row).map(|(_, w, place)| (w, place))).collect()
    }

    pub async fn registration(
        &self,
        org: OrgId,
        workshop: WorkshopId,
        number: u32,
    ) -> Result<Option<Registration>> {
        self.get(&keys::registration(org, workshop, number), true)
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }

    /// Those with the numbers `from` to `to`, in order, as of now.
    pub async fn registrations(
        &self,
        org: OrgId,
        workshop: WorkshopId,
        (from, to): (u32, u32),
        limit: i32,
    ) -> Result<Vec<Registration>> {
        if from > to {
            return Ok(Vec::new());
        }
        let (low, high) =
            (keys::registration(org, workshop, from).sk, keys::registration(org, workshop, to).sk);
        let pk = keys::workshop_partition(org, workshop);
        let rows = self.between(&pk, (low, high), limit, true, false).await?;
        rows.iter().map(read).collect()
    }

    /// Numbers of those who left and whose messages are not withdrawn yet.
    pub async fn leaving(
        &self,
        org: OrgId,
        workshop: WorkshopId,
        after: Option<u32>,
        limit: i32,
    ) -> Result<Vec<u32>> {
        let pk = keys::workshop_partition(org, workshop);
        let low = after.map_or_else(
            || keys::LEAVING_PREFIX.to_owned(),
            |after| keys::leaving(org, workshop, after + 1).sk,
        );
        let high = format!("{}~", keys::LEAVING_PREFIX);
        let rows = self.between(&pk, (low, high), limit, true, false).await?;
        let number = |row| {
            let r = Reader::new("leaving", row);
            r.parsed("sk", |sk| sk.strip_prefix(keys::LEAVING_PREFIX)?.parse().ok())
        };
        rows.iter().map(number).collect()
    }

    /// Nothing of theirs is left to withdraw.
    pub async fn has_left(&self, org: OrgId, workshop: WorkshopId, number: u32) -> Result<()> {
        self.delete_row(&keys::leaving(org, workshop, number)).await.map(drop)
    }
}

fn write(org: OrgId, r: &Registration) -> Item {
    let mut w = Writer::new(&keys::registration(org, r.workshop, r.number));
    w.text("ct", r.contact.key()).some("ak", r.address, |a| s(a.key())).time("ca", r.at);
    if let Some(left) = r.left {
        w.time("la", left.at).text("lw", left.why.as_str());
    }
    w.done()
}

fn read(item: &Item) -> Result<Registration> {
    let r = Reader::new("registration", item);
    let (_, rest) = r.parsed("pk", keys::read_org)?;
    let workshop = rest.strip_prefix(keys::WORKSHOP).ok_or_else(|| r.corrupt("pk"))?;
    let left = match r.maybe_time("la")? {
        Some(at) => Some(Left { at, why: r.parsed("lw", Why::parse)? }),
        None => None,
    };
    Ok(Registration {
        workshop: WorkshopId::from_key(workshop)?,
        number: r.parsed("sk", |sk| sk.strip_prefix(keys::REGISTRATION_PREFIX)?.parse().ok())?,
        contact: r.parsed("ct", |key| ContactId::from_key(key).ok())?,
        address: r.maybe_parsed("ak", |key| AddressKey::from_key(key).ok())?,
        at: r.time("ca")?,
        left,
    })
}

/// Where a contact stands: by its number, and whether it is in it now.
fn write_place(w: &Workshop, contact: ContactId, (number, is_active): (u32, bool)) -> Item {
    let mut row = Writer::new(&keys::registered(w.org, contact, w.id));
    row.number("nu", number).number("on", u8::from(is_active));
    row.done()
}

fn read_place(item: &Item) -> Result<(ContactId, WorkshopId, Place)> {
    let r = Reader::new("place", item);
    let (_, rest) = r.parsed("pk", keys::read_org)?;
    let contact = rest.strip_prefix("c/").ok_or_else(|| r.corrupt("pk"))?;
    let workshop = r.parsed("sk", |sk| sk.strip_prefix(keys::REGISTERED_PREFIX))?;
    let place = Place { number: r.number("nu")?, is_active: r.number::<u8>("on")? == 1 };
    Ok((ContactId::from_key(contact)?, WorkshopId::from_key(workshop)?, place))
}
