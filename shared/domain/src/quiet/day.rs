//! Days as the recipient counts them.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::answer::{Answer, Ask, Opening, at};

/// The recipient's calendar day. Of several zones the first in the table
/// counts, where most people are; without any, the organization's day.
#[must_use]
pub fn local_day(now: Timestamp, ask: &Ask<'_>) -> Date {
    with_zone(ask, |zone| now.to_zoned(zone.clone()).date())
}

/// The first moment on the recipient's next day when it may go; `None` as long
/// as [`at`] would say [`Answer::Unknown`].
#[must_use]
pub fn next_day_opens(now: Timestamp, ask: &Ask<'_>) -> Option<Opening> {
    let midnight = with_zone(ask, |zone| {
        let tomorrow = now.to_zoned(zone.clone()).date().tomorrow().ok()?;
        // Where the clock skips midnight, the day starts later.
        Some(tomorrow.to_zoned(zone.clone()).ok()?.timestamp())
    })?;
    match at(midnight, ask) {
        Answer::Open { until } => Some(Opening { at: midnight, until }),
        Answer::Closed { opens, .. } => Some(opens),
        Answer::Unknown { .. } => None,
    }
}

fn with_zone<T>(ask: &Ask<'_>, f: impl FnOnce(&TimeZone) -> T) -> T {
    match ask.zones().as_slice() {
        [first, ..] => f(first),
        [] => f(&TimeZone::get(ask.organization_zone).unwrap_or(TimeZone::UTC)),
    }
}
