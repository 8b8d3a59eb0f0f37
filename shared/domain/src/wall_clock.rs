//! Times of day in a zone, as moments. What is planned for 11:00 is sent when
//! the clock on the wall there shows 11:00, whatever happens to the clock
//! between the planning and that day.
//!
//! Twice a year a clock is moved, and a time of day is not one moment. The rule,
//! for every zone and every time (it is that of RFC 5545, so of calendars):
//!
//! - A time that the clock leaves out (02:30 on the night it is put forward) is
//!   counted on the clock as it was before: the moment is 03:30.
//! - A time that the clock shows twice (02:30 on the night it is put back) is the
//!   first of the two.
//!
//! Either is said in the [`Moment`], so that whoever plans can tell it to people.

#[cfg(test)]
mod tests;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

use crate::quiet::zones;
use crate::sequence::StepTime;

/// When something is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub at: Timestamp,
    pub clock: Clock,
}

/// How the clock on the wall shows a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    Once,
    /// Never on that day; it shows this instead at the moment that counts.
    LeftOut {
        shows: DateTime,
    },
    /// The first counts.
    Twice,
}

impl Clock {
    /// As it stands in answers; `None` on a day like any other.
    #[must_use]
    pub const fn code(self) -> Option<&'static str> {
        match self {
            Self::Once => None,
            Self::LeftOut { .. } => Some("time_left_out"),
            Self::Twice => Some("time_twice"),
        }
    }

    /// What people should know of it.
    #[must_use]
    pub fn detail(self) -> Option<String> {
        match self {
            Self::Once => None,
            Self::LeftOut { shows } => Some(format!(
                "The clock there is put forward over this time; it counts as {}.",
                shows.strftime("%H:%M on %Y-%m-%d")
            )),
            Self::Twice => {
                Some("The clock there shows this time twice; the first one counts.".to_owned())
            }
        }
    }
}

/// There is no time zone of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("There is no time zone “{0}”; name an IANA time zone, such as Australia/Sydney.")]
pub struct UnknownZone(pub String);

impl UnknownZone {
    pub const CODE: &'static str = "unknown_time_zone";
}

/// The moment is beyond the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("This time is beyond the year 9999.")]
pub struct OutOfRange;

/// A zone by its IANA name, in either case; older names (`Europe/Kiev`) are
/// names too.
///
/// # Errors
/// When the database has no such zone.
pub fn zone(name: &str) -> Result<TimeZone, UnknownZone> {
    // What it quotes back is no longer than a name can be.
    zones::named(name).ok_or_else(|| UnknownZone(name.chars().take(64).collect()))
}

/// The moment at which a clock of the zone shows this.
///
/// # Errors
/// When that is beyond the calendar.
pub fn moment(shown: DateTime, zone: &TimeZone) -> Result<Moment, OutOfRange> {
    let ambiguous = zone.to_ambiguous_timestamp(shown);
    let offset = ambiguous.offset();
    let at = ambiguous.compatible().map_err(|_| OutOfRange)?;
    let clock = match offset {
        AmbiguousOffset::Unambiguous { .. } => Clock::Once,
        AmbiguousOffset::Gap { .. } => Clock::LeftOut { shows: zone.to_datetime(at) },
        AmbiguousOffset::Fold { .. } => Clock::Twice,
    };
    Ok(Moment { at, clock })
}

/// When a step of a workshop is due that begins then, in that zone.
///
/// # Errors
/// When that is beyond the calendar.
pub fn step(starts_at: Timestamp, zone: &TimeZone, time: StepTime) -> Result<Moment, OutOfRange> {
    match time {
        StepTime::At { day, time } => {
            let date = zone.to_datetime(starts_at).date();
            let date = date.checked_add(i32::from(day).days()).map_err(|_| OutOfRange)?;
            moment(date.to_datetime(time), zone)
        }
        StepTime::Offset(offset) => {
            let at = starts_at.checked_add(offset).map_err(|_| OutOfRange)?;
            Ok(Moment { at, clock: Clock::Once })
        }
    }
}
