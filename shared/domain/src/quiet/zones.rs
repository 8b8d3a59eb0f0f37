//! Where a person's clock is: the contact's own time zone, else the number's,
//! else the organization's, else nobody knows.

use jiff::tz::TimeZone;

use super::places;
use crate::PhoneNumber;

/// Time zones a person may be in.
#[derive(Debug, Clone)]
pub enum Zones<'a> {
    /// Known, or derived from the number: one, or several that the number does
    /// not tell apart.
    Known(&'a [TimeZone]),
    /// The number says nothing; the organization's.
    Organization(TimeZone),
    Unknown,
}

impl Zones<'_> {
    /// Empty when nobody knows.
    #[must_use]
    pub fn as_slice(&self) -> &[TimeZone] {
        match self {
            Self::Known(zones) => zones,
            Self::Organization(zone) => std::slice::from_ref(zone),
            Self::Unknown => &[],
        }
    }
}

/// Of a number alone, by country and area code. [`Zones::Unknown`] for
/// satellites and other numbers of no country.
#[must_use]
pub fn of(number: &PhoneNumber) -> Zones<'static> {
    places::of(number).map_or(Zones::Unknown, |place| Zones::Known(place.zones()))
}

/// The zones that count for a person.
#[must_use]
pub fn of_person<'a>(
    contact: Option<&'a TimeZone>,
    number: &PhoneNumber,
    organization: &str,
) -> Zones<'a> {
    if let Some(zone) = contact.filter(|zone| !zone.is_unknown()) {
        return Zones::Known(std::slice::from_ref(zone));
    }
    match of(number) {
        Zones::Unknown => {
            organization_zone(organization).map_or(Zones::Unknown, Zones::Organization)
        }
        known => known,
    }
}

/// A time zone by its IANA name, in either case. `None` also for the two names
/// of the database that mean "not known" and have the clock of UTC.
#[must_use]
pub fn named(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok().filter(|z| !z.is_unknown() && z.iana_name() != Some("Factory"))
}

/// UTC is what an organization has that has set nothing: it does not say where
/// its people are.
fn organization_zone(name: &str) -> Option<TimeZone> {
    named(name).filter(|zone| !matches!(zone.iana_name(), Some("UTC" | "Etc/UTC")))
}
