//! The issuer, over HTTP: its description (OpenID Connect Discovery), its keys, and the exchange of a code.
//!
//! Description and keys are kept in memory; [`crate::keyring`] says for how long. Requests do not wait for
//! each other except where the issuer is being asked. Nobody retries here: who asked is told.

use std::time::Duration;

use carillon_domain::Secret;
use carillon_providers::client::{CallError, Client};
use carillon_providers::contract::{Body, HttpRequest, Method};
use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use crate::authorization::{self, Attempt};
use crate::claims::{self, Identity, TokenError};
use crate::jwks::KeySet;
use crate::jws::{PublicKey, Unverified, Verified};
use crate::keyring::{Keyring, Lookup};
use crate::settings::{SignIn, is_safe};

const TIMEOUT: Duration = Duration::from_secs(8);

#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The token is refused: 401, and no use in trying again with it.
    #[error("the token is refused: {0}")]
    Token(#[from] TokenError),
    /// The issuer does not know the code, or it was used before.
    #[error("the issuer refused the code")]
    Code,
    /// The issuer could not be asked.
    #[error("the issuer does not answer its {what}")]
    Unreachable {
        what: &'static str,
        #[source]
        source: CallError,
    },
    /// It answers something else than an issuer would.
    #[error("the issuer's {0} is not what it should be")]
    Answer(&'static str),
    #[error("the issuer did not answer a moment ago")]
    Resting,
}

/// What the issuer says of itself.
#[derive(Debug, Clone)]
struct Description {
    authorization: Url,
    token: String,
    keys: String,
}

pub struct Issuer {
    settings: SignIn,
    client: Client,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    description: Option<Description>,
    keyring: Keyring,
}

impl Issuer {
    #[must_use]
    pub fn new(settings: SignIn, client: Client) -> Self {
        Self { settings, client, known: Mutex::default() }
    }

    #[must_use]
    pub const fn settings(&self) -> &SignIn {
        &self.settings
    }

    /// Where the browser is sent to sign in.
    ///
    /// # Errors
    /// When the issuer cannot be asked where that is.
    pub async fn sign_in_address(&self, attempt: &Attempt) -> Result<Url, SignInError> {
        let description = self.describe(&mut *self.known.lock().await).await?;
        Ok(authorization::address(&description.authorization, &self.settings, attempt))
    }

    /// Who came back with this code.
    ///
    /// # Errors
    /// When the issuer or the rules refuse it.
    pub async fn sign_in(
        &self,
        attempt: &Attempt,
        code: &str,
        now: Timestamp,
    ) -> Result<Identity, SignInError> {
        #[derive(Deserialize)]
        struct Tokens {
            id_token: String,
        }
        let description = self.describe(&mut *self.known.lock().await).await?;
        let mut headers = vec![("accept", Secret::from("application/json"))];
        headers.extend(
            authorization::basic(&self.settings)
                .map(|basic| ("authorization", Secret::from(basic))),
        );
        let body = Body {
            content_type: "application/x-www-form-urlencoded",
            text: authorization::exchange(&self.settings, attempt, code),
        };
        let request =
            HttpRequest { method: Method::Post, url: description.token, headers, body: Some(body) };
        let what = "token endpoint";
        let answer = self.client.call(request, TIMEOUT).await;
        let answer = answer.map_err(|source| SignInError::Unreachable { what, source })?;
        match answer.status {
            200 => {}
            400 | 401 | 403 => return Err(SignInError::Code),
            _ => return Err(SignInError::Answer(what)),
        }
        let tokens: Tokens =
            serde_json::from_str(&answer.body).map_err(|_| SignInError::Answer(what))?;
        self.id_token(&tokens.id_token, &attempt.nonce(), now).await
    }

    /// Who an ID token is about.
    ///
    /// # Errors
    /// When it is refused, or the keys cannot be had.
    pub async fn id_token(
        &self,
        token: &str,
        nonce: &str,
        now: Timestamp,
    ) -> Result<Identity, SignInError> {
        let verified = self.verify(token, now).await?;
        Ok(claims::id_token(&verified, &self.settings, nonce, now)?)
    }

    /// Who an access token is about.
    ///
    /// # Errors
    /// When it is refused, or the keys cannot be had.
    pub async fn access_token(&self, token: &str, now: Timestamp) -> Result<Identity, SignInError> {
        let verified = self.verify(token, now).await?;
        Ok(claims::access_token(&verified, &self.settings, now)?)
    }

    async fn verify(&self, token: &str, now: Timestamp) -> Result<Verified, SignInError> {
        let token = Unverified::parse(token)?;
        let key = self.key_of(&token, now).await?;
        Ok(token.verify(&key)?)
    }

    /// Who finds that the issuer must be asked asks, and the others wait for the answer.
    async fn key_of(
        &self,
        token: &Unverified<'_>,
        now: Timestamp,
    ) -> Result<PublicKey, SignInError> {
        let mut known = self.known.lock().await;
        if known.keyring.find(token, now) == Lookup::Ask {
            known.keyring.asked(now);
            match self.ask_for_keys(&mut known).await {
                Ok(keys) => known.keyring.answered(keys, now),
                // What is known may be good for a while.
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "the issuer's keys could not be had");
                }
            }
        }
        match known.keyring.find(token, now) {
            Lookup::Use(key) => Ok(key),
            Lookup::Unknown => Err(TokenError::UnknownKey.into()),
            Lookup::Ask | Lookup::Unavailable => Err(SignInError::Resting),
        }
    }

    async fn ask_for_keys(&self, known: &mut Known) -> Result<KeySet, SignInError> {
        let description = self.describe(known).await?;
        let document = self.get(description.keys, "key set").await?;
        KeySet::parse(&document).ok_or(SignInError::Answer("key set"))
    }

    /// Asked for once a process: it does not change without a new configuration.
    async fn describe(&self, known: &mut Known) -> Result<Description, SignInError> {
        #[derive(Deserialize)]
        struct Document {
            issuer: String,
            authorization_endpoint: String,
            token_endpoint: String,
            jwks_uri: String,
        }
        if let Some(description) = &known.description {
            return Ok(description.clone());
        }
        let what = "description";
        let base = self.settings.issuer.trim_end_matches('/');
        let url = format!("{base}/.well-known/openid-configuration");
        let document: Document = serde_json::from_str(&self.get(url, what).await?)
            .map_err(|_| SignInError::Answer(what))?;
        // Who describes another issuer would have us believe that one's tokens.
        if document.issuer != self.settings.issuer {
            return Err(SignInError::Answer("name"));
        }
        let safe = |address: String| {
            if is_safe(&address) { Ok(address) } else { Err(SignInError::Answer("address")) }
        };
        let authorization = safe(document.authorization_endpoint)?;
        let description = Description {
            authorization: Url::parse(&authorization)
                .map_err(|_| SignInError::Answer("address"))?,
            token: safe(document.token_endpoint)?,
            keys: safe(document.jwks_uri)?,
        };
        known.description = Some(description.clone());
        Ok(description)
    }

    async fn get(&self, url: String, what: &'static str) -> Result<String, SignInError> {
        let headers = vec![("accept", Secret::from("application/json"))];
        let request = HttpRequest { method: Method::Get, url, headers, body: None };
        let answer = self.client.call(request, TIMEOUT).await;
        let answer = answer.map_err(|source| SignInError::Unreachable { what, source })?;
        if answer.status == 200 { Ok(answer.body) } else { Err(SignInError::Answer(what)) }
    }
}
