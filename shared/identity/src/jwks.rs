//! An issuer's public keys (RFC 7517).

use serde::Deserialize;

use crate::claims::TokenError;
use crate::jws::{self, PublicKey, Unverified};

/// A set of more is not an issuer's.
const MOST_KEYS: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub kid: Option<String>,
    pub key: PublicKey,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeySet(Vec<Key>);

#[derive(Deserialize)]
struct RawSet {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct RawKey {
    kty: String,
    kid: Option<String>,
    r#use: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Keys of kinds that we do not take (encryption, other curves, shared secrets) are passed over: an
    /// issuer may have them for others.
    ///
    /// `None` when the document is no key set at all.
    #[must_use]
    pub fn parse(document: &str) -> Option<Self> {
        let set: RawSet = serde_json::from_str(document).ok()?;
        let keys = set.keys.into_iter().take(MOST_KEYS);
        Some(Self(keys.filter_map(|raw| read(serde_json::from_value(raw).ok()?)).collect()))
    }

    /// The key that a token names; without a name, the only one of its algorithm.
    ///
    /// # Errors
    /// When it is not here.
    pub fn for_token(&self, token: &Unverified<'_>) -> Result<&PublicKey, TokenError> {
        let mut fitting = self
            .0
            .iter()
            .filter(|k| token.kid.is_none() || k.kid == token.kid)
            .map(|k| &k.key)
            .filter(|k| k.algorithm() == token.algorithm);
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (None, _) | (_, Some(_)) => Err(TokenError::UnknownKey),
        }
    }
}

fn read(raw: RawKey) -> Option<Key> {
    if raw.r#use.is_some_and(|u| u != "sig") {
        return None;
    }
    let part = |text: Option<String>| jws::decode(&text?).ok();
    let key = match raw.kty.as_str() {
        "RSA" => PublicKey::Rsa { n: part(raw.n)?, e: part(raw.e)? },
        "EC" if raw.crv.as_deref() == Some("P-256") => {
            let (x, y) = (part(raw.x)?, part(raw.y)?);
            if x.len() != 32 || y.len() != 32 {
                return None;
            }
            PublicKey::P256 { point: [&[4], &x[..], &y[..]].concat() }
        }
        _ => return None,
    };
    if raw.alg.is_some_and(|alg| alg != key.algorithm().as_str()) {
        return None;
    }
    Some(Key { kid: raw.kid, key })
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

    fn parsed(keys: &str) -> usize {
        KeySet::parse(&format!("{{\"keys\":[{keys}]}}")).expect("a set").0.len()
    }

    #[test]
    fn only_keys_that_sign_are_taken() {
        let ec = |more: &str| format!("{{\"kty\":\"EC\",\"x\":\"{X}\",\"y\":\"{Y}\"{more}}}");
        for (key, taken) in [
            (ec(r#","crv":"P-256""#), 1),
            (ec(r#","crv":"P-256","use":"sig","alg":"ES256","kid":"a","x5c":["…"]"#), 1),
            (ec(r#","crv":"P-256","use":"enc""#), 0),
            (ec(r#","crv":"P-256","alg":"ECDH-ES""#), 0),
            (ec(r#","crv":"P-384""#), 0),
            (ec(""), 0),
            (r#"{"kty":"oct","k":"c2VjcmV0","alg":"HS256"}"#.to_owned(), 0),
            (r#"{"kty":"RSA","n":"AQAB"}"#.to_owned(), 0),
            (r#"{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}"#.to_owned(), 0),
            ("7".to_owned(), 0),
        ] {
            assert_eq!(parsed(&key), taken, "{key}");
        }
    }

    #[test]
    fn what_is_no_set_is_none() {
        for text in ["", "[]", "{}", r#"{"keys":{}}"#, "<html>"] {
            assert_eq!(KeySet::parse(text), None, "{text}");
        }
    }
}
