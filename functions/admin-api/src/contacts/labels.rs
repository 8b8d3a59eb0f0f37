//! `/v1/contacts/{id}/labels`: adds and takes away labels, whoever else does the
//! same at the same time.

use std::sync::Arc;

use axum::extract::State;
use carillon_domain::ContactId;
use carillon_domain::contact::{MOST_LABELS, fields};
use carillon_runtime::Context;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{change, shown};
use crate::auth::Caller;
use crate::extract::{self, Id};
use crate::problem::Problem;
use crate::view::contact::Contact as Shown;

/// Labels to add or to take away.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ContactLabels", example = example())]
pub struct Labels {
    #[schemars(length(max = MOST_LABELS))]
    labels: Vec<String>,
}

fn example() -> Value {
    json!({"labels": ["vip"]})
}

/// `POST /v1/contacts/{id}/labels`: adds labels; those that are there stay.
pub async fn add(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<ContactId>,
    extract::Json { value, .. }: extract::Json<Labels>,
) -> Result<crate::answers::Json<Shown>, Problem> {
    let contact = change(&ctx, &caller, id, |contact| {
        let all = contact.labels.iter().chain(&value.labels).map(String::as_str);
        contact.labels = fields::labels(all).map_err(refused)?;
        Ok(())
    })
    .await?;
    Ok(crate::answers::Json(shown(&ctx, &contact).await?))
}

/// `DELETE /v1/contacts/{id}/labels`: takes labels away; those that are not there
/// are passed over.
pub async fn take(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<ContactId>,
    extract::Json { value, .. }: extract::Json<Labels>,
) -> Result<crate::answers::Json<Shown>, Problem> {
    let taken = fields::labels(value.labels.iter().map(String::as_str)).map_err(refused)?;
    let contact = change(&ctx, &caller, id, |contact| {
        let mut left = contact.clone();
        left.labels.clone_from(&taken);
        contact.labels.retain(|own| !left.has_label(own));
        Ok(())
    })
    .await?;
    Ok(crate::answers::Json(shown(&ctx, &contact).await?))
}

fn refused(e: fields::Invalid) -> Problem {
    Problem::field("labels", e.code(), e.to_string())
}
