//! Checks of fields that are the same for every provider.

use carillon_domain::integration::IntegrationSettings;

use crate::contract::{Credentials, InvalidField, Provider};

/// Collects what is wrong with credentials and settings.
#[derive(Debug, Default)]
pub struct Findings(Vec<InvalidField>);

impl Findings {
    /// Begins with the fields that the provider does not have.
    pub fn unknown(
        provider: &dyn Provider,
        credentials: &Credentials,
        settings: &IntegrationSettings,
    ) -> Self {
        let mut findings = Self::default();
        for field in credentials.0.keys() {
            if !provider.credential_fields().contains(&field.as_str()) {
                findings.add(format!("credentials.{field}"), "this provider has no such field");
            }
        }
        for field in settings.provider.keys() {
            if !provider.setting_fields().contains(&field.as_str()) {
                findings.add(format!("settings.{field}"), "this provider has no such field");
            }
        }
        findings
    }

    pub fn add(&mut self, field: impl Into<String>, detail: impl Into<String>) {
        self.0.push(InvalidField { field: field.into(), detail: detail.into() });
    }

    /// A value that is there must be well-formed.
    pub fn shape(&mut self, field: &str, value: Option<&str>, ok: fn(&str) -> bool, detail: &str) {
        if value.is_some_and(|v| !ok(v)) {
            self.add(field, detail);
        }
    }

    pub fn result(self) -> Result<(), Vec<InvalidField>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}

/// A secret as providers issue them: visible ASCII, of sane length.
pub fn is_secret(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

pub fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
