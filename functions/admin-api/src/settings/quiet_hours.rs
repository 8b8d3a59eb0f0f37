//! Quiet hours as they come in: each wrong part is named.

use std::collections::BTreeMap;

use carillon_domain::Channel;
use carillon_domain::quiet::{QuietHours, Window, parse_time};
use carillon_domain::schema::TimeOfDay;
use jiff::civil::Time;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::problem::FieldError;

/// Replaces the whole. Without `channels`: all.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewQuietHours")]
pub(super) struct Draft {
    #[schemars(with = "TimeOfDay")]
    start: String,
    #[schemars(with = "TimeOfDay")]
    end: String,
    #[schemars(with = "Option<Vec<Channel>>")]
    channels: Option<Vec<String>>,
    #[serde(default)]
    #[schemars(with = "BTreeMap<Channel, WindowDraft>")]
    by_channel: BTreeMap<String, WindowDraft>,
}

#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewWindow")]
struct WindowDraft {
    #[schemars(with = "TimeOfDay")]
    start: String,
    #[schemars(with = "TimeOfDay")]
    end: String,
}

impl Draft {
    pub(super) fn check(self) -> Result<QuietHours, Vec<FieldError>> {
        let mut wrong = Vec::new();
        let window = window("quiet_hours", &self.start, &self.end, &mut wrong);
        let mut channels = Vec::new();
        for name in self.channels.iter().flatten() {
            match channel("quiet_hours.channels", name) {
                Ok(channel) if channels.contains(&channel) => {}
                Ok(channel) => channels.push(channel),
                Err(error) => wrong.push(error),
            }
        }
        let mut by_channel = BTreeMap::new();
        for (name, draft) in &self.by_channel {
            let field = format!("quiet_hours.by_channel.{name}");
            let own = self::window(&field, &draft.start, &draft.end, &mut wrong);
            match channel(&field, name) {
                Ok(channel) => by_channel.extend(own.map(|own| (channel, own))),
                Err(error) => wrong.push(error),
            }
        }
        if self.channels.is_none() {
            channels = Channel::ALL.to_vec();
        } else if channels.is_empty() && by_channel.is_empty() && wrong.is_empty() {
            let detail = "Name a channel, or switch quiet hours off with “quiet_hours”: null.";
            wrong.push(FieldError::new("quiet_hours.channels", "no_channel", detail));
        }
        match window {
            Some(Window { start, end }) if wrong.is_empty() => {
                Ok(QuietHours { start, end, channels, by_channel })
            }
            _ => Err(wrong),
        }
    }
}

fn window(field: &str, start: &str, end: &str, wrong: &mut Vec<FieldError>) -> Option<Window> {
    let mut read = |name: &str, text: &str| -> Option<Time> {
        parse_time(text)
            .map_err(|error| {
                let field = format!("{field}.{name}");
                wrong.push(FieldError::new(field, "invalid_time", error.to_string()));
            })
            .ok()
    };
    let (start, end) = (read("start", start), read("end", end));
    let (start, end) = start.zip(end)?;
    if start == end {
        let detail = "Start and end are the same time; to leave people alone all day, switch \
                      sending off, and to send at any time, set “quiet_hours” to null.";
        wrong.push(FieldError::new(format!("{field}.end"), "empty_window", detail));
        return None;
    }
    Some(Window { start, end })
}

fn channel(field: &str, name: &str) -> Result<Channel, FieldError> {
    Channel::parse(name).ok_or_else(|| {
        let known = Channel::ALL.map(Channel::as_str).join(", ");
        let detail = format!("There is no channel “{name}”; use {known}.");
        FieldError::new(field, "unknown_channel", detail)
    })
}
