//! What a person at the laptop may ask besides: other keys, and an access token for `curl`.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::Issuer;
use crate::tokens::GOOD_FOR;

#[derive(Deserialize)]
pub struct Rotation {
    /// Whether the keys until now are withdrawn as well.
    #[serde(default)]
    withdraw: bool,
}

pub async fn rotate(State(issuer): State<Issuer>, Query(rotation): Query<Rotation>) -> StatusCode {
    issuer.rotate(rotation.withdraw);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
pub struct Wanted {
    email: String,
}

/// An access token of somebody who can sign in here, as plain text.
pub async fn access_token(State(issuer): State<Issuer>, Query(wanted): Query<Wanted>) -> Response {
    let person = issuer.state().people.iter().find(|p| p.email == wanted.email).cloned();
    match person {
        Some(person) => issuer.access_token(&person.subject, GOOD_FOR).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
