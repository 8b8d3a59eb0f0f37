//! Moments are written as clocks show them: `2026-11-21T20:30[America/Chicago]`.

mod clock_changes;
mod days;
mod places;
mod promotional;
mod properties;
mod settings;
mod windows;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::{Answer, Ask, QuietHours, at, parse_time};
use crate::{Channel, PhoneNumber, Purpose};

const SATELLITE: &str = "+870773111632";

fn moment(text: &str) -> Timestamp {
    let zoned: Zoned = text.parse().expect(text);
    zoned.timestamp()
}

fn number(text: &str) -> PhoneNumber {
    serde_json::from_value(text.into()).expect(text)
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect(name)
}

/// `21:00-08:00` for all channels.
fn hours(text: &str) -> QuietHours {
    let (start, end) = text.split_once('-').expect(text);
    let time = |t: &str| parse_time(t).expect(t);
    QuietHours { start: time(start), end: time(end), ..QuietHours::default() }
}

/// A transactional SMS of an organization that has set nothing.
fn ask(to: &PhoneNumber) -> Ask<'_> {
    Ask {
        channel: Channel::Sms,
        purpose: Purpose::Transactional,
        to,
        contact_zone: None,
        organization_zone: "UTC",
        quiet_hours: None,
        override_quiet_hours: false,
    }
}

/// `open until …`, `closed until … (open until …): why`, `unknown: why`, with
/// times as in this zone.
fn told(now: Timestamp, ask: &Ask<'_>, zone: &TimeZone) -> String {
    let local = |t: Timestamp| t.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M%:z").to_string();
    match at(now, ask) {
        Answer::Open { until: None } => "open".to_owned(),
        Answer::Open { until: Some(until) } => format!("open until {}", local(until)),
        Answer::Closed { opens, reason, detail } => {
            let until = opens.until.map_or_else(|| "ever".to_owned(), local);
            format!("closed until {} ({until}): {} {detail}", local(opens.at), reason.as_str())
        }
        Answer::Unknown { reason, .. } => format!("unknown: {}", reason.as_str()),
    }
}
