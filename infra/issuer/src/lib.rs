//! An OpenID Connect provider for a laptop and for tests: real discovery, codes with PKCE, signed tokens,
//! keys that rotate. It asks nobody for a password: whoever reaches it signs in as whom he likes.
//!
//! It is the other side of Carillon's sign-in, so it shares no code with it.
//!
//! - [`keys`]: what tokens are signed with; drawn at the start, never stored
//! - [`tokens`]: what they say
//! - [`codes`]: codes that wait for their exchange
//! - [`authorize`], [`token`], [`control`]: the HTTP face

mod authorize;
mod codes;
mod control;
mod keys;
mod random;
mod token;
mod tokens;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::codes::Codes;
use crate::keys::Keys;

pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Somebody who can sign in here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// `sub`: the issuer's own name of the person.
    pub subject: String,
    pub email: String,
    pub email_verified: bool,
    pub name: String,
}

#[derive(Clone)]
pub struct Options {
    /// `iss`, and where [`Issuer::router`] is mounted, without a trailing slash.
    pub url: String,
    pub client_id: String,
    /// The only place where people are sent back to.
    pub redirect_uri: String,
    /// `aud` of access tokens.
    pub audience: String,
    pub people: Vec<Person>,
    pub clock: Clock,
}

/// Cheap to clone; all clones are the same issuer.
#[derive(Clone)]
pub struct Issuer(Arc<Inner>);

struct Inner {
    options: Options,
    state: Mutex<State>,
}

struct State {
    keys: Keys,
    codes: Codes,
    people: Vec<Person>,
}

impl Issuer {
    #[must_use]
    pub fn new(options: Options) -> Self {
        let people = options.people.clone();
        let state = State { keys: Keys::draw(), codes: Codes::default(), people };
        Self(Arc::new(Inner { options, state: Mutex::new(state) }))
    }

    /// Its routes, to be nested where [`Options::url`] says.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/.well-known/openid-configuration", get(description))
            .route("/keys", get(public_keys))
            .route("/authorize", get(authorize::page).post(authorize::chosen))
            .route("/token", post(token::exchange))
            .route("/control/rotate", post(control::rotate))
            .route("/control/access-token", post(control::access_token))
            .with_state(self.clone())
    }

    /// Signs with a new key from now on. Old ones are still shown, until they are withdrawn.
    pub fn rotate(&self, withdraw: bool) {
        self.state().keys.rotate(withdraw);
    }

    /// Somebody more can sign in.
    pub fn add(&self, person: Person) {
        self.state().people.push(person);
    }

    /// An access token as a client would get it, good for `seconds`.
    #[must_use]
    pub fn access_token(&self, subject: &str, seconds: i64) -> String {
        self.sign("at+jwt", &self.access_claims(subject, seconds))
    }

    /// A token that says whatever one likes, well signed.
    #[must_use]
    pub fn sign(&self, typ: &str, claims: &Value) -> String {
        self.state().keys.sign(typ, claims)
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.0.options.clock)()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere does not leave it half-written.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn person(&self, subject: &str) -> Option<Person> {
        self.state().people.iter().find(|p| p.subject == subject).cloned()
    }
}

async fn description(issuer: axum::extract::State<Issuer>) -> Json<Value> {
    let url = &issuer.options().url;
    Json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "scopes_supported": ["openid", "email", "profile"],
    }))
}

async fn public_keys(issuer: axum::extract::State<Issuer>) -> Json<Value> {
    Json(issuer.state().keys.public())
}
