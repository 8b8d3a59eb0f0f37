//! A call: what is said or played, and what the keys of the phone mean. Nothing
//! calls yet; the content is kept whole for who will.

use std::collections::BTreeMap;

use super::Translations;

/// Keys that can be pressed.
pub const KEYS: &str = "0123456789*#";
/// What is said after a key, in characters.
pub const MAX_SAID: usize = 500;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voice {
    pub script: Script,
    /// Of a script that is read out.
    pub translations: Translations,
    pub keys: BTreeMap<char, KeyPress>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Script {
    /// Read out, with `{{ variable }}`.
    Text(String),
    /// Played: an address outside, `https://…`.
    Audio(String),
}

impl Script {
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Audio(_) => None,
        }
    }

    #[must_use]
    pub fn audio(&self) -> Option<&str> {
        match self {
            Self::Text(_) => None,
            Self::Audio(url) => Some(url),
        }
    }
}

/// What follows a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPress {
    pub answer: Answer,
    pub label: Option<String>,
    /// Said before the call goes on or ends.
    pub say: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Confirm,
    Reschedule,
    Repeat,
    OptOut,
    /// Recorded, and nothing else.
    Record,
}

impl Answer {
    pub const ALL: [Self; 5] =
        [Self::Confirm, Self::Reschedule, Self::Repeat, Self::OptOut, Self::Record];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Reschedule => "reschedule",
            Self::Repeat => "repeat",
            Self::OptOut => "opt_out",
            Self::Record => "record",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == text)
    }
}
