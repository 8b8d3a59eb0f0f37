//! Whom a booking is with, and all that its notices may mention.

use carillon_domain::booking::{Booking, SkipReason};
use carillon_domain::quiet::zones::{self, Zones};
use carillon_domain::settings::Settings;
use carillon_domain::{Contact, PhoneNumber};
use jiff::tz::TimeZone;

use super::SyncError;
use crate::Context;

pub struct About {
    /// None: there is no such contact any more.
    pub contact: Option<Contact>,
    pub phone: Option<PhoneNumber>,
    /// Where the client's clock is.
    pub zone: TimeZone,
    /// The organization's name.
    pub organization: String,
    pub settings: Settings,
}

impl About {
    pub async fn read(ctx: &Context, b: &Booking) -> Result<Self, SyncError> {
        let (contact, settings, organization) = futures::join!(
            ctx.store.contact_now(b.org, b.client),
            ctx.store.settings(b.org),
            ctx.store.organization(b.org),
        );
        let (contact, settings) = (contact?, settings?);
        let phone = contact.as_ref().and_then(|c| c.phone.clone());
        let zone = zone(contact.as_ref(), phone.as_ref(), &settings.time_zone);
        let organization = organization?.map(|o| o.name).unwrap_or_default();
        Ok(Self { contact, phone, zone, organization, settings })
    }

    /// Why there is no number to send to.
    pub const fn no_phone(&self) -> SkipReason {
        if self.contact.is_some() { SkipReason::NoPhone } else { SkipReason::NoContact }
    }
}

/// The client's own; else the number's, where it has one only; else the
/// organization's.
fn zone(contact: Option<&Contact>, phone: Option<&PhoneNumber>, organization: &str) -> TimeZone {
    if let Some(own) = contact.and_then(Contact::zone) {
        return own;
    }
    if let Some(Zones::Known([only])) = phone.map(zones::of) {
        return only.clone();
    }
    zones::named(organization).unwrap_or(TimeZone::UTC)
}
