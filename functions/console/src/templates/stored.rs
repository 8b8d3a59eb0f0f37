//! A template as it is stored, and as the form has it.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::sent::Sent;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Template {
    pub id: String,
    pub key: String,
    pub name: String,
    pub channel: String,
    pub kind: String,
    pub body: String,
    pub dlt_template_id: Option<String>,
    pub provider_template_id: Option<String>,
    pub sender_id: Option<String>,
    pub variables: Vec<Variable>,
    pub version: u32,
    pub is_active: bool,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Variable {
    pub key: String,
}

impl Template {
    /// Names of what is filled in.
    pub fn names(&self) -> Vec<String> {
        if self.kind == "dlt" {
            return self.variables.iter().map(|v| v.key.clone()).collect();
        }
        carillon_domain::template::Template::parse(&self.body)
            .map(|text| text.variables().into_iter().collect())
            .unwrap_or_default()
    }

    pub fn channel_word(&self) -> String {
        crate::message::channel(&self.channel)
    }

    pub fn short(&self) -> String {
        match self.body.char_indices().nth(80) {
            Some((end, _)) => format!("{} …", self.body[..end].trim_end()),
            None => self.body.clone(),
        }
    }

    pub fn is_dlt(&self) -> bool {
        self.kind == "dlt"
    }
}

pub(super) fn of(sent: &Sent, id: String) -> Template {
    let maybe = |name: &str| sent.filled(name).map(str::to_owned);
    Template {
        id,
        key: sent.text("key").to_owned(),
        name: sent.text("name").to_owned(),
        channel: "sms".to_owned(),
        kind: if sent.has("is_dlt") { "dlt" } else { "text" }.to_owned(),
        body: sent.text("body").replace("\r\n", "\n"),
        dlt_template_id: maybe("dlt_template_id"),
        provider_template_id: maybe("provider_template_id"),
        sender_id: maybe("sender_id"),
        is_active: sent.has("is_active"),
        ..Template::default()
    }
}

/// As the API takes it.
pub(super) fn body(template: &Template, is_new: bool) -> Value {
    let mut body = json!({
        "body": template.body,
        "name": Some(&template.name).filter(|name| !name.is_empty()),
        "kind": template.kind,
        "dlt_template_id": template.dlt_template_id,
        "provider_template_id": template.provider_template_id,
        "sender_id": template.sender_id,
    });
    if !is_new {
        body["is_active"] = json!(template.is_active);
    }
    body
}

#[cfg(test)]
impl Template {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        Self {
            id: text(),
            key: text(),
            name: text(),
            channel: text(),
            kind: "dlt".to_owned(),
            body: text(),
            dlt_template_id: Some(text()),
            provider_template_id: Some(text()),
            sender_id: Some(text()),
            variables: vec![Variable { key: text() }],
            version: 2,
            is_active: true,
            updated_at: "2026-11-21T09:00:00Z".parse().expect("a time"),
        }
    }
}
