//! A message as the form has it, and as the API takes it.

use carillon_domain::Channel;
use serde_json::{Map, Value, json};

use crate::frame::Frame;
use crate::sent::Sent;

/// What is in the form.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    pub channel: String,
    pub to: String,
    pub contact_id: String,
    pub body: String,
    pub template: String,
    pub variables: Vec<(String, String)>,
    /// `later`, or now.
    pub when: String,
    pub at: String,
    pub purpose: String,
    pub through_quiet: bool,
}

impl Draft {
    pub(super) fn of(sent: &Sent) -> Self {
        let text = |name: &str| sent.text(name).to_owned();
        Self {
            channel: channel(sent.text("channel")).as_str().to_owned(),
            to: text("to"),
            contact_id: text("contact_id"),
            body: text("body").replace("\r\n", "\n"),
            template: text("template"),
            variables: sent.under("var").map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            when: text("when"),
            at: text("at"),
            purpose: text("purpose"),
            through_quiet: sent.has("through_quiet"),
        }
    }

    /// As the API takes it.
    pub(super) fn request(&self, frame: &Frame) -> Value {
        let mut body = json!({"channel": self.channel});
        let mut put = |name: &str, value: &str| {
            if !value.is_empty() {
                body[name] = json!(value);
            }
        };
        put("to", &self.to);
        put("contact_id", &self.contact_id);
        put("template", &self.template);
        put("purpose", &self.purpose);
        if self.template.is_empty() {
            put("body", &self.body);
        }
        if self.when == "later" {
            let at = frame.times.read(&self.at).map(|at| at.to_string());
            let unreadable = if self.at.is_empty() { "no time" } else { &self.at };
            put("scheduled_for", at.as_deref().unwrap_or(unreadable));
        }
        let given = self.variables.iter().filter(|(_, value)| !value.is_empty());
        let variables: Map<String, Value> =
            given.map(|(name, value)| (name.clone(), json!(value))).collect();
        if !variables.is_empty() {
            body["variables"] = Value::Object(variables);
        }
        if self.through_quiet {
            body["override_quiet_hours"] = json!(true);
        }
        body
    }

    pub fn is_later(&self) -> bool {
        self.when == "later"
    }
}

/// Where none is named, or none that there is, it is an SMS.
pub(super) fn channel(name: &str) -> Channel {
    Channel::parse(name).unwrap_or(Channel::Sms)
}

#[cfg(test)]
impl Draft {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        Self {
            channel: "sms".to_owned(),
            to: text(),
            contact_id: text(),
            body: text(),
            template: String::new(),
            variables: vec![(text(), text())],
            when: "later".to_owned(),
            at: text(),
            purpose: "promotional".to_owned(),
            through_quiet: true,
        }
    }
}
