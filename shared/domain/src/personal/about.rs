//! Whom and what a text is about, as values it may mention.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::written_out;

/// Whom and what a message is about. What is not known is left out, and is then
/// missing to a text that needs it.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    pub contact: Option<Person<'a>>,
    pub workshop: Option<Workshop<'a>>,
    /// The organization's name.
    pub organization: Option<&'a str>,
}

/// What a text may mention of a contact, and what decides how it is written.
#[derive(Clone, Copy, Default)]
pub struct Person<'a> {
    pub name: Option<&'a str>,
    pub first_name: Option<&'a str>,
    pub email: Option<&'a str>,
    pub phone: Option<&'a str>,
    pub external_id: Option<&'a str>,
    pub status: Option<&'a str>,
    /// `hi-IN`.
    pub language: Option<&'a str>,
    pub zone: Option<&'a TimeZone>,
    /// Texts, numbers, yes and no, by name.
    pub attributes: Option<&'a Map<String, Value>>,
}

/// No personal data in logs.
impl std::fmt::Debug for Person<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("language", &self.language).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Workshop<'a> {
    pub title: &'a str,
    pub starts_at: Timestamp,
    pub zone: &'a TimeZone,
}

impl About<'_> {
    /// Which language the person reads.
    #[must_use]
    pub fn language(&self) -> Option<&str> {
        self.contact.and_then(|contact| contact.language)
    }

    /// By namespace; dates in this language.
    #[must_use]
    pub fn values(&self, language: Option<&str>) -> Map<String, Value> {
        let mut all = Map::new();
        if let Some(contact) = &self.contact {
            all.insert("contact".to_owned(), contact.values());
        }
        if let Some(workshop) = &self.workshop {
            let own_zone = self.contact.and_then(|contact| contact.zone);
            all.insert("workshop".to_owned(), workshop.values(own_zone, language));
        }
        if let Some(name) = self.organization {
            all.insert("organization".to_owned(), json!({"name": name}));
        }
        all
    }
}

impl Person<'_> {
    fn values(&self) -> Value {
        let texts = [
            ("name", self.name),
            ("first_name", self.first_name),
            ("email", self.email),
            ("phone", self.phone),
            ("external_id", self.external_id),
            ("status", self.status),
            ("language", self.language),
        ];
        let there = texts.into_iter().filter_map(|(name, text)| Some((name, text?)));
        let there = there.filter(|(_, text)| !text.trim().is_empty());
        let mut values: Map<String, Value> =
            there.map(|(name, text)| (name.to_owned(), text.into())).collect();
        let attributes = self.attributes.cloned().unwrap_or_default();
        values.insert("attributes".to_owned(), attributes.into());
        values.into()
    }
}

impl Workshop<'_> {
    /// On the clock of the workshop, and on the person's own (`local_…`; the
    /// workshop's where that is not known).
    fn values(&self, own: Option<&TimeZone>, language: Option<&str>) -> Value {
        let own = own.unwrap_or(self.zone);
        let (there, here) =
            (self.zone.to_datetime(self.starts_at), own.to_datetime(self.starts_at));
        json!({
            "title": self.title,
            "date": written_out::date(there.date(), language),
            "time": written_out::time(there.time(), language),
            "starts_at": written_out::date_and_time(self.starts_at, self.zone, language),
            "local_date": written_out::date(here.date(), language),
            "local_time": written_out::time(here.time(), language),
            "local_starts_at": written_out::date_and_time(self.starts_at, own, language),
        })
    }
}

/// Of all values, the caller's own and those that the text mentions.
pub(super) fn mentioned(
    all: Map<String, Value>,
    own: &Map<String, Value>,
    mentioned: &BTreeSet<String>,
) -> Map<String, Value> {
    let mut kept = Map::new();
    for (name, value) in all {
        if own.contains_key(&name) {
            kept.insert(name, value);
        } else if let Some(value) = of_paths(&name, value, mentioned) {
            kept.insert(name, value);
        }
    }
    kept
}

fn of_paths(path: &str, value: Value, mentioned: &BTreeSet<String>) -> Option<Value> {
    if mentioned.contains(path) {
        return Some(value);
    }
    let Value::Object(fields) = value else { return None };
    let kept: Map<String, Value> = fields
        .into_iter()
        .filter_map(|(name, value)| {
            let value = of_paths(&format!("{path}.{name}"), value, mentioned)?;
            Some((name, value))
        })
        .collect();
    (!kept.is_empty()).then_some(Value::Object(kept))
}
