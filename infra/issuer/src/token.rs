//! The exchange of a code for tokens.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::Issuer;
use crate::tokens::GOOD_FOR;

#[derive(Deserialize)]
pub struct Request {
    grant_type: String,
    code: String,
    redirect_uri: String,
    client_id: String,
    code_verifier: String,
}

pub async fn exchange(State(issuer): State<Issuer>, Form(request): Form<Request>) -> Response {
    if request.grant_type != "authorization_code" {
        return refused("unsupported_grant_type");
    }
    if request.client_id != issuer.options().client_id {
        return refused("invalid_client");
    }
    let now = issuer.now();
    let Some(granted) = issuer.state().codes.take(&request.code, now) else {
        return refused("invalid_grant");
    };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(request.code_verifier.as_bytes()));
    if challenge != granted.challenge || request.redirect_uri != granted.redirect_uri {
        return refused("invalid_grant");
    }
    let Some(person) = issuer.person(&granted.subject) else {
        return refused("invalid_grant");
    };
    let id_token = issuer.sign("JWT", &issuer.id_claims(&person, granted.nonce.as_deref()));
    let access_token = issuer.access_token(&person.subject, GOOD_FOR);
    Json(json!({
        "token_type": "Bearer", "expires_in": GOOD_FOR, "scope": "openid email profile",
        "id_token": id_token, "access_token": access_token,
    }))
    .into_response()
}

fn refused(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": error}))).into_response()
}
