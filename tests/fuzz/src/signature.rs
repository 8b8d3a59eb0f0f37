//! Twilio's signature: made for one request, it verifies no other.
//!
//! The recipe is written here a second time, as plainly as Twilio's document
//! has it. Two requests that Twilio itself signs alike (a port that is spelled
//! out, parameters in another order) are one request.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use carillon_domain::ProviderName;
use carillon_providers::{Callback, Credentials, provider};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::input::parts;

#[derive(Clone, Copy)]
struct Request<'a> {
    url: &'a str,
    content_type: &'a str,
    body: &'a [u8],
}

/// The token; address, content type and body that are signed; address, content
/// type and body that are tried with that signature.
pub fn check(data: &[u8]) {
    let [token, url, content_type, body, other_url, other_type, other_body] = parts(data);
    let text = std::str::from_utf8;
    let (Ok(token), Ok(url), Ok(content_type)) = (text(token), text(url), text(content_type))
    else {
        return;
    };
    let (Ok(other_url), Ok(other_type)) = (text(other_url), text(other_type)) else { return };
    let signed = Request { url, content_type, body };
    let other = Request { url: other_url, content_type: other_type, body: other_body };

    assert!(!verifies("", signed, &sign("", &signed.text())), "an empty secret is none");
    if token.is_empty() {
        return;
    }
    let signature = sign(token, &signed.text());
    let is_one = signed.is_covered() && signed.texts().contains(&signed.text());
    assert_eq!(verifies(token, signed, &signature), is_one);
    assert!(!verifies(token, signed, ""));
    assert!(!verifies(token, signed, &signature[..signature.len() - 1]));
    assert!(!verifies(&format!("{token}x"), signed, &signature), "another's secret");
    let is_same = other.is_covered() && other.texts().contains(&signed.text());
    assert_eq!(verifies(token, other, &signature), is_same, "the signature of another request");
}

impl Request<'_> {
    fn text(&self) -> String {
        format!("{}{}", self.url, self.parameters())
    }

    /// What Twilio may have signed for it: the address without and with a port.
    fn texts(&self) -> Vec<String> {
        let parameters = self.parameters();
        let Some((scheme, rest)) = self.url.split_once("://") else {
            return vec![format!("{}{parameters}", self.url)];
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(end);
        let name_at = host.rfind('@').map_or(0, |at| at + 1);
        let brackets = host[name_at..].rfind(']').map_or(name_at, |at| name_at + at + 1);
        let colon = host[brackets..].find(':').map(|at| brackets + at);
        let bare = match colon {
            Some(at) if at + 1 < host.len() => &host[..at],
            _ => host.trim_end_matches(':'),
        };
        let port = match colon {
            Some(at) if at + 1 < host.len() => &host[at + 1..],
            _ if scheme.eq_ignore_ascii_case("https") => "443",
            _ => "80",
        };
        vec![
            format!("{scheme}://{bare}{path}{parameters}"),
            format!("{scheme}://{bare}:{port}{path}{parameters}"),
        ]
    }

    fn is_form(&self) -> bool {
        let kind = self.content_type.split(';').next().unwrap_or_default().trim();
        kind.is_empty() || kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    }

    fn parameters(&self) -> String {
        if !self.is_form() {
            return String::new();
        }
        let pairs: BTreeSet<_> = form_urlencoded::parse(self.body).collect();
        pairs.into_iter().map(|(name, value)| format!("{name}{value}")).collect()
    }

    /// A body that is no form is covered by its hash in the address.
    fn is_covered(&self) -> bool {
        if self.is_form() {
            return true;
        }
        let query = self.url.split_once('?').map_or("", |(_, query)| query);
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        match pairs.find(|(name, _)| name == "bodySHA256") {
            Some((_, hash)) => hash == hex::encode(Sha256::digest(self.body)).as_str(),
            None => self.body.is_empty(),
        }
    }
}

fn verifies(token: &str, request: Request<'_>, signature: &str) -> bool {
    let credentials = Credentials::from_iter([("auth_token", token)]);
    let header = |name: &str| match name {
        "x-twilio-signature" => Some(signature),
        "content-type" => Some(request.content_type),
        _ => None,
    };
    let callback = Callback { url: request.url, header: &header, body: request.body };
    provider(ProviderName::Twilio).verify(&credentials, &callback).is_ok()
}

fn sign(token: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).expect("a key of any length");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}
