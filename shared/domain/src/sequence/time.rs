//! When a step is due: at a time of day some days before or after a workshop,
//! or so long before or after it begins.

use jiff::SignedDuration;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};

/// A step is at most so many days away from its workshop.
pub const MAX_DAYS: i16 = 365;

/// When a step is due, by its workshop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepTime {
    /// On the clock of the workshop's zone. Day 0 is the workshop's, −1 the day
    /// before.
    At { day: i16, time: Time },
    /// After the workshop begins; before it, where negative. Hours are hours
    /// here, also across a change of the clock.
    Offset(SignedDuration),
}

/// A time of a step that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StepTimeError {
    #[error("Give a step either “send_time” (a time of day, such as 11:00) or “offset” (-PT2H).")]
    Neither,
    #[error("Give a step “send_time” or “offset”, not both.")]
    Both,
    #[error("Write a time of day as 11:00.")]
    NoTime,
    #[error(
        "Write the offset in hours, minutes and seconds: -PT2H is two hours before the start, \
         PT30M half an hour after it. For whole days use “day” with “send_time”."
    )]
    NoOffset,
    #[error("“day” belongs to “send_time”; an “offset” counts from the start.")]
    DayOfOffset,
    #[error("A step is at most {MAX_DAYS} days before or after its workshop.")]
    TooFar,
}

impl StepTimeError {
    /// As it stands in problem documents.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Neither => "missing_time",
            Self::Both => "time_and_offset",
            Self::NoTime => "invalid_time_of_day",
            Self::NoOffset | Self::DayOfOffset => "invalid_offset",
            Self::TooFar => "out_of_range",
        }
    }

    /// Which field of a step it is about.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Neither | Self::Both | Self::NoTime => "send_time",
            Self::NoOffset => "offset",
            Self::DayOfOffset | Self::TooFar => "day",
        }
    }
}

impl StepTime {
    /// As the API has it: `send_time` with `day`, or an ISO 8601 `offset`.
    ///
    /// # Errors
    /// When it is neither or both, or not written as one of them.
    pub fn read(
        send_time: Option<&str>,
        offset: Option<&str>,
        day: Option<i64>,
    ) -> Result<Self, StepTimeError> {
        match (send_time, offset) {
            (None, None) => Err(StepTimeError::Neither),
            (Some(_), Some(_)) => Err(StepTimeError::Both),
            (Some(time), None) => {
                let time = time_of_day(time).ok_or(StepTimeError::NoTime)?;
                let day = i16::try_from(day.unwrap_or(0)).map_err(|_| StepTimeError::TooFar)?;
                if !(-MAX_DAYS..=MAX_DAYS).contains(&day) {
                    return Err(StepTimeError::TooFar);
                }
                Ok(Self::At { day, time })
            }
            (None, Some(offset)) => {
                if day.is_some_and(|day| day != 0) {
                    return Err(StepTimeError::DayOfOffset);
                }
                let offset = read_offset(offset).ok_or(StepTimeError::NoOffset)?;
                let most = i64::from(MAX_DAYS) * 24;
                if offset.as_secs().unsigned_abs() > most.unsigned_abs() * 3_600 {
                    return Err(StepTimeError::TooFar);
                }
                Ok(Self::Offset(offset))
            }
        }
    }

    /// `11:00`, where it is a time of day.
    #[must_use]
    pub fn send_time(self) -> Option<String> {
        match self {
            Self::At { time, .. } => Some(written(time)),
            Self::Offset(_) => None,
        }
    }

    /// `-PT2H`, where it counts from the start.
    #[must_use]
    pub fn offset(self) -> Option<String> {
        match self {
            Self::At { .. } => None,
            Self::Offset(offset) => Some(offset.to_string()),
        }
    }

    #[must_use]
    pub const fn day(self) -> i16 {
        match self {
            Self::At { day, .. } => day,
            Self::Offset(_) => 0,
        }
    }
}

/// `11:00`, `11:00:00`.
fn time_of_day(text: &str) -> Option<Time> {
    let mut parts = text.split(':').map(|part| {
        let is_two = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<i8>().ok().filter(|_| is_two)
    });
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = match parts.next() {
        None => 0,
        Some(second) => second?,
    };
    if parts.next().is_some() {
        return None;
    }
    Time::new(hour, minute, second, 0).ok()
}

fn written(time: Time) -> String {
    if time.second() == 0 {
        return format!("{:02}:{:02}", time.hour(), time.minute());
    }
    format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
}

/// ISO 8601, whole seconds. (The parser reads friendlier forms too, which are
/// not promised to anybody.)
fn read_offset(text: &str) -> Option<SignedDuration> {
    let iso = text.trim_start_matches(['-', '+']);
    if text.len() > 40 || !iso.starts_with("PT") {
        return None;
    }
    text.parse::<SignedDuration>().ok().filter(|d| d.subsec_nanos() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_offsets_are_read_and_written_in_one_way() {
        for (time, offset, day, expected) in [
            (Some("11:00"), None, None, (Some("11:00"), None, 0)),
            (Some("11:00:00"), None, Some(-1), (Some("11:00"), None, -1)),
            (Some("23:59:59"), None, Some(365), (Some("23:59:59"), None, 365)),
            (Some("00:00"), None, Some(0), (Some("00:00"), None, 0)),
            (None, Some("-PT2H"), None, (None, Some("-PT2H"), 0)),
            (None, Some("-PT120M"), Some(0), (None, Some("-PT2H"), 0)),
            (None, Some("PT30M"), None, (None, Some("PT30M"), 0)),
            (None, Some("PT1H30M"), None, (None, Some("PT1H30M"), 0)),
            (None, Some("PT0S"), None, (None, Some("PT0S"), 0)),
            (None, Some("-PT8760H"), None, (None, Some("-PT8760H"), 0)),
        ] {
            let read = StepTime::read(time, offset, day).expect("a time of a step");
            let (send_time, length) = (read.send_time(), read.offset());
            assert_eq!(
                (send_time.as_deref(), length.as_deref(), read.day()),
                expected,
                "{time:?} {offset:?}"
            );
            // And it survives its own form.
            let again =
                StepTime::read(send_time.as_deref(), length.as_deref(), Some(read.day().into()));
            assert_eq!(again, Ok(read));
        }
    }

    #[test]
    fn what_is_no_time_of_a_step_is_refused_by_its_reason() {
        use StepTimeError::{Both, DayOfOffset, Neither, NoOffset, NoTime, TooFar};
        for (time, offset, day, expected) in [
            (None, None, None, Neither),
            (Some("11:00"), Some("PT1H"), None, Both),
            (Some("24:00"), None, None, NoTime),
            (Some("11"), None, None, NoTime),
            (Some("11:60"), None, None, NoTime),
            (Some("1:00"), None, None, NoTime),
            (Some("11:00 PM"), None, None, NoTime),
            (Some("+1:00"), None, None, NoTime),
            (Some("11:00:00:00"), None, None, NoTime),
            (Some("11:00:60"), None, None, NoTime),
            (Some(""), None, None, NoTime),
            (Some("11:00"), None, Some(366), TooFar),
            (Some("11:00"), None, Some(i64::MIN), TooFar),
            (None, Some("PT1H"), Some(1), DayOfOffset),
            (None, Some("P1D"), None, NoOffset),
            (None, Some("2 hours"), None, NoOffset),
            (None, Some("-2h"), None, NoOffset),
            (None, Some("PT"), None, NoOffset),
            (None, Some("PT0.5S"), None, NoOffset),
            (None, Some(""), None, NoOffset),
            (None, Some("PT8761H"), None, TooFar),
            (None, Some("-PT9999999H"), None, TooFar),
        ] {
            let read = StepTime::read(time, offset, day);
            assert_eq!(read, Err(expected), "{time:?} {offset:?} {day:?}");
        }
    }
}
