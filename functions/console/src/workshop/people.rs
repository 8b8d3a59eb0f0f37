//! Who is registered for a workshop: who can be reached, who cannot and why, and more of them.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use carillon_domain::Channel;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{self, Listed};
use crate::contacts::Contact;
use crate::desk::Desk;
use crate::page::{self, Refusal};
use crate::sent::{Errors, Sent};
use crate::status::words;

/// Unreachable people who are named on the page.
const MOST_NAMED: usize = 20;

#[derive(Debug, Default, Deserialize)]
pub struct Recipients {
    pub total: i64,
    pub reachable: i64,
    pub unreachable: Vec<Unreachable>,
}

#[derive(Debug, Deserialize)]
pub struct Unreachable {
    pub contact_id: String,
    pub reason: String,
}

/// Somebody who cannot be reached, by name.
pub struct Missing {
    pub id: String,
    pub name: String,
    pub why: String,
}

pub(super) async fn named(desk: &Desk, unreachable: &[Unreachable]) -> Vec<Missing> {
    let some = unreachable.iter().take(MOST_NAMED);
    let asked = some.map(|one| async move {
        let path = format!("/v1/contacts/{}", api::segment(&one.contact_id));
        let contact = desk.api.get::<Contact>(&path).await.ok();
        let name = contact.map_or_else(|| one.contact_id.clone(), |c| c.called().to_owned());
        Missing { id: one.contact_id.clone(), name, why: why(&one.reason) }
    });
    futures::future::join_all(asked).await
}

/// Why somebody gets nothing.
pub(super) fn why(reason: &str) -> String {
    match reason {
        "no_phone" => "has no number".to_owned(),
        "past" => "their time has passed".to_owned(),
        "already_scheduled" => "are planned already".to_owned(),
        "missing_variable" => "a variable has no value".to_owned(),
        "opted_out" | "suppressed" => "do not want to be written to".to_owned(),
        "quiet_hours" => "quiet hours".to_owned(),
        other => words(other).to_lowercase(),
    }
}

/// `POST /console/workshops/{id}/registrations`: numbers or ids of contacts, one a line.
pub async fn register(desk: Desk, Path(id): Path<String>, sent: Sent) -> Result<Response, Refusal> {
    let own = format!("/v1/workshops/{}", api::segment(&id));
    let mut ids = Vec::new();
    for line in sent.text("people").lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with("con_") {
            ids.push(line.to_owned());
            continue;
        }
        let found =
            desk.api.get::<Listed<Contact>>(&api::path("/v1/contacts", &[("phone", line)])).await;
        match found.ok().and_then(|found| found.data.into_iter().next()) {
            Some(contact) => ids.push(contact.id),
            None => {
                let errors = Errors::whole(&format!(
                    "“{line}” is nobody's number here. Make the contact first."
                ));
                return Ok(page::ok(&super::make(&desk, &id, Channel::Sms, errors).await?));
            }
        }
    }
    let path = format!("{own}/registrations");
    match desk.api.post::<Value>(&path, &json!({"contact_ids": ids}), sent.filled("once")).await {
        Ok(_) => Ok(Redirect::to(&format!("/console/workshops/{}?done=added", api::segment(&id)))
            .into_response()),
        Err(problem) if matches!(problem.status, 400 | 409 | 422) => {
            let errors = Errors::whole(&problem.detail);
            Ok(page::again(&problem, &super::make(&desk, &id, Channel::Sms, errors).await?))
        }
        Err(problem) => Err(problem.into()),
    }
}
