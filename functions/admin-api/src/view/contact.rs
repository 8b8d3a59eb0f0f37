//! A person who may get messages.

use std::collections::BTreeMap;

use carillon_domain::contact::{self as domain, Attribute};
use carillon_domain::{ContactId, consent};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::consent::Consent;

/// A person who may get messages.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Contact {
    pub id: ContactId,
    pub name: Option<String>,
    /// What to call the person by; from the name.
    pub first_name: Option<String>,
    /// With its country code.
    pub phone: Option<String>,
    /// Numbers of contacts that were merged into this one.
    pub other_phones: Vec<String>,
    pub email: Option<String>,
    /// The host application's own id.
    pub external_id: Option<String>,
    /// The host application's word: lead, client, registrant.
    pub status: Option<String>,
    pub score: Option<i32>,
    /// IANA name; that of the number counts where it is null.
    pub time_zone: Option<String>,
    /// Such as `en` or `pt-BR`.
    pub language: Option<String>,
    pub attributes: BTreeMap<String, Attribute>,
    pub labels: Vec<String>,
    /// What the person agreed to and took back; in the answer for one contact
    /// only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consents: Option<Vec<Consent>>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Contact {
    #[must_use]
    pub fn of(c: &domain::Contact) -> Self {
        let text = |phone: &carillon_domain::PhoneNumber| phone.as_str().to_owned();
        Self {
            id: c.id,
            name: c.name.clone(),
            first_name: c.first_name(),
            phone: c.phone.as_ref().map(text),
            other_phones: c.other_phones.iter().map(text).collect(),
            email: c.email.clone(),
            external_id: c.external_id.clone(),
            status: c.status.clone(),
            score: c.score,
            time_zone: c.time_zone.clone(),
            language: c.language.clone(),
            attributes: c.attributes.clone(),
            labels: c.labels.clone(),
            consents: None,
            created_by: c.created_by.clone(),
            created_at: c.created_at,
            updated_at: c.updated_at,
        }
    }

    #[must_use]
    pub fn with_consents(c: &domain::Contact, consents: &[consent::Consent]) -> Self {
        let to = c.phone.as_ref().map(carillon_domain::PhoneNumber::as_str).unwrap_or_default();
        let consents = consents.iter().map(|consent| Consent::of(to, consent)).collect();
        Self { consents: Some(consents), ..Self::of(c) }
    }
}
