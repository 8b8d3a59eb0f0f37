//! What a person means who writes STOP, START or HELP, in many ways and
//! languages.
//!
//! Providers count a keyword only when it is the whole message; the law counts
//! any reasonable wording. So: a whole message that is one of the words is
//! [`Match::Exact`]; a short message around a strong stop word, or one with a
//! phrase such as "stop texting me", is [`Match::Phrase`]; a longer one that
//! merely has such a word in it ("don't stop the event") is for a person to
//! decide, [`Match::Ambiguous`]. Words of ordinary talk (`END`, `PARA`, `T`)
//! count only as the whole message. Only exact words opt in again, since that
//! must be meant.

mod answers;
mod normalise;
mod phrases;
#[cfg(test)]
mod tests;
mod words;

use serde::{Deserialize, Serialize};

pub use words::{LANGUAGES, Language};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keyword {
    Stop,
    Start,
    Help,
}

impl Keyword {
    pub const ALL: [Self; 3] = [Self::Stop, Self::Start, Self::Help];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Help => "help",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }
}

/// How sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Match {
    /// The whole message is the word.
    Exact(Keyword),
    /// The wording leaves no reasonable doubt.
    Phrase(Keyword),
    /// May ask to stop. A person decides; marketing waits until then.
    Ambiguous,
}

impl Match {
    /// What to act on; `None` while it is for a person to decide.
    #[must_use]
    pub const fn keyword(self) -> Option<Keyword> {
        match self {
            Self::Exact(keyword) | Self::Phrase(keyword) => Some(keyword),
            Self::Ambiguous => None,
        }
    }
}

/// What a client says to a notice of a booking, if it says just that. Words for
/// STOP, START and HELP are no such answers.
#[must_use]
pub fn booking_answer(text: &str) -> Option<crate::booking::ClientReply> {
    if classify(text).is_some() {
        return None;
    }
    answers::find(&normalise::tokens(text).join(" "))
}

/// Reads an inbound message; `None` when it is ordinary talk.
#[must_use]
pub fn classify(text: &str) -> Option<Match> {
    let tokens = normalise::tokens(text);
    let whole = tokens.join(" ");
    if let Some(keyword) = words::exact(&whole) {
        return Some(Match::Exact(keyword));
    }
    phrases::stop(&tokens)
}
