//! A segment: a saved filter over contacts.
//!
//! Its rules are a tree of `and`, `or` and `not` over what is known of a contact:
//! fields, attributes, labels; and over what there was with the person: messages,
//! replies, registrations. Evaluation is pure; whoever asks brings the facts, and
//! only those that the rules need ([`Rule::needs`]).

mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::contact::{Attribute, search};
use crate::{Contact, WorkshopId};

pub use read::{InvalidRule, MOST_RULES, read};

/// One rule, or several together.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    And(Vec<Rule>),
    Or(Vec<Rule>),
    Not(Box<Rule>),
    Field(Field, Test),
    Label(String),
    /// A message was sent to the person.
    Received(Message),
    /// The person wrote.
    Replied(Span),
    /// The person is registered for this workshop, or for any.
    Registered(Option<WorkshopId>),
}

/// What of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    Name,
    FirstName,
    Phone,
    Email,
    ExternalId,
    Status,
    Score,
    TimeZone,
    Language,
    CreatedAt,
    UpdatedAt,
    Attribute(String),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// The same, in either case.
    Is(Attribute),
    /// Has this in it, in either case.
    Contains(String),
    /// Has a value, or has none.
    Exists(bool),
    /// Of numbers and of times.
    Above(f64),
    Below(f64),
    Within(Span),
}

/// From a time on, and up to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    pub after: Option<Timestamp>,
    pub before: Option<Timestamp>,
}

/// Which message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// Key or id of its template.
    pub template: Option<String>,
    pub span: Span,
}

/// What there was with a person, as far as rules ask.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// Messages that a provider took: key and id of the template, and when.
    pub received: Vec<(Option<(String, String)>, Timestamp)>,
    /// Messages from the person.
    pub replied: Vec<Timestamp>,
    pub registered: BTreeSet<WorkshopId>,
}

/// What has to be looked up to evaluate rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    pub messages: bool,
    pub registrations: bool,
}

impl Span {
    fn has(self, at: Timestamp) -> bool {
        self.after.is_none_or(|after| at >= after) && self.before.is_none_or(|before| at < before)
    }
}

impl Rule {
    /// Whether the rule holds for a contact and what there was with it.
    #[must_use]
    pub fn holds(&self, c: &Contact, facts: &Facts) -> bool {
        match self {
            Self::And(rules) => rules.iter().all(|rule| rule.holds(c, facts)),
            Self::Or(rules) => rules.iter().any(|rule| rule.holds(c, facts)),
            Self::Not(rule) => !rule.holds(c, facts),
            Self::Field(field, test) => test.holds(value(c, field).as_ref()),
            Self::Label(label) => c.has_label(label),
            Self::Received(m) => facts.received.iter().any(|(template, at)| {
                let is_template = |wanted: &String| {
                    template.as_ref().is_some_and(|(key, id)| key == wanted || id == wanted)
                };
                m.template.as_ref().is_none_or(is_template) && m.span.has(*at)
            }),
            Self::Replied(span) => facts.replied.iter().any(|at| span.has(*at)),
            Self::Registered(Some(workshop)) => facts.registered.contains(workshop),
            Self::Registered(None) => !facts.registered.is_empty(),
        }
    }

    #[must_use]
    pub fn needs(&self) -> Needs {
        match self {
            Self::And(rules) | Self::Or(rules) => {
                rules.iter().map(Self::needs).fold(Needs::default(), |a, b| Needs {
                    messages: a.messages || b.messages,
                    registrations: a.registrations || b.registrations,
                })
            }
            Self::Not(rule) => rule.needs(),
            Self::Received(_) | Self::Replied(_) => Needs { messages: true, ..Needs::default() },
            Self::Registered(_) => Needs { registrations: true, ..Needs::default() },
            Self::Field(..) | Self::Label(_) => Needs::default(),
        }
    }

    /// A label that everybody has for whom the rule holds: their list is shorter
    /// than that of all.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        match self {
            Self::Label(label) => Some(label),
            Self::And(rules) => rules.iter().find_map(Self::label),
            _ => None,
        }
    }

    /// As [`Self::label`], a status.
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        match self {
            Self::Field(Field::Status, Test::Is(Attribute::Text(status))) => Some(status),
            Self::And(rules) => rules.iter().find_map(Self::status),
            _ => None,
        }
    }
}

enum Known {
    Text(String),
    Number(f64),
    Flag(bool),
    Time(Timestamp),
}

fn value(c: &Contact, field: &Field) -> Option<Known> {
    let text = |text: &Option<String>| text.clone().map(Known::Text);
    match field {
        Field::Name => text(&c.name),
        Field::FirstName => text(&c.first_name()),
        Field::Phone => c.phone.as_ref().map(|p| Known::Text(p.as_str().to_owned())),
        Field::Email => text(&c.email),
        Field::ExternalId => text(&c.external_id),
        Field::Status => text(&c.status),
        Field::Score => c.score.map(|score| Known::Number(score.into())),
        Field::TimeZone => text(&c.time_zone),
        Field::Language => text(&c.language),
        Field::CreatedAt => Some(Known::Time(c.created_at)),
        Field::UpdatedAt => Some(Known::Time(c.updated_at)),
        Field::Attribute(name) => c.attributes.get(name).map(|value| match value {
            Attribute::Flag(flag) => Known::Flag(*flag),
            Attribute::Number(number) => Known::Number(number.as_f64().unwrap_or(f64::NAN)),
            Attribute::Text(text) => Known::Text(text.clone()),
        }),
    }
}

impl Known {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Time(at) => at.to_string(),
        }
    }

    /// Files write numbers and times as texts.
    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Flag(_) | Self::Time(_) => None,
        }
    }

    fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Time(at) => Some(*at),
            Self::Text(text) => {
                let day = || text.trim().parse::<jiff::civil::Date>().ok();
                let midnight =
                    || day()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
                text.trim().parse().ok().or_else(midnight)
            }
            Self::Number(_) | Self::Flag(_) => None,
        }
    }
}

impl Test {
    fn holds(&self, value: Option<&Known>) -> bool {
        if let Self::Exists(wanted) = self {
            return value.is_some() == *wanted;
        }
        let Some(value) = value else { return false };
        match self {
            Self::Is(Attribute::Number(wanted)) => value.number() == wanted.as_f64(),
            Self::Is(wanted) => folded(&value.text()) == folded(&wanted.text()),
            Self::Contains(part) => folded(&value.text()).contains(&folded(part)),
            Self::Above(least) => value.number().is_some_and(|number| number > *least),
            Self::Below(most) => value.number().is_some_and(|number| number < *most),
            Self::Within(span) => value.time().is_some_and(|at| span.has(at)),
            Self::Exists(_) => false,
        }
    }
}

/// In either case and with or without accents; what is left of nothing is the
/// text itself, such as a sign.
fn folded(text: &str) -> String {
    let folded = search::fold(text);
    if folded.is_empty() || text.contains('@') || text.starts_with('+') {
        text.trim().to_lowercase()
    } else {
        folded
    }
}
