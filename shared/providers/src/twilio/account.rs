//! Credentials and settings of a Twilio account.
//!
//! | field | what it is |
//! |---|---|
//! | `account_sid` | `AC…`, always: it stands in every path |
//! | `auth_token` | signs callbacks; also authenticates where there is no API key |
//! | `auth_token_secondary` | while the token is being rotated: callbacks by either verify |
//! | `api_key_sid`, `api_key_secret` | `SK…`; authenticates in place of the token |
//! | setting `from` | E.164, short code or alphanumeric sender |
//! | setting `messaging_service_sid` | `MG…`; picks the sender, goes before `from` |

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use carillon_domain::Secret;
use carillon_domain::integration::IntegrationSettings;
use zeroize::Zeroizing;

use crate::contract::{Credentials, InvalidField, Provider};
use crate::fields::{Findings, all_digits, is_secret};

pub const CREDENTIALS: &[&str] =
    &["account_sid", "auth_token", "auth_token_secondary", "api_key_sid", "api_key_secret"];
pub const SETTINGS: &[&str] = &["from", "messaging_service_sid"];

pub fn check(
    provider: &dyn Provider,
    credentials: &Credentials,
    settings: &IntegrationSettings,
) -> Result<(), Vec<InvalidField>> {
    let mut findings = Findings::unknown(provider, credentials, settings);
    let credential = |name| credentials.get(name);

    if credential("account_sid").is_none() {
        findings.add("credentials.account_sid", "the account's SID (AC…) is needed");
    }
    match (credential("auth_token"), credential("api_key_sid"), credential("api_key_secret")) {
        (_, Some(_), None) => {
            findings.add("credentials.api_key_secret", "the secret of the API key is needed");
        }
        (_, None, Some(_)) => {
            findings.add("credentials.api_key_sid", "the SID of the API key (SK…) is needed");
        }
        (None, None, None) => findings.add(
            "credentials.auth_token",
            "an auth token, or api_key_sid and api_key_secret, is needed",
        ),
        _ => {}
    }
    if settings.get("from").is_none() && settings.get("messaging_service_sid").is_none() {
        findings.add("settings.from", "from or messaging_service_sid is needed");
    }

    for (field, value, ok, detail) in [
        (
            "credentials.account_sid",
            credential("account_sid"),
            (|v| is_sid("AC", v)) as fn(&str) -> bool,
            "must be AC and 32 hexadecimal digits",
        ),
        (
            "credentials.api_key_sid",
            credential("api_key_sid"),
            |v| is_sid("SK", v),
            "must be SK and 32 hexadecimal digits",
        ),
        ("credentials.auth_token", credential("auth_token"), is_secret, "is not a token"),
        (
            "credentials.auth_token_secondary",
            credential("auth_token_secondary"),
            is_secret,
            "is not a token",
        ),
        ("credentials.api_key_secret", credential("api_key_secret"), is_secret, "is not a secret"),
        (
            "settings.messaging_service_sid",
            settings.get("messaging_service_sid"),
            |v| is_sid("MG", v),
            "must be MG and 32 hexadecimal digits",
        ),
        (
            "settings.from",
            settings.get("from"),
            is_sender,
            "must be a number as +15017122661, a short code, or up to 11 letters and digits",
        ),
    ] {
        findings.shape(field, value, ok, detail);
    }
    findings.result()
}

/// The value of the `Authorization` header; an API key goes before the token.
pub fn authorization(credentials: &Credentials) -> Option<Secret> {
    let key = credentials.get("api_key_sid").zip(credentials.get("api_key_secret"));
    let token = credentials.get("account_sid").zip(credentials.get("auth_token"));
    let (user, password) = key.or(token)?;
    let pair = Zeroizing::new(format!("{user}:{password}"));
    let encoded = Zeroizing::new(STANDARD.encode(&*pair));
    Some(format!("Basic {}", *encoded).into())
}

fn is_sid(prefix: &str, text: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_sender(text: &str) -> bool {
    if let Some(digits) = text.strip_prefix('+') {
        return all_digits(digits) && (7..=15).contains(&digits.len()) && !digits.starts_with('0');
    }
    if all_digits(text) {
        return (3..=8).contains(&text.len());
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b" _-+&".contains(&b);
    (1..=11).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twilio::Twilio;

    const AC: &str = "AC0123456789abcdef0123456789ABCDEF";
    const SK: &str = "SK0123456789abcdef0123456789abcdef";
    const MG: &str = "MG0123456789abcdef0123456789abcdef";

    fn wrong(credentials: &[(&str, &str)], settings: &[(&str, &str)]) -> Vec<String> {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        let settings = IntegrationSettings { provider: map(settings), ..Default::default() };
        match check(&Twilio, &credentials.iter().copied().collect(), &settings) {
            Ok(()) => Vec::new(),
            Err(fields) => fields.into_iter().map(|f| f.field).collect(),
        }
    }

    #[test]
    fn credentials_and_settings_are_checked_field_by_field() {
        let token = [("account_sid", AC), ("auth_token", "t0ken")];
        let key = [("account_sid", AC), ("api_key_sid", SK), ("api_key_secret", "s")];
        let from = [("from", "+15017122661")];
        for (credentials, settings, expected) in [
            (&token[..], &from[..], &[][..]),
            (&key, &[("messaging_service_sid", MG)], &[]),
            (&token, &[("from", "12345")], &[]),
            (&token, &[("from", "Acme Yoga")], &[]),
            (&token, &[], &["settings.from"]),
            (&token, &[("from", "")], &["settings.from"]),
            (&token, &[("from", "+0501712266")], &["settings.from"]),
            (&token, &[("from", "whatsapp:+15017122661")], &["settings.from"]),
            (&token, &[("messaging_service_sid", AC)], &["settings.messaging_service_sid"]),
            (&token, &[("from", "12345"), ("route", "q")], &["settings.route"]),
            (&[], &from, &["credentials.account_sid", "credentials.auth_token"]),
            (&key[..2], &from, &["credentials.api_key_secret"]),
            (&[token[0], token[1], key[2]], &from, &["credentials.api_key_sid"]),
            (&[("account_sid", "AC12"), token[1]], &from, &["credentials.account_sid"]),
            (&[token[0], ("auth_token", "a b")], &from, &["credentials.auth_token"]),
            (&[token[0], token[1], ("password", "x")], &from, &["credentials.password"]),
        ] {
            assert_eq!(wrong(credentials, settings), expected, "{settings:?}");
        }
    }

    #[test]
    fn an_api_key_goes_before_the_token() {
        let header = |pairs: &[(&str, &str)]| {
            authorization(&pairs.iter().copied().collect()).map(|value| value.reveal().to_owned())
        };
        let both = [
            ("account_sid", "AC1"),
            ("auth_token", "t"),
            ("api_key_sid", "SK1"),
            ("api_key_secret", "s"),
        ];
        assert_eq!(header(&both).as_deref(), Some("Basic U0sxOnM="));
        assert_eq!(header(&both[..2]).as_deref(), Some("Basic QUMxOnQ="));
        assert_eq!(header(&both[..1]), None);
    }
}
