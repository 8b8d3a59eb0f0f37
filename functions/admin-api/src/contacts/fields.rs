//! The fields of a contact in a request, read into one.

use std::collections::BTreeMap;

use carillon_domain::consent::Consent;
use carillon_domain::contact::{Attribute, fields};
use carillon_domain::contact::{MOST_ATTRIBUTES, MOST_LABELS};
use carillon_domain::settings::Settings;
use carillon_domain::{Contact, PhoneNumber};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::consents;
use crate::extract::present;
use crate::problem::{FieldError, Problem};

/// Consents that one request records.
const MOST_CONSENTS: usize = 20;

/// A person who may get messages. There must be something to know the person
/// by: a name, a number, an email address or an external id.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NewContact", example = example(), example = short_example())]
pub struct New(pub Body);

/// What is to change of a contact; `null` clears.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ContactPatch", example = patch_example())]
pub struct Patch(pub Body);

/// The fields of a contact.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ContactFields")]
pub struct Body {
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(min = 1, max = fields::LONGEST_NAME))]
    name: Option<Option<String>>,
    /// With its country code or as in the organization's country. It belongs to
    /// one contact.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>")]
    phone: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(min = 3, max = fields::LONGEST_EMAIL))]
    email: Option<Option<String>>,
    /// IANA name.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>")]
    time_zone: Option<Option<String>>,
    /// Such as `en` or `pt-BR`.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>")]
    language: Option<Option<String>>,
    /// The host application's own id. It belongs to one contact.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(min = 1, max = fields::LONGEST_EXTERNAL_ID))]
    external_id: Option<Option<String>>,
    /// The host application's word: lead, client, registrant.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(min = 1, max = fields::LONGEST_STATUS))]
    status: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<i32>")]
    score: Option<Option<i64>>,
    /// Texts, numbers or yes and no, by name. A change keeps those that it does
    /// not name; `null` takes one away.
    #[schemars(length(max = MOST_ATTRIBUTES))]
    attributes: Option<BTreeMap<String, Option<Attribute>>>,
    /// All of them; to add or take away some, `/labels`.
    #[schemars(length(max = MOST_LABELS))]
    labels: Option<Vec<String>>,
    /// What the person said, to be recorded; what is not named stays. Needs a
    /// number.
    #[schemars(length(max = MOST_CONSENTS))]
    consents: Option<Vec<consents::OfContact>>,
}

fn example() -> Value {
    json!({
        "name": "Ada Lovelace", "phone": "+61491570006", "email": "ada@example.com",
        "time_zone": "Australia/Sydney", "language": "en", "external_id": "crm-1042",
        "status": "lead", "attributes": {"city": "Sydney", "seats": 2}, "labels": ["vip"],
        "consents": [{
            "channel": "sms", "purpose": "promotional", "status": "granted",
            "source": "sign-up form", "text": "Yes, tell me about new workshops by SMS.",
        }],
    })
}

fn short_example() -> Value {
    json!({"phone": "+61491570110"})
}

fn patch_example() -> Value {
    json!({"status": "client", "attributes": {"city": null}})
}

impl Body {
    /// Puts what was sent into the contact. Answers the consents to record.
    ///
    /// # Errors
    /// 422 with every field that is wrong.
    pub fn apply(
        self,
        c: &mut Contact,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Vec<Consent>, Problem> {
        let mut wrong = Vec::new();
        set("name", self.name, &mut c.name, fields::name, &mut wrong);
        set("email", self.email, &mut c.email, fields::email, &mut wrong);
        set("time_zone", self.time_zone, &mut c.time_zone, fields::time_zone, &mut wrong);
        set("language", self.language, &mut c.language, fields::language, &mut wrong);
        set("external_id", self.external_id, &mut c.external_id, fields::external_id, &mut wrong);
        set("status", self.status, &mut c.status, fields::status, &mut wrong);
        match self.phone {
            None => {}
            Some(None) => c.phone = None,
            Some(Some(text)) => match PhoneNumber::parse(&text, settings.default_country) {
                Ok(phone) => {
                    c.other_phones.retain(|other| *other != phone);
                    c.phone = Some(phone);
                }
                Err(e) => wrong.push(FieldError::new("phone", e.code(), e.to_string())),
            },
        }
        match self.score.map(|score| score.map(fields::score).transpose()) {
            None => {}
            Some(Ok(score)) => c.score = score,
            Some(Err(e)) => wrong.push(FieldError::new("score", e.code(), e.to_string())),
        }
        if let Some(labels) = self.labels {
            match fields::labels(labels.iter().map(String::as_str)) {
                Ok(labels) => c.labels = labels,
                Err(e) => wrong.push(FieldError::new("labels", e.code(), e.to_string())),
            }
        }
        for (name, value) in self.attributes.into_iter().flatten() {
            let checked = fields::attribute_name(&name)
                .and_then(|()| value.as_ref().map_or(Ok(()), |v| fields::attribute(&name, v)));
            match (checked, value) {
                (Ok(()), Some(value)) => drop(c.attributes.insert(name, value)),
                (Ok(()), None) => drop(c.attributes.remove(&name)),
                (Err(e), _) => wrong.push(FieldError::new("attributes", e.code(), e.to_string())),
            }
        }
        if let Err(e) = fields::attributes(&c.attributes) {
            wrong.push(FieldError::new("attributes", e.code(), e.to_string()));
        }
        let said = read_consents(self.consents.unwrap_or_default(), c, now, &mut wrong);
        if wrong.is_empty() && !c.is_somebody() {
            let detail = "Give a name, a phone number, an email address or an external id.";
            wrong.push(FieldError::new("name", "nobody", detail));
        }
        if wrong.is_empty() { Ok(said) } else { Err(Problem::fields(wrong)) }
    }
}

fn set(
    field: &str,
    sent: Option<Option<String>>,
    into: &mut Option<String>,
    read: impl Fn(&str) -> Result<String, fields::Invalid>,
    wrong: &mut Vec<FieldError>,
) {
    match sent.map(|sent| sent.as_deref().map(read).transpose()) {
        None => {}
        Some(Ok(value)) => *into = value,
        Some(Err(e)) => wrong.push(FieldError::new(field, e.code(), e.to_string())),
    }
}

fn read_consents(
    sent: Vec<consents::OfContact>,
    c: &Contact,
    now: Timestamp,
    wrong: &mut Vec<FieldError>,
) -> Vec<Consent> {
    if sent.len() > MOST_CONSENTS {
        let detail = format!("At most {MOST_CONSENTS} consents in one request.");
        wrong.push(FieldError::new("consents", "too_many_consents", detail));
        return Vec::new();
    }
    if !sent.is_empty() && c.phone.is_none() && wrong.is_empty() {
        let detail = "A consent is for a number; give the contact a phone number.";
        wrong.push(FieldError::new("consents", "contact_without_phone", detail));
    }
    let mut said = Vec::new();
    for (place, consent) in sent.iter().enumerate() {
        said.extend(consent.of_contact(&format!("consents[{place}]"), now, wrong));
    }
    said
}
