//! The fields of a contact as people, programs and files write them.

use std::collections::BTreeMap;

use super::{
    Attribute, LARGEST_ATTRIBUTES, MOST_ATTRIBUTES, MOST_LABELS, MOST_OTHER_PHONES, search,
};
use crate::quiet::zones;

pub const LONGEST_NAME: usize = 200;
pub const LONGEST_EMAIL: usize = 254;
pub const LONGEST_EXTERNAL_ID: usize = 200;
pub const LONGEST_STATUS: usize = 40;
pub const LONGEST_LABEL: usize = 40;
pub const LONGEST_ATTRIBUTE_NAME: usize = 40;
pub const LONGEST_ATTRIBUTE: usize = 500;
pub const HIGHEST_SCORE: i32 = 1_000_000;

/// Why a field is refused; says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error("A name has 1 to {LONGEST_NAME} characters on one line.")]
    Name,
    #[error("Write an email address such as ada@example.com.")]
    Email,
    #[error("“{0}” is no time zone; write an IANA name such as Europe/Paris.")]
    TimeZone(String),
    #[error("“{0}” is no language; write a code such as en or pt-BR.")]
    Language(String),
    #[error("An external id has 1 to {LONGEST_EXTERNAL_ID} characters on one line.")]
    ExternalId,
    #[error("A status has 1 to {LONGEST_STATUS} characters on one line.")]
    Status,
    #[error("A score is a whole number from -{HIGHEST_SCORE} to {HIGHEST_SCORE}.")]
    Score,
    #[error("A label has 1 to {LONGEST_LABEL} characters, among them a letter or digit.")]
    Label,
    #[error("A contact has at most {MOST_LABELS} labels.")]
    TooManyLabels,
    #[error(
        "“{0}” cannot name an attribute; use 1 to {LONGEST_ATTRIBUTE_NAME} letters, digits and underscores, first a letter."
    )]
    AttributeName(String),
    #[error(
        "The attribute “{0}” is a text of at most {LONGEST_ATTRIBUTE} characters, a number, true or false."
    )]
    Attribute(String),
    #[error(
        "A contact has at most {MOST_ATTRIBUTES} attributes of {LARGEST_ATTRIBUTES} bytes in all."
    )]
    TooManyAttributes,
    #[error("A contact has at most {MOST_OTHER_PHONES} numbers besides its own.")]
    TooManyPhones,
}

impl Invalid {
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Name => "invalid_name",
            Self::Email => "invalid_email",
            Self::TimeZone(_) => "unknown_time_zone",
            Self::Language(_) => "invalid_language",
            Self::ExternalId => "invalid_external_id",
            Self::Status => "invalid_status",
            Self::Score => "invalid_score",
            Self::Label => "invalid_label",
            Self::TooManyLabels => "too_many_labels",
            Self::AttributeName(_) | Self::Attribute(_) => "invalid_attribute",
            Self::TooManyAttributes => "too_many_attributes",
            Self::TooManyPhones => "too_many_phones",
        }
    }
}

fn line(text: &str, longest: usize) -> Option<String> {
    let text = text.trim();
    let fits =
        !text.is_empty() && text.chars().count() <= longest && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

/// # Errors
/// [`Invalid::Name`].
pub fn name(text: &str) -> Result<String, Invalid> {
    // Files write names over several cells and with spaces between them.
    let one = text.split([' ', '\t', '\u{a0}']).filter(|w| !w.is_empty()).collect::<Vec<_>>();
    line(&one.join(" "), LONGEST_NAME).ok_or(Invalid::Name)
}

/// In lower case. Whether it exists, only mail to it can tell.
///
/// # Errors
/// [`Invalid::Email`].
pub fn email(text: &str) -> Result<String, Invalid> {
    let email = text.trim().to_lowercase();
    let is_plain = |part: &str| {
        !part.is_empty() && !part.chars().any(|c| c.is_whitespace() || c.is_control() || c == '@')
    };
    let looks_right = email.len() <= LONGEST_EMAIL
        && email.split_once('@').is_some_and(|(who, domain)| {
            is_plain(who)
                && is_plain(domain)
                && domain.split('.').all(|label| !label.is_empty())
                && domain.contains('.')
        });
    if looks_right { Ok(email) } else { Err(Invalid::Email) }
}

/// The IANA name in its own spelling; aliases such as `Europe/Kiev` stay.
///
/// # Errors
/// [`Invalid::TimeZone`].
pub fn time_zone(text: &str) -> Result<String, Invalid> {
    let zone = zones::named(text.trim());
    let name = zone.as_ref().and_then(|zone| zone.iana_name());
    name.map(str::to_owned).ok_or_else(|| Invalid::TimeZone(shown(text)))
}

/// A language, and perhaps script and region: `en`, `pt-BR`, `zh-Hant-TW`.
///
/// # Errors
/// [`Invalid::Language`].
pub fn language(text: &str) -> Result<String, Invalid> {
    let invalid = || Invalid::Language(shown(text));
    let mut parts = text.trim().split(['-', '_']);
    let letters = |part: &str, len: &[usize]| {
        len.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic())
    };
    let first = parts.next().filter(|p| letters(p, &[2, 3])).ok_or_else(invalid)?;
    let mut tag = first.to_lowercase();
    for part in parts {
        tag.push('-');
        match part.len() {
            4 if letters(part, &[4]) => {
                let lower = part.to_lowercase();
                tag.push_str(&lower[..1].to_uppercase());
                tag.push_str(&lower[1..]);
            }
            2 if letters(part, &[2]) => tag.push_str(&part.to_uppercase()),
            3 if part.bytes().all(|b| b.is_ascii_digit()) => tag.push_str(part),
            _ => return Err(invalid()),
        }
    }
    if tag.len() <= 12 { Ok(tag) } else { Err(invalid()) }
}

/// # Errors
/// [`Invalid::ExternalId`].
pub fn external_id(text: &str) -> Result<String, Invalid> {
    line(text, LONGEST_EXTERNAL_ID).ok_or(Invalid::ExternalId)
}

/// # Errors
/// [`Invalid::Status`].
pub fn status(text: &str) -> Result<String, Invalid> {
    line(text, LONGEST_STATUS)
        .filter(|status| !search::fold(status).is_empty())
        .ok_or(Invalid::Status)
}

/// # Errors
/// [`Invalid::Score`].
pub fn score(number: i64) -> Result<i32, Invalid> {
    let number = i32::try_from(number).map_err(|_| Invalid::Score)?;
    if (-HIGHEST_SCORE..=HIGHEST_SCORE).contains(&number) {
        Ok(number)
    } else {
        Err(Invalid::Score)
    }
}

/// # Errors
/// [`Invalid::Label`].
pub fn label(text: &str) -> Result<String, Invalid> {
    line(text, LONGEST_LABEL).filter(|label| !search::fold(label).is_empty()).ok_or(Invalid::Label)
}

/// Each label once, whatever its case; the first spelling counts.
///
/// # Errors
/// [`Invalid::Label`], [`Invalid::TooManyLabels`].
pub fn labels<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>, Invalid> {
    let mut found: Vec<String> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for text in texts {
        let label = label(text)?;
        if seen.insert(search::fold(&label)) {
            found.push(label);
        }
    }
    if found.len() > MOST_LABELS { Err(Invalid::TooManyLabels) } else { Ok(found) }
}

/// # Errors
/// [`Invalid::AttributeName`].
pub fn attribute_name(name: &str) -> Result<(), Invalid> {
    let fits = name.len() <= LONGEST_ATTRIBUTE_NAME
        && name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if fits { Ok(()) } else { Err(Invalid::AttributeName(shown(name))) }
}

/// # Errors
/// [`Invalid::Attribute`].
pub fn attribute(name: &str, value: &Attribute) -> Result<(), Invalid> {
    match value {
        Attribute::Text(text) if text.chars().count() > LONGEST_ATTRIBUTE => {
            Err(Invalid::Attribute(shown(name)))
        }
        Attribute::Text(_) | Attribute::Number(_) | Attribute::Flag(_) => Ok(()),
    }
}

/// All attributes of a contact together.
///
/// # Errors
/// [`Invalid::TooManyAttributes`].
pub fn attributes(all: &BTreeMap<String, Attribute>) -> Result<(), Invalid> {
    let size: usize = all.iter().map(|(name, value)| name.len() + value.text().len() + 6).sum();
    if all.len() > MOST_ATTRIBUTES || size > LARGEST_ATTRIBUTES {
        return Err(Invalid::TooManyAttributes);
    }
    Ok(())
}

/// As much of a text as fits a sentence.
fn shown(text: &str) -> String {
    text.trim().chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_known_by_any_of_their_names() {
        for (text, read) in [
            ("Europe/Kyiv", Some("Europe/Kyiv")),
            ("Europe/Kiev", Some("Europe/Kiev")),
            ("america/new_york", Some("America/New_York")),
            (" Asia/Kolkata ", Some("Asia/Kolkata")),
            ("Asia/Calcutta", Some("Asia/Calcutta")),
            ("Mars/Olympus", None),
            ("Factory", None),
            ("", None),
        ] {
            assert_eq!(time_zone(text).ok().as_deref(), read, "{text}");
        }
    }

    #[test]
    fn languages_are_written_one_way() {
        for (text, read) in [
            ("EN", Some("en")),
            ("pt_br", Some("pt-BR")),
            ("zh-hant-tw", Some("zh-Hant-TW")),
            ("es-419", Some("es-419")),
            ("english", None),
            ("e", None),
            ("en-", None),
            ("", None),
        ] {
            assert_eq!(language(text).ok().as_deref(), read, "{text}");
        }
    }

    #[test]
    fn a_label_counts_once() {
        assert_eq!(labels(["VIP", "vip ", "new"]), Ok(vec!["VIP".to_owned(), "new".to_owned()]));
        assert_eq!(labels([" "]), Err(Invalid::Label));
        let many: Vec<String> = (0..=MOST_LABELS).map(|n| format!("label {n}")).collect();
        assert_eq!(labels(many.iter().map(String::as_str)), Err(Invalid::TooManyLabels));
    }

    #[test]
    fn what_is_no_name_of_an_attribute() {
        for good in ["city", "CompanyName", "a1_b"] {
            assert_eq!(attribute_name(good), Ok(()), "{good}");
        }
        for bad in ["", "1a", "a-b", "a.b", "ä", &"x".repeat(41)] {
            assert!(attribute_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_one_line() {
        assert_eq!(name(" Ada\u{a0} Lovelace "), Ok("Ada Lovelace".to_owned()));
        for bad in ["", "  ", "Ada\nLovelace", &"x".repeat(201)] {
            assert_eq!(name(bad), Err(Invalid::Name), "{bad}");
        }
    }
}
