//! The table of hours for promotional messages, by country and state.

use std::sync::LazyLock;

use super::week::Week;
use crate::Channel;

/// One row of `promotional.txt`.
#[derive(Debug)]
pub(super) struct Row {
    /// Country, or state: `IN`, `US-FL`; `US-?` where the state is not known.
    pub(super) region: &'static str,
    channels: Channels,
    /// As written in the table.
    pub(super) open: &'static str,
    pub(super) week: Week,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Channels {
    All,
    Text,
    Voice,
}

impl Row {
    pub(super) fn holds_for(&self, channel: Channel) -> bool {
        match self.channels {
            Channels::All => true,
            Channels::Text => channel != Channel::Voice,
            Channels::Voice => channel == Channel::Voice,
        }
    }

    /// Of this place: the rows of its state and those of its country.
    pub(super) fn is_of(&self, region: &str) -> bool {
        region.strip_prefix(self.region).is_some_and(|r| r.is_empty() || r.starts_with('-'))
    }

    fn read(line: &'static str) -> Option<Self> {
        let mut cells = line.split('|').map(str::trim);
        let mut cell = || cells.next();
        let (region, channels, open, certainty) = (cell()?, cell()?, cell()?, cell()?);
        let channels = match channels {
            "all" => Channels::All,
            "text" => Channels::Text,
            "voice" => Channels::Voice,
            _ => return None,
        };
        let known = ["law", "regulator", "secondary", "unconfirmed"].contains(&certainty);
        let week = Week::parse(open).filter(|_| known && cell().is_some())?;
        Some(Self { region, channels, open, week })
    }
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    lines(include_str!("promotional.txt"))
        .map(|line| Row::read(line).expect("a test reads every row"))
        .collect()
});

pub(super) fn rows() -> &'static [Row] {
    &ROWS
}

/// Lines of a table file that are not comments.
pub(super) fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}
