//! What an organization sets: a daily window, if need be another by channel.

use std::collections::BTreeMap;

use jiff::civil::Time;
use serde::{Deserialize, Serialize};

use super::week::Week;
use crate::Channel;

/// A daily window in the recipient's own time; it may pass midnight. Whole
/// minutes, written `HH:MM`. The end is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Window {
    #[serde(with = "hhmm")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::TimeOfDay"))]
    pub start: Time,
    #[serde(with = "hhmm")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::TimeOfDay"))]
    pub end: Time,
}

/// `start` and `end` as in [`Window`], for `channels`; a channel in
/// `by_channel` has its own window instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct QuietHours {
    #[serde(with = "hhmm")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::TimeOfDay"))]
    pub start: Time,
    #[serde(with = "hhmm")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::TimeOfDay"))]
    pub end: Time,
    pub channels: Vec<Channel>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_channel: BTreeMap<Channel, Window>,
}

impl Default for QuietHours {
    fn default() -> Self {
        Self {
            start: Time::constant(21, 0, 0, 0),
            end: Time::constant(8, 0, 0, 0),
            channels: Channel::ALL.to_vec(),
            by_channel: BTreeMap::new(),
        }
    }
}

impl QuietHours {
    /// The window that holds for a channel, if any.
    #[must_use]
    pub fn window(&self, channel: Channel) -> Option<Window> {
        let general = Window { start: self.start, end: self.end };
        let own = self.by_channel.get(&channel).copied();
        own.or_else(|| self.channels.contains(&channel).then_some(general))
    }
}

impl Window {
    pub(super) fn week(self) -> Week {
        Week::closed_daily(minute(self.start), minute(self.end))
    }
}

impl std::fmt::Display for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}–{}", hhmm::text(self.start), hhmm::text(self.end))
    }
}

fn minute(time: Time) -> u16 {
    u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
}

/// The text is not a time of day in whole minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Write a time of day as HH:MM, from 00:00 to 23:59.")]
pub struct InvalidTime;

/// Reads `HH:MM`, or `HH:MM:SS` with no seconds.
///
/// # Errors
/// When it is neither, or no time of a day.
pub fn parse_time(text: &str) -> Result<Time, InvalidTime> {
    let text = text.strip_suffix(":00").filter(|t| t.len() == 5).unwrap_or(text);
    let (hour, minute) = text.split_once(':').ok_or(InvalidTime)?;
    let number = |s: &str| match s.as_bytes() {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => i8::try_from((a - b'0') * 10 + (b - b'0')).ok(),
        _ => None,
    };
    let (hour, minute) = number(hour).zip(number(minute)).ok_or(InvalidTime)?;
    Time::new(hour, minute, 0, 0).map_err(|_| InvalidTime)
}

mod hhmm {
    use std::borrow::Cow;

    use jiff::civil::Time;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn text(time: Time) -> String {
        format!("{:02}:{:02}", time.hour(), time.minute())
    }

    pub(super) fn serialize<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&text(*time))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Time, D::Error> {
        super::parse_time(&<Cow<'de, str>>::deserialize(d)?).map_err(de::Error::custom)
    }
}
