//! The authorization code flow with PKCE (RFC 7636): what one attempt to sign in consists of.
//!
//! An attempt is one secret of 256 bits in a cookie of the browser that began it. State, nonce and the code
//! verifier are hashes of it, so nothing has to be kept but a mark that it was not used yet; and an answer
//! that another browser began fits no attempt here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use carillon_domain::ids;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;
use url::Url;
use zeroize::Zeroizing;

use crate::settings::SignIn;

/// One attempt to sign in. Cannot be printed.
pub struct Attempt(Zeroizing<[u8; 32]>);

impl Attempt {
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        Self(Zeroizing::new(random))
    }

    /// From the cookie.
    #[must_use]
    pub fn from_cookie(text: &str) -> Option<Self> {
        ids::decode(text).map(Self::new)
    }

    /// For the cookie.
    #[must_use]
    pub fn cookie(&self) -> String {
        ids::encode(&self.0[..])
    }

    /// The name of the mark in the table.
    #[must_use]
    pub fn stored(&self) -> String {
        self.part(b"stored")
    }

    #[must_use]
    pub fn state(&self) -> String {
        self.part(b"state")
    }

    #[must_use]
    pub fn nonce(&self) -> String {
        self.part(b"nonce")
    }

    /// 43 characters, as many as RFC 7636 wants at least.
    #[must_use]
    pub fn verifier(&self) -> String {
        self.part(b"verifier")
    }

    /// Whether the state that came back is this attempt's.
    #[must_use]
    pub fn is_state(&self, state: &str) -> bool {
        self.state().as_bytes().ct_eq(state.as_bytes()).into()
    }

    fn part(&self, name: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(ids::hash(&[b"sign-in", name, &self.0[..]]))
    }
}

/// `S256` of RFC 7636.
#[must_use]
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// Where the browser is sent.
#[must_use]
pub fn address(endpoint: &Url, settings: &SignIn, attempt: &Attempt) -> Url {
    let mut url = endpoint.clone();
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &settings.client_id)
        .append_pair("redirect_uri", &settings.redirect_uri)
        .append_pair("scope", "openid email profile")
        .append_pair("state", &attempt.state())
        .append_pair("nonce", &attempt.nonce())
        .append_pair("code_challenge", &challenge(&attempt.verifier()))
        .append_pair("code_challenge_method", "S256");
    url
}

/// The body with which a code is exchanged for tokens.
#[must_use]
pub fn exchange(settings: &SignIn, attempt: &Attempt, code: &str) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", &settings.redirect_uri)
        .append_pair("code_verifier", &attempt.verifier());
    // With a secret the client is named in its header (RFC 6749, 2.3.1).
    if settings.client_secret.is_none() {
        form.append_pair("client_id", &settings.client_id);
    }
    form.finish()
}

/// Id and secret, each encoded as in a form, as the RFC has it.
#[must_use]
pub fn basic(settings: &SignIn) -> Option<String> {
    let secret = settings.client_secret.as_ref()?;
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Zeroizing::new(format!("{}:{}", encoded(&settings.client_id), encoded(secret)));
    Some(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_the_one_of_rfc_7636() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn the_parts_of_an_attempt_do_not_give_each_other_away() {
        let attempt = Attempt::new([7; 32]);
        let parts = [attempt.stored(), attempt.state(), attempt.nonce(), attempt.verifier()];
        for (n, part) in parts.iter().enumerate() {
            assert_eq!(part.len(), 43);
            assert_ne!(*part, attempt.cookie());
            assert!(!parts[n + 1..].contains(part));
        }
        let again = Attempt::from_cookie(&attempt.cookie()).expect("a cookie");
        assert_eq!(again.state(), attempt.state());
        assert!(attempt.is_state(&again.state()));
        assert!(!attempt.is_state(&Attempt::new([8; 32]).state()));
        assert!(Attempt::from_cookie("short").is_none());
    }
}
