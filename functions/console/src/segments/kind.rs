//! What a rule can be about, which fields and tests there are, and what people call them.

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Label,
    Field,
    Attribute,
    Time,
    Received,
    Replied,
    Registered,
}

impl Kind {
    pub const ALL: [Self; 7] = [
        Self::Label,
        Self::Field,
        Self::Attribute,
        Self::Time,
        Self::Received,
        Self::Replied,
        Self::Registered,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Field => "field",
            Self::Attribute => "attribute",
            Self::Time => "time",
            Self::Received => "received",
            Self::Replied => "replied",
            Self::Registered => "registered",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// On the button that adds one.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Label => "Label",
            Self::Field => "Field",
            Self::Attribute => "Attribute",
            Self::Time => "When made",
            Self::Received => "What we sent",
            Self::Replied => "What they wrote",
            Self::Registered => "Workshop",
        }
    }
}

/// Fields that hold a text or a number, and what people call them.
pub const FIELDS: [(&str, &str); 9] = [
    ("status", "Status"),
    ("name", "Name"),
    ("first_name", "First name"),
    ("phone", "Number"),
    ("email", "E-mail"),
    ("score", "Score"),
    ("language", "Language"),
    ("time_zone", "Time zone"),
    ("external_id", "Id in your own system"),
];
pub const TIMES: [(&str, &str); 2] = [("created_at", "Made"), ("updated_at", "Last changed")];
/// Tests of a field; those of an attribute, too.
pub const TESTS: [(&str, &str); 5] = [
    ("is", "is"),
    ("contains", "has in it"),
    ("exists", "is filled in"),
    ("above", "is above"),
    ("below", "is below"),
];
/// Of an attribute alone: its text may be a day.
pub const DAYS: [(&str, &str); 2] = [("after", "is from this day on"), ("before", "is before")];
