//! Bookings, workshops and campaigns.

use carillon_domain::{BookingId, CampaignId, ContactId, OrgId, WorkshopId};
use jiff::Timestamp;

use super::{Key, contact_partition, key, org_part};

pub fn booking(org: OrgId, id: BookingId) -> Key {
    key(format!("{}/bk/{}", org_part(org), id.key()), "bk")
}

/// All bookings of an organization, in the order of their beginnings.
pub fn bookings(org: OrgId) -> String {
    format!("{}/bkg", org_part(org))
}

/// A booking's place in that order.
pub fn booking_at(starts_at: Timestamp, id: BookingId) -> String {
    format!("{:013}#{}", starts_at.as_millisecond().max(0), id.key())
}

/// Which bookings a contact has.
pub const CONTACT_BOOKING: &str = "bk/";

pub fn contact_booking(org: OrgId, contact: ContactId, id: BookingId) -> Key {
    key(contact_partition(org, contact), format!("{CONTACT_BOOKING}{}", id.key()))
}

/// In a workshop's partition, before its id.
pub const WORKSHOP: &str = "w/";

pub fn workshop_partition(org: OrgId, id: WorkshopId) -> String {
    format!("{}/{WORKSHOP}{}", org_part(org), id.key())
}

pub fn workshop(org: OrgId, id: WorkshopId) -> Key {
    key(workshop_partition(org, id), "w")
}

/// All workshops, by their start. An entry whose workshop was moved since leads
/// nowhere.
pub fn workshops(org: OrgId) -> String {
    format!("{}/ws", org_part(org))
}

pub fn workshop_listed(org: OrgId, starts_at: Timestamp, id: WorkshopId) -> Key {
    key(workshops(org), format!("{}#{}", in_order(starts_at), id.key()))
}

/// Of a workshop's registrations, by number.
pub const REGISTRATION_PREFIX: &str = "r/";
/// Of those who left and whose messages are not withdrawn yet.
pub const LEAVING_PREFIX: &str = "l/";
/// Of a workshop's campaigns, by when they were started.
pub const BROADCAST_PREFIX: &str = "b/";

pub fn registration(org: OrgId, workshop: WorkshopId, number: u32) -> Key {
    key(workshop_partition(org, workshop), format!("{REGISTRATION_PREFIX}{number:06}"))
}

pub fn leaving(org: OrgId, workshop: WorkshopId, number: u32) -> Key {
    key(workshop_partition(org, workshop), format!("{LEAVING_PREFIX}{number:06}"))
}

pub fn broadcast(org: OrgId, workshop: WorkshopId, at: Timestamp, id: CampaignId) -> Key {
    let place = format!("{BROADCAST_PREFIX}{}#{}", in_order(at), id.key());
    key(workshop_partition(org, workshop), place)
}

/// Of the workshops that a contact is registered for, in the contact's partition.
pub const REGISTERED_PREFIX: &str = "w/";

pub fn registered(org: OrgId, contact: ContactId, workshop: WorkshopId) -> Key {
    key(contact_partition(org, contact), format!("{REGISTERED_PREFIX}{}", workshop.key()))
}

/// All campaigns, by when they were started.
pub fn campaigns(org: OrgId) -> String {
    format!("{}/cms", org_part(org))
}

pub fn campaign_listed(org: OrgId, at: Timestamp, id: CampaignId) -> Key {
    key(campaigns(org), format!("{}#{}", in_order(at), id.key()))
}

pub fn campaign_partition(org: OrgId, id: CampaignId) -> String {
    format!("{}/cm/{}", org_part(org), id.key())
}

pub fn campaign(org: OrgId, id: CampaignId) -> Key {
    key(campaign_partition(org, id), "c")
}

pub const STEP_PREFIX: &str = "s/";
pub const BATCH_PREFIX: &str = "b/";

pub fn campaign_step(org: OrgId, id: CampaignId, place: u16) -> Key {
    key(campaign_partition(org, id), format!("{STEP_PREFIX}{place:03}"))
}

/// In the order in which they are planned.
pub fn campaign_batch(org: OrgId, id: CampaignId, (revision, first, step): (u32, u32, u16)) -> Key {
    let place = format!("{BATCH_PREFIX}{revision:06}/{first:06}/{step:03}");
    key(campaign_partition(org, id), place)
}

/// A moment as it sorts as text.
fn in_order(at: Timestamp) -> String {
    format!("{:013}", at.as_millisecond().max(0))
}
