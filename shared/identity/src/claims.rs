//! What a verified token says, and whether it is meant for us, now.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use crate::jws::Verified;
use crate::settings::{ApiTokens, SignIn};

/// How far clocks may be apart.
pub const LEEWAY: SignedDuration = SignedDuration::from_secs(60);

/// Who a token is about.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    pub issuer: String,
    /// The issuer's own name of the person: it never changes and is never given to another.
    pub subject: String,
    /// Only if the issuer says that it was verified. In lower case.
    pub email: Option<String>,
    pub name: Option<String>,
}

/// Says nothing about the person.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("it is not a signed token")]
    Malformed,
    #[error("its algorithm is not RS256 or ES256, or not its key's")]
    Algorithm,
    #[error("the issuer has no such key")]
    UnknownKey,
    #[error("its signature is wrong")]
    Signature,
    #[error("it is of another issuer")]
    Issuer,
    #[error("it is meant for somebody else")]
    Audience,
    #[error("it has expired")]
    Expired,
    #[error("it is not valid yet")]
    NotYetValid,
    #[error("it was not made for this sign-in")]
    Nonce,
    #[error("it is a token of another kind")]
    Kind,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    #[serde(default)]
    aud: Audience,
    azp: Option<String>,
    client_id: Option<String>,
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
    nonce: Option<String>,
    at_hash: Option<serde::de::IgnoredAny>,
    /// Cognito's word for the kind of token.
    token_use: Option<String>,
    email: Option<String>,
    email_verified: Option<Flag>,
    name: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(untagged)]
enum Audience {
    #[default]
    None,
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn all(&self) -> &[String] {
        match self {
            Self::None => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// Some issuers write it as a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Flag {
    Bool(bool),
    Text(String),
}

impl Flag {
    fn is_true(&self) -> bool {
        match self {
            Self::Bool(flag) => *flag,
            Self::Text(text) => text == "true",
        }
    }
}

/// Reads an ID token for the console.
///
/// # Errors
/// When it is not for this client and this sign-in, now.
pub fn id_token(
    token: &Verified,
    settings: &SignIn,
    nonce: &str,
    now: Timestamp,
) -> Result<Identity, TokenError> {
    let claims = read(token, settings, now)?;
    let kind = claims.token_use.as_deref().unwrap_or("id");
    if kind != "id" || token.typ.as_deref() == Some("at+jwt") {
        return Err(TokenError::Kind);
    }
    let audience = claims.aud.all();
    // Made for several, it must have been made at our request.
    let ours = audience.contains(&settings.client_id)
        && (audience.len() == 1 || claims.azp.is_some())
        && claims.azp.as_ref().is_none_or(|azp| *azp == settings.client_id);
    if !ours {
        return Err(TokenError::Audience);
    }
    let same = |theirs: &String| bool::from(theirs.as_bytes().ct_eq(nonce.as_bytes()));
    if !claims.nonce.as_ref().is_some_and(same) {
        return Err(TokenError::Nonce);
    }
    Ok(identity(claims))
}

/// Reads an access token as a credential of the API.
///
/// # Errors
/// When it is not for our API, now.
pub fn access_token(
    token: &Verified,
    settings: &SignIn,
    now: Timestamp,
) -> Result<Identity, TokenError> {
    let claims = read(token, settings, now)?;
    // An ID token tells a client who somebody is; it is no key.
    let kind = claims.token_use.as_deref().unwrap_or("access");
    if kind != "access" || claims.nonce.is_some() || claims.at_hash.is_some() {
        return Err(TokenError::Kind);
    }
    let ours = match &settings.api_tokens {
        ApiTokens::Off => false,
        ApiTokens::Audience(audience) => claims.aud.all().contains(audience),
        ApiTokens::ClientId(id) => claims.client_id.as_ref() == Some(id),
    };
    if !ours {
        return Err(TokenError::Audience);
    }
    Ok(identity(claims))
}

fn read(token: &Verified, settings: &SignIn, now: Timestamp) -> Result<Claims, TokenError> {
    let claims: Claims =
        serde_json::from_slice(&token.payload).map_err(|_| TokenError::Malformed)?;
    if claims.iss != settings.issuer {
        return Err(TokenError::Issuer);
    }
    if claims.sub.is_empty() || claims.sub.len() > 255 {
        return Err(TokenError::Malformed);
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds of our time are exact")]
    let (now, leeway) = (now.as_second() as f64, LEEWAY.as_secs() as f64);
    if claims.exp + leeway <= now {
        return Err(TokenError::Expired);
    }
    let begun = |at: f64| at - leeway <= now;
    if !(claims.nbf.is_none_or(begun) && claims.iat.is_none_or(begun)) {
        return Err(TokenError::NotYetValid);
    }
    Ok(claims)
}

fn identity(claims: Claims) -> Identity {
    let verified = claims.email_verified.is_some_and(|flag| flag.is_true());
    let email = claims.email.filter(|email| verified && !email.is_empty());
    Identity {
        issuer: claims.iss,
        subject: claims.sub,
        email: email.map(|email| email.to_lowercase()),
        name: claims.name.filter(|name| !name.is_empty()),
    }
}
