//! A contact: a person who may get messages.
//!
//! A phone number and an `external_id` belong to one contact of the
//! organization; an email address may be shared. What people and files write is
//! read in [`fields`], how people are found in [`search`].

pub mod export;
pub mod fields;
pub mod import;
pub mod search;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::{ContactId, ImportId, OrgId, PhoneNumber};

/// Most labels, attributes and numbers taken over from others.
pub const MOST_LABELS: usize = 20;
pub const MOST_ATTRIBUTES: usize = 50;
pub const MOST_OTHER_PHONES: usize = 3;
/// All attributes together, in bytes, as JSON.
pub const LARGEST_ATTRIBUTES: usize = 16 * 1024;

#[derive(Clone, PartialEq)]
pub struct Contact {
    pub id: ContactId,
    pub org: OrgId,
    pub name: Option<String>,
    pub phone: Option<PhoneNumber>,
    /// Numbers of contacts that were merged into this one: nothing is sent to
    /// them, and what comes from them is this person's.
    pub other_phones: Vec<PhoneNumber>,
    /// In lower case.
    pub email: Option<String>,
    /// IANA name.
    pub time_zone: Option<String>,
    /// Such as `en` or `pt-BR`.
    pub language: Option<String>,
    /// The host application's own id.
    pub external_id: Option<String>,
    /// The host application's word: lead, client, registrant.
    pub status: Option<String>,
    pub score: Option<i32>,
    pub attributes: BTreeMap<String, Attribute>,
    /// Each once, in the order they were given.
    pub labels: Vec<String>,
    /// The file that changed it last, and the line on which the person stands first.
    pub imported: Option<(ImportId, u32)>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Counts the changes, so that two do not undo each other; 1 when new.
    pub version: u64,
}

/// What an attribute may be.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Attribute {
    Flag(bool),
    Number(serde_json::Number),
    Text(String),
}

impl Attribute {
    /// As it stands in a text.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

impl Contact {
    /// A contact without anything.
    #[must_use]
    pub fn new(id: ContactId, org: OrgId, created_by: &str, now: Timestamp) -> Self {
        Self {
            id,
            org,
            name: None,
            phone: None,
            other_phones: Vec::new(),
            email: None,
            time_zone: None,
            language: None,
            external_id: None,
            status: None,
            score: None,
            attributes: BTreeMap::new(),
            labels: Vec::new(),
            imported: None,
            created_by: created_by.to_owned(),
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// What to call the person by.
    #[must_use]
    pub fn first_name(&self) -> Option<String> {
        self.name.as_deref().and_then(first_name)
    }

    /// Whether there is anything to know the person by.
    #[must_use]
    pub const fn is_somebody(&self) -> bool {
        self.name.is_some()
            || self.phone.is_some()
            || self.email.is_some()
            || self.external_id.is_some()
    }

    /// The person's own clock, if it is known.
    #[must_use]
    pub fn zone(&self) -> Option<TimeZone> {
        self.time_zone.as_deref().and_then(crate::quiet::zones::named)
    }

    /// All numbers that are this person's.
    pub fn phones(&self) -> impl Iterator<Item = &PhoneNumber> {
        self.phone.iter().chain(&self.other_phones)
    }

    /// A label is the same in either case.
    #[must_use]
    pub fn has_label(&self, label: &str) -> bool {
        let label = search::fold(label);
        self.labels.iter().any(|own| search::fold(own) == label)
    }

    /// Takes over what another contact has, who is the same person. What this one
    /// has itself stays; the other's number becomes one of its other numbers.
    ///
    /// # Errors
    /// When the two together have too many labels, attributes or numbers.
    pub fn absorb(&mut self, other: &Self) -> Result<(), fields::Invalid> {
        let take = |own: &mut Option<String>, theirs: &Option<String>| {
            if own.is_none() {
                own.clone_from(theirs);
            }
        };
        take(&mut self.name, &other.name);
        take(&mut self.email, &other.email);
        take(&mut self.time_zone, &other.time_zone);
        take(&mut self.language, &other.language);
        take(&mut self.external_id, &other.external_id);
        take(&mut self.status, &other.status);
        self.score = self.score.or(other.score);
        for phone in other.phones() {
            if self.phone.is_none() {
                self.phone = Some(phone.clone());
            } else if self.phones().all(|own| own != phone) {
                self.other_phones.push(phone.clone());
            }
        }
        if self.other_phones.len() > MOST_OTHER_PHONES {
            return Err(fields::Invalid::TooManyPhones);
        }
        for (name, value) in &other.attributes {
            self.attributes.entry(name.clone()).or_insert_with(|| value.clone());
        }
        fields::attributes(&self.attributes)?;
        let labels = self.labels.iter().chain(&other.labels).map(String::as_str);
        self.labels = fields::labels(labels)?;
        Ok(())
    }

    /// Whether all that a person can change is the same.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let aside = |c: &Self| Self {
            imported: None,
            created_by: String::new(),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            version: 0,
            ..c.clone()
        };
        aside(self) == aside(other)
    }
}

/// Who writes `Lovelace, Ada` or `Dr. Ada Lovelace` calls her Ada.
fn first_name(name: &str) -> Option<String> {
    let given = match name.split_once(',') {
        Some((_, given)) if !given.trim().is_empty() => given,
        _ => name,
    };
    let mut words = given.split_whitespace();
    let first = words.next()?;
    // A title alone is a name after all.
    let called = if is_title(first) { words.next().unwrap_or(first) } else { first };
    Some(called.trim_end_matches(',').to_owned())
}

fn is_title(word: &str) -> bool {
    const TITLES: [&str; 12] =
        ["mr", "mrs", "ms", "miss", "mx", "dr", "prof", "shri", "smt", "sir", "rev", "herr"];
    let word = word.trim_end_matches('.').to_lowercase();
    TITLES.contains(&word.as_str())
}

impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contact")
            .field("id", &self.id)
            .field("phone", &self.phone)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_called_by_their_first_name() {
        for (name, called) in [
            ("Ada Lovelace", "Ada"),
            ("Lovelace, Ada", "Ada"),
            ("Dr. Ada Lovelace", "Ada"),
            ("Mr Singh", "Singh"),
            ("Prof", "Prof"),
            ("Madonna", "Madonna"),
            ("Müller,", "Müller"),
            ("  José   María ", "José"),
            ("अदा लवलेस", "अदा"),
        ] {
            assert_eq!(first_name(name).as_deref(), Some(called), "{name}");
        }
        assert_eq!(first_name("  "), None);
    }

    #[test]
    fn what_counts_changes_and_is_not_the_change_itself() {
        let at = Timestamp::UNIX_EPOCH;
        let org = OrgId::from_bytes([1; 10]);
        let one = Contact::new(ContactId::from_bytes([2; 10]), org, "key_1", at);
        let later = Contact { version: 7, updated_at: Timestamp::MAX, ..one.clone() };
        assert!(one.says_the_same(&later));
        assert!(!one.says_the_same(&Contact { score: Some(1), ..one.clone() }));
    }

    #[test]
    fn a_label_is_the_same_in_either_case() {
        let org = OrgId::from_bytes([1; 10]);
        let mut c = Contact::new(ContactId::from_bytes([2; 10]), org, "", Timestamp::UNIX_EPOCH);
        c.labels = vec!["VIP".to_owned()];
        assert!(c.has_label("vip") && !c.has_label("vi"));
    }
}
