//! What tokens are signed with: ECDSA on P-256. Drawn at the start and never stored, so a key of a laptop's
//! issuer is worth nothing anywhere else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::random;

/// The last one signs; the others are only shown.
pub struct Keys {
    keys: Vec<Key>,
    random: SystemRandom,
}

struct Key {
    kid: String,
    pair: EcdsaKeyPair,
}

impl Keys {
    pub fn draw() -> Self {
        let mut keys = Self { keys: Vec::new(), random: SystemRandom::new() };
        keys.rotate(false);
        keys
    }

    /// # Panics
    /// When the operating system has no randomness.
    pub fn rotate(&mut self, withdraw: bool) {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &self.random);
        let document = document.expect("the operating system has randomness");
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &self.random);
        if withdraw {
            self.keys.clear();
        }
        self.keys.push(Key { kid: random::text(), pair: pair.expect("a key that was just made") });
    }

    /// # Panics
    /// When the operating system has no randomness.
    pub fn sign(&self, typ: &str, claims: &Value) -> String {
        let key = self.keys.last().expect("there is always one");
        let header = json!({"alg": "ES256", "kid": key.kid, "typ": typ});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = key.pair.sign(&self.random, signed.as_bytes());
        let signature = signature.expect("the operating system has randomness");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub fn public(&self) -> Value {
        let shown = self.keys.iter().map(|key| {
            // 4, then x and y.
            let point = key.pair.public_key().as_ref();
            json!({
                "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": key.kid,
                "x": URL_SAFE_NO_PAD.encode(&point[1..33]),
                "y": URL_SAFE_NO_PAD.encode(&point[33..]),
            })
        });
        json!({"keys": shown.collect::<Vec<_>>()})
    }
}
