//! Credentials and settings of a Fast2SMS account.
//!
//! | field | what it is |
//! |---|---|
//! | `api_key` | the key of the account's Dev API page |
//! | setting `route` | `dlt`, `dlt_manual`, `q`, `otp`, or another, passed through |
//! | setting `sender_id` | the DLT header, 3–6 letters or digits |
//! | setting `entity_id` | the principal entity's DLT id, for `dlt_manual` |
//!
//! Without `route`, a registered template goes by `dlt`; a text goes by `q`
//! unless a `sender_id` is set, which says that the account sends by DLT.

use carillon_domain::integration::IntegrationSettings;

use crate::contract::{Content, Credentials, InvalidField, Provider};
use crate::fields::{Findings, all_digits, is_secret};

pub const CREDENTIALS: &[&str] = &["api_key"];
pub const SETTINGS: &[&str] = &["route", "sender_id", "entity_id"];

pub fn check(
    provider: &dyn Provider,
    credentials: &Credentials,
    settings: &IntegrationSettings,
) -> Result<(), Vec<InvalidField>> {
    let mut findings = Findings::unknown(provider, credentials, settings);
    let key = credentials.get("api_key");
    if key.is_none() {
        findings.add("credentials.api_key", "the API key is needed");
    }
    // A template brings its own header, so `dlt` needs none here.
    if settings.get("route") == Some("dlt_manual") && settings.get("sender_id").is_none() {
        findings.add("settings.sender_id", "the route dlt_manual needs a sender_id");
    }
    findings.shape("credentials.api_key", key, is_secret, "is not a key");
    findings.shape("settings.route", settings.get("route"), is_route, "is not a route");
    findings.shape(
        "settings.sender_id",
        settings.get("sender_id"),
        is_header,
        "must be the DLT header of 3 to 6 letters or digits",
    );
    findings.shape(
        "settings.entity_id",
        settings.get("entity_id"),
        |v| all_digits(v) && v.len() == 19,
        "must be the entity's DLT id of 19 digits",
    );
    findings.result()
}

/// The route of one message; see the module's header.
pub fn route<'a>(settings: &'a IntegrationSettings, content: &Content) -> &'a str {
    settings.get("route").unwrap_or(match content {
        Content::Registered { .. } => "dlt",
        Content::Text(_) if settings.get("sender_id").is_some() => "dlt",
        Content::Text(_) => "q",
    })
}

fn is_route(text: &str) -> bool {
    (1..=20).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn is_header(text: &str) -> bool {
    (3..=6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fast2sms::Fast2sms;

    fn settings(pairs: &[(&str, &str)]) -> IntegrationSettings {
        let provider = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        IntegrationSettings { provider, ..Default::default() }
    }

    #[test]
    fn credentials_and_settings_are_checked_field_by_field() {
        for (key, pairs, expected) in [
            ("k3y", &[][..], &[][..]),
            ("k3y", &[("route", "dlt"), ("sender_id", "ABCDEF")], &[]),
            ("k3y", &[("route", "v3")], &[]),
            ("", &[], &["credentials.api_key"]),
            ("a key", &[], &["credentials.api_key"]),
            ("k3y", &[("route", "D L T")], &["settings.route"]),
            ("k3y", &[("sender_id", "AB-CD")], &["settings.sender_id"]),
            ("k3y", &[("sender_id", "ABCDEFG")], &["settings.sender_id"]),
            ("k3y", &[("entity_id", "123")], &["settings.entity_id"]),
            ("k3y", &[("route", "dlt_manual")], &["settings.sender_id"]),
            ("k3y", &[("from", "+15017122661")], &["settings.from"]),
        ] {
            let credentials = Credentials::from_iter([("api_key", key)]);
            let wrong: Vec<String> = check(&Fast2sms, &credentials, &settings(pairs))
                .err()
                .unwrap_or_default()
                .into_iter()
                .map(|f| f.field)
                .collect();
            assert_eq!(wrong, expected, "{key} {pairs:?}");
        }
    }

    #[test]
    fn the_route_is_as_set_or_follows_the_content() {
        let text = Content::Text("hello".to_owned());
        let template =
            Content::Registered { template_id: "1".into(), sender_id: None, values: vec![] };
        for (pairs, of_text, of_template) in [
            (&[][..], "q", "dlt"),
            (&[("sender_id", "ABCDEF")], "dlt", "dlt"),
            (&[("sender_id", "ABCDEF"), ("route", "q")], "q", "q"),
            (&[("route", "v3")], "v3", "v3"),
        ] {
            let settings = settings(pairs);
            assert_eq!(route(&settings, &text), of_text, "{pairs:?}");
            assert_eq!(route(&settings, &template), of_template, "{pairs:?}");
        }
    }
}
