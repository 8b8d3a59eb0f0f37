//! Who joins a workshop, and who joins it anew because his number is another one.
//! Each is one transaction with the workshop, which is due from then on if
//! anything runs for it.

use std::collections::HashMap;

use carillon_domain::workshop::{Left, MAX_REGISTRATIONS, Registration, Why};
use carillon_domain::{AddressKey, Contact, ContactId, OrgId, WorkshopId};
use carillon_store::StoreError;

use super::withdraw;
use crate::context::InstallationError;
use crate::{Context, random};

/// How often a change that met another is tried again.
const ROUNDS: usize = 20;
/// Workshops of a contact read at a time.
const WORKSHOPS: i32 = 50;

/// What came of registering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Joined {
    /// So many were new; and the number of each.
    Done { new: usize, numbers: HashMap<ContactId, u32> },
    /// There is no such workshop.
    Gone,
    /// It has no numbers left.
    Full,
}

/// The key of the number that a contact has.
///
/// # Errors
/// When the installation's secret cannot be had.
pub async fn address(
    ctx: &Context,
    contact: &Contact,
) -> Result<Option<AddressKey>, InstallationError> {
    match &contact.phone {
        Some(phone) => ctx.address_key(contact.org, phone.as_str()).await.map(Some),
        None => Ok(None),
    }
}

/// Registers contacts that exist, at most [`carillon_store::TOGETHER`]. Who is
/// registered already stays so.
///
/// # Errors
/// When the table does not answer. To be repeated: what was done is found.
pub async fn register(
    ctx: &Context,
    (org, id): (OrgId, WorkshopId),
    people: &[(ContactId, Option<AddressKey>)],
) -> Result<Joined, StoreError> {
    let now = ctx.clock.now();
    let ids: Vec<_> = people.iter().map(|(contact, _)| *contact).collect();
    for _ in 0..ROUNDS {
        let w = ctx.store.workshop(org, id).await?;
        let Some(mut w) = w.filter(|w| w.deleted_at.is_none()) else { return Ok(Joined::Gone) };
        let places = ctx.store.places(org, id, &ids).await?;
        let mut numbers: HashMap<ContactId, u32> =
            places.iter().filter(|(_, p)| p.is_active).map(|(c, p)| (*c, p.number)).collect();
        let new: Vec<Registration> = people
            .iter()
            .filter(|(contact, _)| !numbers.contains_key(contact))
            .map(|(contact, address)| w.register(*contact, *address, now))
            .collect();
        if new.is_empty() {
            return Ok(Joined::Done { new: 0, numbers });
        }
        if w.registrations > MAX_REGISTRATIONS {
            return Ok(Joined::Full);
        }
        numbers.extend(new.iter().map(|r| (r.contact, r.number)));
        if !w.campaigns.is_empty() {
            w.touch(now);
        }
        if ctx.store.save_registrations(&mut w, &new, &random::token()).await? {
            return Ok(Joined::Done { new: new.len(), numbers });
        }
    }
    Err(StoreError::Contended("a workshop"))
}

/// A contact may have another number than when he was registered: then what is
/// pending for him is planned anew, under another number of the workshop.
///
/// # Errors
/// When the table does not answer. To be repeated: what was done is found.
pub async fn number_changed(
    ctx: &Context,
    contact: &Contact,
    address: Option<AddressKey>,
) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = ctx.store.workshops_of(contact.org, contact.id, after, WORKSHOPS).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(*last);
        for (id, place) in page {
            if place.is_active {
                anew(ctx, (contact.org, id), contact.id, address).await?;
            }
        }
    }
}

/// A contact is taken off the books: he leaves all his workshops.
///
/// # Errors
/// When the table does not answer. To be repeated: what was done is found.
pub async fn leave_all(ctx: &Context, contact: &Contact) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = ctx.store.workshops_of(contact.org, contact.id, after, WORKSHOPS).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(*last);
        for (id, place) in page {
            if place.is_active {
                leave(ctx, (contact.org, id), &[contact.id]).await?;
            }
        }
    }
}

/// These contacts leave a workshop, at most [`carillon_store::TOGETHER`]; what is
/// pending for them is withdrawn. Answers how many were in it; `None` when there is
/// no such workshop.
///
/// # Errors
/// As [`register`].
pub async fn leave(
    ctx: &Context,
    (org, id): (OrgId, WorkshopId),
    contacts: &[ContactId],
) -> Result<Option<usize>, StoreError> {
    let now = ctx.clock.now();
    for _ in 0..ROUNDS {
        let w = ctx.store.workshop(org, id).await?;
        let Some(mut w) = w.filter(|w| w.deleted_at.is_none()) else { return Ok(None) };
        let places = ctx.store.places(org, id, contacts).await?;
        let mut gone = Vec::new();
        for place in places.values().filter(|p| p.is_active) {
            if let Some(r) = ctx.store.registration(org, id, place.number).await? {
                gone.push(Registration { left: Some(Left { at: now, why: Why::Left }), ..r });
            }
        }
        if gone.is_empty() {
            return Ok(Some(0));
        }
        w.touch(now);
        if ctx.store.save_registrations(&mut w, &gone, &random::token()).await? {
            let numbers: Vec<_> = gone.iter().map(|r| r.number).collect();
            withdraw::at_once(ctx, &w, &numbers).await;
            return Ok(Some(gone.len()));
        }
    }
    Err(StoreError::Contended("a workshop"))
}

async fn anew(
    ctx: &Context,
    (org, id): (OrgId, WorkshopId),
    contact: ContactId,
    address: Option<AddressKey>,
) -> Result<(), StoreError> {
    let now = ctx.clock.now();
    for _ in 0..ROUNDS {
        let w = ctx.store.workshop(org, id).await?;
        let Some(mut w) = w.filter(|w| w.deleted_at.is_none()) else { return Ok(()) };
        let place = ctx.store.places(org, id, &[contact]).await?.remove(&contact);
        let Some(place) = place.filter(|p| p.is_active) else { return Ok(()) };
        let before = ctx.store.registration(org, id, place.number).await?;
        let Some(before) = before.filter(|r| r.address != address) else { return Ok(()) };
        if w.registrations >= MAX_REGISTRATIONS {
            return Ok(());
        }
        let left = Some(Left { at: now, why: Why::NumberChanged });
        let changed = [Registration { left, ..before }, w.register(contact, address, now)];
        w.touch(now);
        if ctx.store.save_registrations(&mut w, &changed, &random::token()).await? {
            withdraw::at_once(ctx, &w, &[place.number]).await;
            return Ok(());
        }
    }
    Err(StoreError::Contended("a workshop"))
}
