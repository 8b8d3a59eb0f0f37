//! Names that a text may mention. Whoever stores a text checks them, so that a
//! typing error is found by its author and not by 5,000 people.

use std::collections::{BTreeMap, BTreeSet};

use crate::content::{Kind, TemplateContent};
use crate::template::{Template, TemplateError};

/// What texts may mention besides their own variables, with the fields of each.
/// `contact.attributes.` goes on with the name of an attribute.
pub const NAMESPACES: [(&str, &[&str]); 3] = [
    ("contact", &["name", "first_name", "email", "phone", "external_id", "status", "language"]),
    (
        "workshop",
        &["title", "date", "time", "starts_at", "local_date", "local_time", "local_starts_at"],
    ),
    ("organization", &["name"]),
];

/// A text mentions something that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownName {
    #[error("There is no “{name}”; {namespace} has {}.", fields(namespace))]
    Field { name: String, namespace: &'static str },
    #[error(
        "There is no “{0}” here; use contact, workshop or organization, as in {{{{ contact.name }}}}."
    )]
    Namespace(String),
    #[error("The template has no variable “{0}”; its variables are {1}.")]
    Variable(String, String),
    #[error(
        "The template needs the variable “{0}”; give it a value, such as {{{{ contact.name }}}}."
    )]
    Needed(String),
    #[error(transparent)]
    Text(#[from] TemplateError),
}

impl UnknownName {
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Field { .. } | Self::Namespace(_) | Self::Variable(..) => "unknown_variable",
            Self::Needed(_) => "missing_variable",
            Self::Text(error) => error.code(),
        }
    }
}

fn fields(namespace: &str) -> String {
    let found = NAMESPACES.iter().find(|(name, _)| *name == namespace);
    let mut fields = found.map(|(_, fields)| fields.join(", ")).unwrap_or_default();
    if namespace == "contact" {
        fields.push_str(", attributes.…");
    }
    fields
}

/// Whether a text mentions nothing that its namespace has not. Names outside of
/// the namespaces are the text's own variables.
///
/// # Errors
/// The first name that there is not.
pub fn check(text: &Template) -> Result<(), UnknownName> {
    text.variables().iter().try_for_each(|name| known(name).map(drop))
}

/// Whether a name is of a namespace.
fn known(name: &str) -> Result<bool, UnknownName> {
    let (root, rest) = name.split_once('.').unwrap_or((name, ""));
    let Some((namespace, fields)) = NAMESPACES.iter().find(|(n, _)| *n == root) else {
        return Ok(false);
    };
    let is_attribute = *namespace == "contact"
        && rest.strip_prefix("attributes.").is_some_and(|name| !name.contains('.'));
    if fields.contains(&rest) || is_attribute {
        return Ok(true);
    }
    Err(UnknownName::Field { name: name.to_owned(), namespace })
}

/// Whether a step's variables fit its template: each is one of the template's,
/// mentions what there is, and none is missing. What is wrong, by variable.
#[must_use]
pub fn check_mapping(
    content: &TemplateContent,
    template: &Template,
    mapping: &BTreeMap<String, String>,
) -> Vec<(String, UnknownName)> {
    let mut wrong = Vec::new();
    let declared = content.variables.iter().map(|v| v.key.clone());
    let mentioned = template.variables().into_iter();
    // A field of a namespace fills itself.
    let own = mentioned.filter(|name| matches!(known(name), Ok(false)));
    let variables: BTreeSet<String> = declared.chain(own).collect();
    for (key, text) in mapping {
        if !variables.contains(key) {
            let all: Vec<&str> = variables.iter().map(String::as_str).collect();
            let all = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
            wrong.push((key.clone(), UnknownName::Variable(key.clone(), all)));
            continue;
        }
        if let Err(error) = check_value(text) {
            wrong.push((key.clone(), error));
        }
    }
    let has_value = |key: &str| {
        mapping.contains_key(key)
            || content.variables.iter().any(|v| v.key == key && v.fallback().is_some())
    };
    let namespaces = NAMESPACES.iter().map(|(name, _)| (*name).to_owned());
    let mut needed = template.missing(&namespaces.collect());
    if matches!(content.kind, Kind::WhatsappCampaign(_)) {
        // Its parameters are sent whether our text shows them or not.
        needed.extend(content.variables.iter().map(|v| v.key.clone()));
    }
    let needed: BTreeSet<String> = needed.into_iter().collect();
    for key in needed.into_iter().filter(|key| !has_value(key)) {
        wrong.push((key.clone(), UnknownName::Needed(key)));
    }
    wrong
}

/// The value of a variable: nothing but what the namespaces have.
fn check_value(text: &str) -> Result<(), UnknownName> {
    let text = Template::parse(text)?;
    for name in text.variables() {
        if !known(&name)? {
            return Err(UnknownName::Namespace(name));
        }
    }
    Ok(())
}
