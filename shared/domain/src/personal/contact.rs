//! A contact as a text may mention it.

use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::Person;
use crate::contact::{Attribute, Contact};

/// What is derived of a contact, kept while texts are written.
#[derive(Clone)]
pub struct Known<'a> {
    contact: &'a Contact,
    first_name: Option<String>,
    zone: Option<TimeZone>,
    attributes: Map<String, Value>,
}

impl<'a> Known<'a> {
    #[must_use]
    pub fn of(contact: &'a Contact) -> Self {
        let attributes = contact.attributes.iter().map(|(name, value)| {
            let value = match value {
                Attribute::Flag(flag) => Value::from(*flag),
                Attribute::Number(number) => Value::Number(number.clone()),
                Attribute::Text(text) => Value::from(text.as_str()),
            };
            (name.clone(), value)
        });
        Self {
            contact,
            first_name: contact.first_name(),
            zone: contact.zone(),
            attributes: attributes.collect(),
        }
    }

    #[must_use]
    pub fn person(&'a self) -> Person<'a> {
        Person {
            name: self.contact.name.as_deref(),
            first_name: self.first_name.as_deref(),
            email: self.contact.email.as_deref(),
            phone: self.contact.phone.as_ref().map(crate::PhoneNumber::as_str),
            external_id: self.contact.external_id.as_deref(),
            status: self.contact.status.as_deref(),
            language: self.contact.language.as_deref(),
            zone: self.zone.as_ref(),
            attributes: Some(&self.attributes),
        }
    }
}

/// No personal data in logs.
impl std::fmt::Debug for Known<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").field("contact", &self.contact.id).finish_non_exhaustive()
    }
}
