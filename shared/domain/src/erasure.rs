//! Forgetting a person: how far it is. One at a time an address.

use jiff::Timestamp;

use crate::{AddressKey, OrgId};

/// What was asked, and how far it is. The person is known by the keyed hash
/// alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    pub org: OrgId,
    pub address: AddressKey,
    /// What came later is not erased.
    pub asked_at: Timestamp,
    pub by: String,
    pub stage: Stage,
    /// Where the stage goes on.
    pub cursor: Option<String>,
    pub counts: Counts,
    pub done_at: Option<Timestamp>,
    /// Set until it is done.
    pub due: Option<Timestamp>,
    pub generation: u32,
    pub version: u32,
}

/// What the walk over the messages has met so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Messages that say nothing of the person any more.
    pub erased: u32,
    /// Of these, those that had waited for their time and were cancelled.
    pub cancelled: u32,
    /// Messages under way: they are erased as soon as their outcome is known.
    pub under_way: u32,
}

/// In this order. Where something is under way it begins anew, a minute later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Messages, in and out.
    Messages,
    /// Long texts and stored answers, which have rows of their own.
    Texts,
    /// Suppressions and consents: they stay, without address and words.
    Gates,
    /// Lines of uploaded files.
    Files,
    Done,
}

impl Stage {
    pub const ALL: [Self; 5] = [Self::Messages, Self::Texts, Self::Gates, Self::Files, Self::Done];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Texts => "texts",
            Self::Gates => "gates",
            Self::Files => "files",
            Self::Done => "done",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

impl Erasure {
    #[must_use]
    pub fn new(org: OrgId, address: AddressKey, by: &str, now: Timestamp) -> Self {
        Self {
            org,
            address,
            asked_at: now,
            by: by.to_owned(),
            stage: Stage::Messages,
            cursor: None,
            counts: Counts::default(),
            done_at: None,
            due: None,
            generation: 0,
            version: 0,
        }
    }

    #[must_use]
    pub fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// On to the next stage.
    pub fn go_on(&mut self, stage: Stage) {
        self.stage = stage;
        self.cursor = None;
    }

    /// Once more from the beginning, at `due`.
    pub fn begin_anew(&mut self, due: Timestamp) {
        self.go_on(Stage::Messages);
        self.due = Some(due);
    }
}
