//! Signed tokens (RFC 7515, compact): taken apart, and verified with a key of the issuer.
//!
//! Only signatures that need the issuer's private key exist here. `none` and `HS…` are no algorithms of
//! this module, so no header can choose them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::claims::TokenError;

/// Issuers' tokens are a kilobyte or two; this is far more.
pub const LONGEST: usize = 16 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl Algorithm {
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

/// What a header may say. Others of its members are hints that nothing here follows: a key or an address of
/// keys (`jwk`, `jku`, `x5u`) in a token is the sender's word.
#[derive(Deserialize)]
struct RawHeader {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<serde::de::IgnoredAny>,
}

/// A token that was taken apart and of which nothing is believed yet.
#[derive(Debug)]
pub struct Unverified<'a> {
    pub algorithm: Algorithm,
    pub kid: Option<String>,
    /// In lower case, without `application/`.
    pub typ: Option<String>,
    signed: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// Header and payload of a token whose signature was good.
#[derive(Debug)]
pub struct Verified {
    pub typ: Option<String>,
    pub payload: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// # Errors
    /// When it is no token, or of an algorithm that is not taken.
    pub fn parse(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > LONGEST {
            return Err(TokenError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        let header: RawHeader =
            serde_json::from_slice(&decode(header)?).map_err(|_| TokenError::Malformed)?;
        if header.crit.is_some() {
            return Err(TokenError::Malformed);
        }
        let typ = header.typ.map(|typ| {
            let typ = typ.to_ascii_lowercase();
            typ.strip_prefix("application/").map_or(typ.clone(), str::to_owned)
        });
        Ok(Self {
            algorithm: Algorithm::parse(&header.alg).ok_or(TokenError::Algorithm)?,
            kid: header.kid,
            typ,
            signed,
            payload: decode(payload)?,
            signature: decode(signature)?,
        })
    }

    /// # Errors
    /// When this key did not sign it.
    pub fn verify(self, key: &PublicKey) -> Result<Verified, TokenError> {
        let signed = self.signed.as_bytes();
        let outcome = match (self.algorithm, key) {
            (Algorithm::Rs256, PublicKey::Rsa { n, e }) => {
                let key = ring::signature::RsaPublicKeyComponents { n, e };
                key.verify(&ring::signature::RSA_PKCS1_2048_8192_SHA256, signed, &self.signature)
            }
            (Algorithm::Es256, PublicKey::P256 { point }) => {
                let algorithm = &ring::signature::ECDSA_P256_SHA256_FIXED;
                let key = ring::signature::UnparsedPublicKey::new(algorithm, point);
                key.verify(signed, &self.signature)
            }
            // The key says what it is for, not the token.
            (Algorithm::Rs256, PublicKey::P256 { .. })
            | (Algorithm::Es256, PublicKey::Rsa { .. }) => return Err(TokenError::Algorithm),
        };
        outcome.map_err(|_| TokenError::Signature)?;
        Ok(Verified { typ: self.typ, payload: self.payload })
    }
}

/// A key of the issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// Modulus and exponent, big-endian.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// Uncompressed.
    P256 { point: Vec<u8> },
}

impl PublicKey {
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa { .. } => Algorithm::Rs256,
            Self::P256 { .. } => Algorithm::Es256,
        }
    }
}

/// Base64url without padding and without spare bits: one value, one text.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError::Malformed)
}

#[cfg(test)]
mod tests;
