//! What must hold of contacts, of files of them and of who is registered.

use std::collections::BTreeMap;

use carillon_domain::ContactId;
use carillon_domain::contact::{Attribute, Contact};
use carillon_store::{Item, keys};

use super::{Found, Violation, text};
use crate::person::{Known, RowCounts};
use crate::stage::Stage;

/// More refused pages than any file of a story has.
const PAGES: i32 = 100;

/// The contacts' own rows, by what is behind `c/` in their partitions.
fn ids(rows: &[Item]) -> Vec<ContactId> {
    let own = rows.iter().filter(|row| text(row, "sk") == "c" && !row.contains_key("mi"));
    let key = |row| {
        let (_, rest) = keys::read_org(text(row, "pk"))?;
        rest.strip_prefix("c/").map(|id| ContactId::from_key(id).expect("an id"))
    };
    own.filter_map(key).collect()
}

/// Each contact holds its number, and is in the lists; and nothing leads to
/// somebody who is not there.
pub async fn contacts(stage: &Stage, rows: &[Item], found: &mut Found) {
    let (store, org) = (&stage.stack.ctx.store, stage.stack.org);
    let ids = ids(rows);
    let contacts = store.contacts(org, &ids, true).await.expect("the table answers");
    let mut broken = |what: String| found.violations.push(Violation::Untrue(what));
    let mut listed: BTreeMap<ContactId, u32> = BTreeMap::new();
    for row in rows {
        let Some((_, rest)) = keys::read_org(text(row, "pk")) else { continue };
        let is_claim = rest.starts_with("x/") || rest.starts_with("a/") && text(row, "sk") == "c";
        let parts: Vec<_> = rest.split('/').collect();
        let leads_to = match parts[..] {
            ["cl", ..] => keys::contact_of_place(text(row, "sk")),
            _ if is_claim => ContactId::from_key(text(row, "id")).ok(),
            _ => continue,
        };
        let leads_to = leads_to.filter(|id| contacts.contains_key(id));
        match (leads_to, &parts[..]) {
            (Some(id), ["cl", _, "n"]) => *listed.entry(id).or_default() += 1,
            (Some(_), _) => {}
            (None, _) => broken(format!("{rest} leads to nobody")),
        }
    }
    for contact in contacts.values() {
        if listed.get(&contact.id) != Some(&1) {
            broken(format!("{} is listed {:?} times", contact.id, listed.get(&contact.id)));
        }
        if let Some(phone) = &contact.phone {
            let key = stage.stack.ctx.address_key(org, phone.as_str()).await.expect("a key");
            let holder = store.contact_of_phone(org, key).await.expect("the table answers");
            if holder != Some(contact.id) {
                broken(format!("the number of {} is {holder:?}'s", contact.id));
            }
        }
        if let Some(email) = &contact.email {
            let found = store.contacts_of_email(org, email).await.expect("the table answers");
            if found != [contact.id] {
                broken(format!("the address of {} finds {found:?}", contact.id));
            }
        }
    }
}

/// A file came to an end: everybody is there once, as the last row says, and each
/// row is counted.
pub async fn file(
    stage: &Stage,
    rows: &[Item],
    (id, expected, counts): (&str, &[Known], RowCounts),
    found: &mut Found,
) {
    let (store, org) = (&stage.stack.ctx.store, stage.stack.org);
    let id = id.parse().expect("an id");
    let import = store.contact_import(org, id).await.expect("the table answers");
    let Some(import) = import else {
        found.violations.push(Violation::Lost(format!("{id} has no row")));
        return;
    };
    let p = import.progress;
    let said = RowCounts {
        created: p.created,
        updated: p.updated,
        unchanged: p.unchanged,
        duplicates: p.duplicates,
        rejected: p.rejected,
    };
    if said != counts || !import.is_done() || import.failed.is_some() {
        let detail = format!("import says {said:?}, {counts:?} of {} rows", import.rows);
        found.violations.push(Violation::Miscounted(detail));
    }
    let refused = store.refused(org, id, 0, PAGES).await.expect("the table answers");
    let refused: usize = refused.iter().map(|(_, _, rows)| rows.len()).sum();
    if u32::try_from(refused).ok() != Some(counts.rejected) {
        let detail = format!("{refused} rows are reported, {} refused", counts.rejected);
        found.violations.push(Violation::Miscounted(detail));
    }
    let there = store.contacts(org, &ids(rows), true).await.expect("the table answers");
    let mut there: Vec<Known> = there.values().map(as_known).collect();
    let mut expected = expected.to_vec();
    there.sort();
    expected.sort();
    if there != expected {
        let detail = format!("people {there:?}, of the file {expected:?}");
        found.violations.push(Violation::Lost(detail));
    }
}

fn as_known(c: &Contact) -> Known {
    let city = c.attributes.get("city").map(|city| match city {
        Attribute::Text(city) => city.clone(),
        other => format!("{other:?}"),
    });
    let phone = c.phone.as_ref().map(|phone| phone.as_str().to_owned());
    Known { name: c.name.clone(), phone, email: c.email.clone(), city }
}

/// Once nothing waits any more, a campaign that was not cancelled says that it is
/// finished.
pub fn campaigns(rows: &[Item], found: &mut Found) {
    for row in rows.iter().filter(|row| text(row, "sk") == "c") {
        let Some((_, rest)) = keys::read_org(text(row, "pk")) else { continue };
        let is_campaign = rest.starts_with("cm/");
        if is_campaign && text(row, "s") == "running" && !row.contains_key("fa") {
            found.violations.push(Violation::Untrue(format!("{rest} is not finished")));
        }
    }
}

/// Nobody is registered twice at a time, and he and the workshop agree on it.
pub fn registrations(rows: &[Item], found: &mut Found) {
    let mut broken = |what: String| found.violations.push(Violation::Untrue(what));
    let part = |row: &Item| {
        let (_, rest) = keys::read_org(text(row, "pk"))?;
        let (kind, id) = rest.split_once('/')?;
        Some((kind.to_owned(), id.to_owned(), text(row, "sk").to_owned()))
    };
    let number = |row: &Item, name: &str| -> Option<u32> {
        row.get(name).and_then(|value| value.as_n().ok()).and_then(|n| n.parse().ok())
    };
    // Contact and workshop, with the number.
    let (mut here, mut there) = (BTreeMap::new(), BTreeMap::new());
    for row in rows {
        match part(row) {
            Some((kind, workshop, sk)) if kind == "w" && !row.contains_key("la") => {
                let Some(place) = sk.strip_prefix(keys::REGISTRATION_PREFIX) else { continue };
                let contact = text(row, "ct").to_owned();
                if here.insert((contact.clone(), workshop), place.parse::<u32>().ok()).is_some() {
                    broken(format!("{contact} is registered twice"));
                }
            }
            Some((kind, contact, sk)) if kind == "c" && number(row, "on") == Some(1) => {
                let Some(workshop) = sk.strip_prefix(keys::REGISTERED_PREFIX) else { continue };
                there.insert((contact, workshop.to_owned()), number(row, "nu"));
            }
            _ => {}
        }
    }
    if here != there {
        broken(format!("registered {here:?}, by contact {there:?}"));
    }
}
