//! A template written for one person: what the text may mention of the contact,
//! the workshop and the organization, and the text that comes of it.
//!
//! Who plans messages asks [`write`] for each person. It is pure: the same
//! version, values and people make the same text, so a repeat of a plan writes
//! what the first one wrote. A person for whom something is missing gets no text
//! but a reason, in words.

mod about;
mod contact;
mod names;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

pub use self::about::{About, Person, Workshop};
pub use self::contact::Known;
pub use self::names::{NAMESPACES, UnknownName, check, check_mapping};
use crate::content::{ContentError, Kind, TemplateContent};
use crate::dlt::{self, SlotError};
use crate::template::{Template, TemplateError, names as names_of};

/// A text for one person, as it is kept with the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub body: String,
    /// What the text was written with: the template's variables, and what it
    /// mentions of contact, workshop and organization.
    pub variables: Map<String, Value>,
    /// The language it is in, where the template says so.
    pub language: Option<String>,
}

/// Why there is no text for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unwritten {
    /// Of the person or event, or of the variables; never empty.
    #[error("No value for {}; the text needs it.", in_words(.0))]
    Missing(Vec<String>),
    #[error("The value of “{key}” does not fit its slot: {error}")]
    Slot { key: String, error: SlotError },
    #[error("With these values the text is empty.")]
    Empty,
    #[error(transparent)]
    Content(#[from] ContentError),
}

impl Unwritten {
    /// Stable: for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "missing_variable",
            Self::Slot { error, .. } => error.code(),
            Self::Empty => "empty_body",
            Self::Content(error) => error.code(),
        }
    }
}

/// The text of a template for one person.
///
/// `mapping` is a step's: what each variable is made of (`{{ contact.name }}`).
/// `given` are values that are the same for everybody, or that the caller has
/// found for this person; where both have a variable, `given` counts. A variable
/// without a value has the template's default, or none where it is not required.
///
/// # Errors
/// Why this person cannot get it.
pub fn write(
    content: &TemplateContent,
    mapping: &BTreeMap<String, String>,
    given: &Map<String, Value>,
    about: &About<'_>,
) -> Result<Written, Unwritten> {
    let (language, source) = content.source(about.language())?;
    let template = Template::parse(&source).map_err(ContentError::from)?;
    fill((content, &template, language), mapping, given, about)
}

/// The same of a text that was read once, for many people: content, its text in
/// one language ([`TemplateContent::source`]), and which one that is.
///
/// # Errors
/// As [`write`].
pub fn fill(
    (content, template, in_language): (&TemplateContent, &Template, Option<&str>),
    mapping: &BTreeMap<String, String>,
    given: &Map<String, Value>,
    about: &About<'_>,
) -> Result<Written, Unwritten> {
    let known = about.values(in_language.or_else(|| about.language()));
    let mut own = given.clone();
    let mut absent = BTreeMap::new();
    for (key, text) in mapping {
        if has(&own, key) {
            continue;
        }
        match Template::parse(text).and_then(|text| text.render(&known)) {
            Ok(value) => {
                own.insert(key.clone(), value.into());
            }
            Err(TemplateError::Missing { names }) => {
                absent.insert(key.as_str(), names);
            }
            Err(error) => return Err(ContentError::from(error).into()),
        }
    }
    for variable in &content.variables {
        if let (false, Some(text)) = (has(&own, &variable.key), variable.fallback()) {
            own.insert(variable.key.clone(), text.into());
        }
    }
    let mut all = known;
    all.extend(own.clone());
    let mut missing = template.missing(&names_of(&all));
    if matches!(content.kind, Kind::WhatsappCampaign(_)) {
        // Its parameters are sent whether our text shows them or not.
        let keys = content.variables.iter().map(|v| v.key.clone());
        missing.extend(keys.filter(|key| !has(&all, key)));
    }
    if !missing.is_empty() {
        // What was to make the variable says more than the variable's name.
        let told = missing
            .into_iter()
            .flat_map(|name| absent.get(name.as_str()).cloned().unwrap_or_else(|| vec![name]));
        let told: BTreeSet<String> = told.collect();
        return Err(Unwritten::Missing(told.into_iter().collect()));
    }
    if let Kind::Dlt(text) = &content.kind {
        let slots = dlt::slots(&text.body).map_err(ContentError::from)?;
        for (slot, variable) in slots.into_iter().zip(&content.variables) {
            let value = all.get(&variable.key).map(plain).unwrap_or_default();
            slot.check(&value)
                .map_err(|error| Unwritten::Slot { key: variable.key.clone(), error })?;
        }
    }
    let body = template.render(&all).map_err(ContentError::from)?;
    if body.trim().is_empty() {
        return Err(Unwritten::Empty);
    }
    let mentioned = template.variables();
    let variables = about::mentioned(all, &own, &mentioned);
    Ok(Written { body, variables, language: in_language.map(str::to_owned) })
}

/// A value that is there; `null` is none.
fn has(values: &Map<String, Value>, key: &str) -> bool {
    values.get(key).is_some_and(|value| !value.is_null())
}

/// A value as it stands in a text.
#[must_use]
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn in_words(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("“{name}”")).collect();
    quoted.join(", ")
}
