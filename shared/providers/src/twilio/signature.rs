//! `X-Twilio-Signature`: base64 of HMAC-SHA1, keyed with the account's primary
//! auth token, over the URL as Twilio called it and the form's parameters.
//!
//! The recipe is that of Twilio's official libraries, port forms included. The
//! newer scheme (`X-Twilio-Webhooks-Signature-Settings`) is refused: it needs
//! a key that an integration does not have.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::contract::{BadSignature, Callback, Credentials};

pub fn verify(credentials: &Credentials, callback: &Callback<'_>) -> Result<(), BadSignature> {
    if (callback.header)("x-twilio-webhooks-signature-settings").is_some() {
        return Err(BadSignature);
    }
    let given = (callback.header)("x-twilio-signature").ok_or(BadSignature)?;
    let parameters = signed_parameters(callback)?;
    let tokens = ["auth_token", "auth_token_secondary"].map(|field| credentials.get(field));
    let mut good = Choice::from(0);
    // All forms are always computed, so that time tells nothing.
    for token in tokens.into_iter().flatten() {
        for url in port_forms(callback.url) {
            good |= sign(token, &url, &parameters).as_bytes().ct_eq(given.as_bytes());
        }
    }
    if good.into() { Ok(()) } else { Err(BadSignature) }
}

/// What follows the URL in the signed text. A form is signed name by name; any
/// other body by its hash in the URL, which must be there and right.
fn signed_parameters(callback: &Callback<'_>) -> Result<String, BadSignature> {
    let content_type = (callback.header)("content-type").unwrap_or_default().trim();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.is_empty() || media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    {
        return Ok(form_parameters(callback.body));
    }
    let query = callback.url.split_once('?').map_or("", |(_, q)| q);
    let hash = form_urlencoded::parse(query.as_bytes()).find(|(k, _)| k == "bodySHA256");
    match hash {
        Some((_, hash))
            if bool::from(
                hex::encode(Sha256::digest(callback.body)).as_bytes().ct_eq(hash.as_bytes()),
            ) =>
        {
            Ok(String::new())
        }
        None if callback.body.is_empty() => Ok(String::new()),
        _ => Err(BadSignature),
    }
}

/// Names in order of bytes; the values of one name as a sorted set.
fn form_parameters(body: &[u8]) -> String {
    let mut parameters: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(body) {
        parameters.entry(name).or_default().insert(value);
    }
    let mut text = String::new();
    for (name, values) in &parameters {
        for value in values {
            text.push_str(name);
            text.push_str(value);
        }
    }
    text
}

fn sign(token: &str, url: &str, parameters: &str) -> String {
    let mut mac =
        Hmac::<Sha1>::new_from_slice(token.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(url.as_bytes());
    mac.update(parameters.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The URL without and with a port: Twilio signs either. All else stays as it
/// was, to the byte.
fn port_forms(url: &str) -> [String; 2] {
    let Some((scheme, rest)) = url.split_once("://") else {
        return [url.to_owned(), url.to_owned()];
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host_start = authority.rfind('@').map_or(0, |at| at + 1);
    let (user, host_port) = authority.split_at(host_start);
    // The colons of an IPv6 host are inside its brackets.
    let host_end = host_port.rfind(']').map_or(0, |at| at + 1);
    let colon = host_port[host_end..].find(':').map(|at| host_end + at);
    let (host, port) = match colon.map(|at| (&host_port[..at], &host_port[at + 1..])) {
        Some((host, port)) if !port.is_empty() => (host, port),
        _ if scheme.eq_ignore_ascii_case("https") => (host_port.trim_end_matches(':'), "443"),
        _ => (host_port.trim_end_matches(':'), "80"),
    };
    [format!("{scheme}://{user}{host}{path}"), format!("{scheme}://{user}{host}:{port}{path}")]
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    /// Made with Twilio's own Python library; some are its unit tests' inputs.
    const VECTORS: &str = include_str!("../../tests/data/twilio-signature-vectors.json");

    #[derive(Deserialize)]
    struct Vectors {
        vectors: Vec<Vector>,
    }

    #[derive(Deserialize)]
    struct Vector {
        name: String,
        url: String,
        params: Vec<(String, String)>,
        auth_token: String,
        signature: String,
        valid: bool,
        content_type: String,
        json_body: Option<String>,
        algorithm: Option<String>,
    }

    fn credentials(fields: &[(&str, &str)]) -> Credentials {
        fields.iter().copied().collect()
    }

    fn form(params: &[(String, String)]) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
    }

    impl Vector {
        fn verdict(&self, credentials: &Credentials) -> bool {
            let body = self.json_body.clone().unwrap_or_else(|| form(&self.params));
            let settings = self.algorithm.as_ref().map(|a| format!("key=k1,algorithm={a}"));
            let header = |name: &str| match name {
                "x-twilio-signature" => Some(self.signature.as_str()),
                "content-type" => Some(self.content_type.as_str()),
                "x-twilio-webhooks-signature-settings" => settings.as_deref(),
                _ => None,
            };
            let callback = Callback { url: &self.url, header: &header, body: body.as_bytes() };
            verify(credentials, &callback).is_ok()
        }
    }

    fn vectors() -> Vec<Vector> {
        serde_json::from_str::<Vectors>(VECTORS).expect("the vectors").vectors
    }

    #[test]
    fn the_official_validator_and_ours_agree_on_every_vector() {
        let vectors = vectors();
        assert_eq!(vectors.len(), 15);
        for vector in &vectors {
            let verdict = vector.verdict(&credentials(&[("auth_token", &vector.auth_token)]));
            // The newer algorithm is refused, though the vector is valid.
            assert_eq!(verdict, vector.valid && vector.algorithm.is_none(), "{}", vector.name);
        }
    }

    #[test]
    fn either_of_two_tokens_verifies_and_no_token_never_does() {
        let vector = &vectors()[0];
        let token = vector.auth_token.as_str();
        for (fields, expected) in [
            (&[("auth_token", "new"), ("auth_token_secondary", token)][..], true),
            (&[("auth_token", token), ("auth_token_secondary", "old")], true),
            (&[("auth_token", "new"), ("auth_token_secondary", "old")], false),
            (&[("auth_token", "")], false),
            (&[("api_key_secret", token)], false),
            (&[], false),
        ] {
            assert_eq!(vector.verdict(&credentials(fields)), expected, "{fields:?}");
        }
    }

    #[test]
    fn a_body_that_the_signature_does_not_cover_is_refused() {
        let mut vector = vectors().swap_remove(7);
        assert_eq!(vector.name, "no-params-get");
        let secret = credentials(&[("auth_token", &vector.auth_token)]);
        assert!(vector.verdict(&secret));
        vector.content_type = "application/json".to_owned();
        assert!(vector.verdict(&secret));
        vector.json_body = Some("{\"MessageStatus\":\"delivered\"}".to_owned());
        assert!(!vector.verdict(&secret));
    }

    #[test]
    fn a_url_is_tried_without_and_with_its_port() {
        for (url, without, with) in [
            ("https://h.org/p?x=1:2", "https://h.org/p?x=1:2", "https://h.org:443/p?x=1:2"),
            ("http://h.org", "http://h.org", "http://h.org:80"),
            ("https://h.org:8443/a%2Fb/", "https://h.org/a%2Fb/", "https://h.org:8443/a%2Fb/"),
            ("https://h.org?a=@b:1", "https://h.org?a=@b:1", "https://h.org:443?a=@b:1"),
            ("https://u:p@h.org/", "https://u:p@h.org/", "https://u:p@h.org:443/"),
            ("http://[::1]:8080/s", "http://[::1]/s", "http://[::1]:8080/s"),
            ("http://[::1]/s", "http://[::1]/s", "http://[::1]:80/s"),
            ("no url", "no url", "no url"),
        ] {
            assert_eq!(port_forms(url), [without, with], "{url}");
        }
    }
}
