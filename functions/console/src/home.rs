//! Who you are, and where.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use carillon_domain::OrgId;
use carillon_domain::session::Holder;
use carillon_runtime::Context;
use serde::Deserialize;

use crate::desk::Desk;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::routes;
use crate::signed_in::SignedIn;

#[derive(Template)]
#[template(path = "home.html")]
pub struct HomePage {
    pub frame: Frame,
    pub email: Option<String>,
    pub until: String,
    pub organizations: Vec<Choice>,
}

/// An organization that somebody can work in.
pub struct Choice {
    pub id: String,
    pub name: String,
    pub chosen: bool,
}

/// `GET /console/you`
pub async fn page(State(ctx): State<Arc<Context>>, desk: Desk) -> Result<Response, Refusal> {
    let organizations = choices(&ctx, &desk.me).await?;
    let frame = desk.frame("You").await?;
    let until = frame.times.words(&desk.me.session.times.ends_at());
    Ok(page::ok(&HomePage { frame, email: desk.me.email, until, organizations }))
}

async fn choices(ctx: &Context, signed_in: &SignedIn) -> Result<Vec<Choice>, Refusal> {
    let Holder::Member { org, identity, .. } = &signed_in.session.holder else {
        return Ok(Vec::new());
    };
    let mut choices = Vec::new();
    for member in ctx.store.memberships(identity).await? {
        if let Some(organization) = ctx.store.organization(member.org).await? {
            choices.push(Choice {
                id: organization.id.to_string(),
                name: organization.name,
                chosen: organization.id == *org,
            });
        }
    }
    Ok(choices)
}

#[derive(Deserialize)]
pub struct Chosen {
    organization: String,
}

/// `POST /console/organization`: from now on this session is of another membership of the same person.
pub async fn choose_organization(
    State(ctx): State<Arc<Context>>,
    signed_in: SignedIn,
    Form(chosen): Form<Chosen>,
) -> Result<Response, Refusal> {
    let SignedIn { hash, mut session, .. } = signed_in;
    let wanted = chosen.organization.parse::<OrgId>().ok();
    if let Holder::Member { org, id, identity } = &mut session.holder {
        let members = ctx.store.memberships(identity).await?;
        if let Some(member) = members.into_iter().find(|m| Some(m.org) == wanted) {
            (*org, *id) = (member.org, member.id);
            ctx.store.keep_session(&hash, &session).await?;
            return Ok(Redirect::to(routes::HOME).into_response());
        }
    }
    let text = "You are no member of this organization.";
    Err(Refusal::new(StatusCode::NOT_FOUND, text))
}

#[cfg(test)]
impl HomePage {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let choice = |chosen| Choice { id: text(), name: text(), chosen };
        Self {
            frame: Frame::sample(),
            email: Some(text()),
            until: text(),
            organizations: vec![choice(true), choice(false)],
        }
    }
}
