//! Where a browser comes to sign in: a page with everybody who can.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use url::Url;

use crate::codes::Granted;
use crate::{Issuer, Person};

/// A client's request, as it came and as it goes through the page.
#[derive(Debug, Clone, Deserialize)]
pub struct Request {
    response_type: String,
    client_id: String,
    redirect_uri: String,
    scope: String,
    state: Option<String>,
    nonce: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

#[derive(Template)]
#[template(path = "sign-in.html")]
struct Page<'a> {
    people: Vec<Person>,
    request: &'a Request,
    action: String,
}

pub async fn page(State(issuer): State<Issuer>, Query(request): Query<Request>) -> Response {
    if let Err(refused) = check(&issuer, &request) {
        return *refused;
    }
    let people = issuer.state().people.clone();
    let action = format!("{}/authorize", issuer.options().url);
    match (Page { people, request: &request, action }).render() {
        Ok(html) => Html(html).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[derive(Deserialize)]
pub struct Chosen {
    person: String,
    #[serde(flatten)]
    request: Request,
}

pub async fn chosen(State(issuer): State<Issuer>, Form(chosen): Form<Chosen>) -> Response {
    let request = chosen.request;
    let challenge = match check(&issuer, &request) {
        Ok(challenge) => challenge,
        Err(refused) => return *refused,
    };
    if issuer.person(&chosen.person).is_none() {
        return back(&request, "error", "access_denied");
    }
    let now = issuer.now();
    let granted = Granted {
        subject: chosen.person,
        nonce: request.nonce.clone(),
        challenge,
        redirect_uri: request.redirect_uri.clone(),
    };
    let code = issuer.state().codes.give(granted, now);
    back(&request, "code", &code)
}

/// The challenge of a request that is in order. Who is not our client, or wants to be answered elsewhere, is
/// told so here: sending a browser there is what must not happen.
fn check(issuer: &Issuer, request: &Request) -> Result<String, Box<Response>> {
    let options = issuer.options();
    if request.client_id != options.client_id || request.redirect_uri != options.redirect_uri {
        let text = "There is no such client, or it may not be answered at this address.";
        return Err(Box::new((StatusCode::BAD_REQUEST, text).into_response()));
    }
    let refused = |error: &str| Err(Box::new(back(request, "error", error)));
    if request.response_type != "code" {
        return refused("unsupported_response_type");
    }
    if !request.scope.split(' ').any(|scope| scope == "openid") {
        return refused("invalid_scope");
    }
    match (&request.code_challenge, request.code_challenge_method.as_deref()) {
        (Some(challenge), Some("S256")) if challenge.len() == 43 => Ok(challenge.clone()),
        (Some(_) | None, _) => refused("invalid_request"),
    }
}

fn back(request: &Request, name: &str, value: &str) -> Response {
    let Ok(mut url) = Url::parse(&request.redirect_uri) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    url.query_pairs_mut().append_pair(name, value);
    if let Some(state) = &request.state {
        url.query_pairs_mut().append_pair("state", state);
    }
    Redirect::to(url.as_str()).into_response()
}
