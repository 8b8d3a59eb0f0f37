//! Times as parameters have them: a moment, or a day of UTC.

use std::borrow::Cow;
use std::str::FromStr;

use carillon_domain::PhoneNumber;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// A time, or a whole day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Time(Timestamp),
    /// Its beginning.
    Day(Timestamp),
}

/// The end of a time; a number is understood as one that messages went to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Until {
    Moment(Moment),
    Number(String),
}

impl Moment {
    pub const fn start(self) -> Timestamp {
        match self {
            Self::Time(at) | Self::Day(at) => at,
        }
    }

    pub fn end(self) -> Timestamp {
        match self {
            Self::Time(at) => at,
            Self::Day(at) => {
                at.saturating_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX)
            }
        }
    }
}

impl FromStr for Moment {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        if let Ok(at) = text.parse() {
            return Ok(Self::Time(at));
        }
        let day: Date = text.parse()?;
        Ok(Self::Day(day.to_zoned(TimeZone::UTC)?.timestamp()))
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Until {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match PhoneNumber::parse(&text, None) {
            Ok(number) => Ok(Self::Number(number.as_str().to_owned())),
            Err(_) => text.parse().map(Self::Moment).map_err(de::Error::custom),
        }
    }
}

impl JsonSchema for Moment {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {"type": "string", "format": "date-time"}, {"type": "string", "format": "date"},
        ]})
    }
}

impl JsonSchema for Until {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Until".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {"type": "string", "format": "date-time"}, {"type": "string", "format": "date"},
            {"type": "string", "pattern": "^\\+[1-9][0-9]{6,14}$"},
        ]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_a_day_later_and_a_time_at_once() {
        for (text, start, end) in [
            ("2026-11-21", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"),
            ("2026-11-21T09:00:00+05:30", "2026-11-21T03:30:00Z", "2026-11-21T03:30:00Z"),
        ] {
            let moment: Moment = text.parse().expect(text);
            let read = |text: &str| text.parse::<Timestamp>().expect("a time");
            assert_eq!((moment.start(), moment.end()), (read(start), read(end)), "{text}");
        }
        assert!("yesterday".parse::<Moment>().is_err());
    }

    #[test]
    fn the_last_day_there_is_ends() {
        let last: Moment = "9999-12-30".parse().expect("a day");
        assert!(last.end() > last.start());
    }
}
