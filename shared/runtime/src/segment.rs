//! Evaluating a segment, page by page: contacts are read in the order of a list,
//! what their rules need is looked up, and the rules decide. A page has a bound, so
//! that a request or a step of planning ends; the next goes on behind its place.

use carillon_domain::contact::search;
use carillon_domain::message::{Direction, State};
use carillon_domain::segment::{Facts, Needs, Rule};
use carillon_domain::{AddressKey, AddressSecret, Contact, OrgId};
use carillon_store::StoreError;
use carillon_store::keys::ContactList;
use futures::{StreamExt, TryStreamExt, stream};

use crate::Context;
use crate::context::InstallationError;

/// Contacts read at a time.
const BATCH: i32 = 100;
/// Contacts whose messages are looked up side by side.
const IN_FLIGHT: usize = 16;
/// Messages of a person that are looked at, the newest.
const MESSAGES: i32 = 200;
/// Workshops of a person that are looked at.
const WORKSHOPS: i32 = 200;

#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Installation(#[from] InstallationError),
}

/// Part of a segment.
#[derive(Debug, Default)]
pub struct Found {
    pub contacts: Vec<Contact>,
    /// Contacts that were looked at.
    pub looked_at: usize,
    /// Behind which place the next part begins; `None` at the end.
    pub next: Option<String>,
}

/// Contacts for whom the rule holds, from behind `after`: until `wanted` of them
/// are found, or `most` were looked at.
///
/// # Errors
/// When the table or KMS does not answer.
pub async fn page(
    ctx: &Context,
    org: OrgId,
    rule: &Rule,
    after: Option<String>,
    (wanted, most): (usize, usize),
) -> Result<Found, SegmentError> {
    let label = rule.label().map(search::fold);
    let status = rule.status().map(search::fold);
    let list = match (&label, &status) {
        (Some(label), _) => ContactList::Label(label),
        (None, Some(status)) => ContactList::Status(status),
        (None, None) => ContactList::All,
    };
    let secret = ctx.address_secret().await?;
    let needs = rule.needs();
    let mut found = Found { next: after, ..Found::default() };
    while found.looked_at < most {
        let after = found.next.as_deref();
        let places = ctx.store.contacts_listed(org, &[list], "", after, BATCH).await?;
        if places.is_empty() {
            found.next = None;
            break;
        }
        let each: Vec<_> = places
            .into_iter()
            .map(|(place, contact)| async {
                let Some(contact) = contact else { return Ok((place, None)) };
                let facts = facts(ctx, &secret, &contact, needs).await?;
                let contact = rule.holds(&contact, &facts).then_some(contact);
                Ok::<_, SegmentError>((place, contact))
            })
            .collect();
        let judged: Vec<_> = stream::iter(each).buffered(IN_FLIGHT).try_collect().await?;
        for (place, contact) in judged {
            found.looked_at += 1;
            found.next = Some(place);
            found.contacts.extend(contact);
            if found.contacts.len() == wanted {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// What there was with a person, as far as rules ask.
async fn facts(
    ctx: &Context,
    secret: &AddressSecret,
    contact: &Contact,
    needs: Needs,
) -> Result<Facts, SegmentError> {
    let mut facts = Facts::default();
    if needs.messages {
        for phone in contact.phones() {
            let key = AddressKey::new(secret, contact.org, phone.as_str());
            let ids = ctx.store.messages_with(contact.org, key, None, MESSAGES).await?;
            for m in ctx.store.messages(contact.org, &ids, false, false).await? {
                match (m.direction, &m.state) {
                    (Direction::Inbound, _) => facts.replied.push(m.created_at),
                    (
                        Direction::Outbound,
                        State::Accepted { .. } | State::Delivered { .. } | State::Read { .. },
                    ) => {
                        let template = m.content.template.map(|t| (t.key, t.id.to_string()));
                        facts.received.push((template, m.sent_at.unwrap_or(m.created_at)));
                    }
                    (Direction::Outbound, _) => {}
                }
            }
        }
    }
    if needs.registrations {
        let (org, id) = (contact.org, contact.id);
        let places = ctx.store.workshops_of(org, id, None, WORKSHOPS).await?;
        let active = places.into_iter().filter(|(_, place)| place.is_active);
        facts.registered.extend(active.map(|(workshop, _)| workshop));
    }
    Ok(facts)
}
