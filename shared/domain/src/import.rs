//! A list of recipients on its way to becoming messages: a file that somebody
//! uploaded, or registrations that a step of a campaign is for.

use jiff::Timestamp;

use crate::campaign::NUMBER;
use crate::message::{Message, Source, TemplateRef};
use crate::rows::Mapping;
use crate::{
    CampaignId, Channel, Country, ImportId, MessageId, OrgId, ProviderName, Purpose, StepId,
    WorkshopId,
};

/// What was asked, and how far planning has come.
#[derive(Clone, PartialEq)]
pub struct Import {
    pub org: OrgId,
    pub id: ImportId,
    pub channel: Channel,
    pub purpose: Purpose,
    /// The text with its placeholders, fixed when the file was taken.
    pub body: String,
    pub template: Option<TemplateRef>,
    pub kind: Kind,
    pub integration: Option<ProviderName>,
    pub max_segments: u16,
    pub scheduled_for: Timestamp,
    /// After this none of its messages must be sent any more.
    pub expires_at: Option<Timestamp>,
    pub created_by: String,
    pub created_at: Timestamp,
    /// Pieces the file is stored in.
    pub chunks: u32,
    /// Records in the file.
    pub rows: u32,
    pub progress: Progress,
    /// Why planning was given up, if it was.
    pub failed: Option<String>,
    pub due: Option<Timestamp>,
    pub generation: u32,
}

/// Where the recipients come from.
#[derive(Clone, PartialEq)]
pub enum Kind {
    /// A file that somebody uploaded.
    File { header: Vec<String>, mapping: Mapping, default_country: Option<Country> },
    /// Registrations, for a step of a campaign; each frozen as a row.
    Step(StepOf),
}

/// What a step's messages belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepOf {
    pub campaign: CampaignId,
    pub step: StepId,
    pub workshop: WorkshopId,
    /// Of the workshop when it was planned.
    pub revision: u32,
    /// When the campaign was started: the time in its messages' ids.
    pub started_at: Timestamp,
}

/// Where planning stands. Moves page by page, each move conditional on the
/// last, so the counts are exact whatever is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Pages sealed: the number of the next page.
    pub pages: u32,
    /// The chunk the next page begins in, and how many of its records are done.
    pub chunk: u32,
    pub record: u32,
    pub accepted: u32,
    pub duplicates: u32,
    pub rejected: u32,
    /// Parts of the messages planned: how far the account's rate is taken up.
    pub parts: u64,
}

impl Import {
    #[must_use]
    pub const fn is_planned(&self) -> bool {
        self.progress.chunk >= self.chunks
    }

    /// The step of a campaign that it is for.
    #[must_use]
    pub const fn step(&self) -> Option<&StepOf> {
        match &self.kind {
            Kind::Step(step) => Some(step),
            Kind::File { .. } => None,
        }
    }

    /// The recipient's number in a row.
    #[must_use]
    pub fn number_in<'a>(&self, cells: &'a [String]) -> Option<&'a str> {
        match &self.kind {
            Kind::File { mapping, .. } => mapping.number(cells),
            Kind::Step(_) => cells.get(NUMBER).map(String::as_str),
        }
    }

    /// Of numbers that are written without one.
    #[must_use]
    pub const fn default_country(&self) -> Option<Country> {
        match &self.kind {
            Kind::File { default_country, .. } => *default_country,
            Kind::Step(_) => None,
        }
    }
}

/// Up to a hundred recipients, frozen before any of their messages exists: a
/// repeat reads them here, never from the file again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    pub entries: Vec<Entry>,
    pub rejected: Vec<Rejected>,
    /// Where the page after this one begins.
    pub next_chunk: u32,
    pub next_record: u32,
    /// Set once all messages and packs of the page exist: entries (by place)
    /// whose number another line of the file had already.
    pub sealed: Option<Vec<u32>>,
}

/// One recipient: the line of the file and the message it becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    pub line: u32,
    pub message: MessageId,
}

impl Entry {
    /// Two lines with one number meet in one row; it belongs to the first line.
    #[must_use]
    pub fn has(&self, m: &Message) -> bool {
        match m.source {
            Source::Import { line, .. } => m.id == self.message && line == self.line,
            Source::Single | Source::Person | Source::Answer { .. } => false,
        }
    }
}

/// Code of a line whose number an earlier line of the same page has. Such lines
/// are counted apart from those with something wrong.
pub const DUPLICATE: &str = "duplicate";

/// A line that becomes no message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rejected {
    pub line: u32,
    pub code: String,
    pub detail: String,
}
