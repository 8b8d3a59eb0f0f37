//! Who signs in, and which programs call.

use askama::Template;
use axum::extract::Path;
use axum::http::Method;
use axum::response::{IntoResponse as _, Redirect, Response};
use carillon_domain::{Role, access};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{self, Listed, Problem};
use crate::desk::Desk;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::sent::{Errors, Sent};
use crate::status::{Status, words};

#[derive(Debug, Deserialize)]
pub struct Member {
    pub id: String,
    pub email: String,
    pub name: String,
    pub role: String,
    pub status: Status,
    pub last_seen_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
pub struct Key {
    pub id: String,
    pub name: String,
    pub role: String,
    pub prefix: String,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

impl Member {
    pub fn called(&self) -> &str {
        if self.name.is_empty() { &self.email } else { &self.name }
    }
}

impl Key {
    pub fn state(&self, now: &Timestamp) -> Status {
        let word = match (self.revoked_at, self.expires_at) {
            (Some(_), _) => "revoked",
            (None, Some(end)) if end <= *now => "expired",
            (None, _) => "active",
        };
        Status(word.to_owned())
    }

    pub fn is_open(&self) -> bool {
        self.revoked_at.is_none()
    }
}

#[derive(Template)]
#[template(path = "members.html")]
pub struct MembersPage {
    pub frame: Frame,
    pub members: Vec<Member>,
    pub keys: Vec<Key>,
    /// Roles that this reader may give, and what they are called.
    pub roles: Vec<(&'static str, String)>,
    pub invite_errors: Errors,
    pub key_errors: Errors,
    pub email: String,
    pub key_name: String,
    /// A key that was just made: here, and nowhere else, ever.
    pub secret: Option<String>,
}

/// `GET /console/members`
pub async fn page(desk: Desk) -> Result<Response, Refusal> {
    Ok(page::ok(&make(&desk).await?))
}

async fn make(desk: &Desk) -> Result<MembersPage, Problem> {
    let (frame, members, keys) = futures::join!(
        desk.frame("Members and keys"),
        desk.api.get::<Listed<Member>>("/v1/members?limit=200"),
        desk.api.get::<Listed<Key>>("/v1/api-keys?limit=200"),
    );
    let mut keys = keys?.data;
    keys.sort_by_key(|key| (key.revoked_at.is_some(), key.name.to_lowercase()));
    Ok(MembersPage {
        frame: frame?,
        members: members?.data,
        keys,
        roles: roles(desk.me.role),
        invite_errors: Errors::default(),
        key_errors: Errors::default(),
        email: String::new(),
        key_name: String::new(),
        secret: None,
    })
}

/// Nobody gives more than he has.
fn roles(own: Role) -> Vec<(&'static str, String)> {
    let given = Role::ALL.into_iter().filter(|role| access::may_give(own, *role));
    given.map(|role| (role.as_str(), words(role.as_str()))).collect()
}

/// `POST /console/members`
pub async fn invite(desk: Desk, sent: Sent) -> Result<Response, Refusal> {
    let mut body = json!({"email": sent.text("email"), "role": sent.text("role")});
    if let Some(name) = sent.filled("name") {
        body["name"] = json!(name);
    }
    match desk.api.post::<Value>("/v1/members", &body, sent.filled("once")).await {
        Ok(_) => Ok(to("invited")),
        Err(problem) => {
            let errors = wrong(&problem, &["email", "role", "name"])?;
            let email = sent.text("email").to_owned();
            Ok(page::again(
                &problem,
                &MembersPage { invite_errors: errors, email, ..make(&desk).await? },
            ))
        }
    }
}

/// `POST /console/members/{id}`
pub async fn update(desk: Desk, Path(id): Path<String>, sent: Sent) -> Result<Response, Refusal> {
    let path = format!("/v1/members/{}", api::segment(&id));
    let body = json!({"role": sent.text("role")});
    match desk.api.change::<Value>(Method::PATCH, &path, &body, "").await {
        Ok(_) => Ok(to("saved")),
        Err(problem) => {
            let invite_errors = wrong(&problem, &[])?;
            Ok(page::again(&problem, &MembersPage { invite_errors, ..make(&desk).await? }))
        }
    }
}

/// `POST /console/members/{id}/remove`
pub async fn remove(desk: Desk, Path(id): Path<String>, _: Sent) -> Result<Response, Refusal> {
    match desk.api.delete(&format!("/v1/members/{}", api::segment(&id))).await {
        Ok(()) => Ok(to("removed")),
        Err(problem) => {
            let invite_errors = wrong(&problem, &[])?;
            Ok(page::again(&problem, &MembersPage { invite_errors, ..make(&desk).await? }))
        }
    }
}

/// `POST /console/keys`: the page that comes back shows the key, once.
pub async fn make_key(desk: Desk, sent: Sent) -> Result<Response, Refusal> {
    let body = json!({"name": sent.text("key_name"), "role": sent.text("role")});
    match desk.api.post::<Value>("/v1/api-keys", &body, sent.filled("once")).await {
        Ok(made) => {
            let secret = made["secret"].as_str().map(str::to_owned);
            Ok(page::ok(&MembersPage { secret, ..make(&desk).await? }))
        }
        Err(problem) => {
            let errors = wrong(&problem, &["name", "role"])?;
            let key_name = sent.text("key_name").to_owned();
            Ok(page::again(
                &problem,
                &MembersPage { key_errors: errors, key_name, ..make(&desk).await? },
            ))
        }
    }
}

/// `POST /console/keys/{id}/revoke`
pub async fn revoke_key(desk: Desk, Path(id): Path<String>, _: Sent) -> Result<Response, Refusal> {
    desk.api.delete(&format!("/v1/api-keys/{}", api::segment(&id))).await?;
    Ok(to("revoked"))
}

fn wrong(problem: &Problem, fields: &[&str]) -> Result<Errors, Refusal> {
    if matches!(problem.status, 400 | 409 | 422) {
        return Ok(Errors::of(problem, fields));
    }
    Err(problem.clone().into())
}

fn to(done: &str) -> Response {
    Redirect::to(&format!("/console/members?done={done}")).into_response()
}

#[cfg(test)]
impl MembersPage {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let at: Option<Timestamp> = "2026-11-21T09:00:00Z".parse().ok();
        let mut errors = Errors::whole(&text());
        errors.add("email", &text());
        errors.add("name", &text());
        let status = Status("invited".to_owned());
        Self {
            frame: Frame::sample(),
            members: vec![Member {
                id: text(),
                email: text(),
                name: text(),
                role: text(),
                status,
                last_seen_at: at,
            }],
            keys: vec![Key {
                id: text(),
                name: text(),
                role: text(),
                prefix: text(),
                expires_at: at,
                revoked_at: None,
                last_used_at: at,
            }],
            roles: roles(Role::SuperAdmin),
            invite_errors: errors.clone(),
            key_errors: errors,
            email: text(),
            key_name: text(),
            secret: Some(text()),
        }
    }
}
