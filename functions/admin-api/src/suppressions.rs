//! `/v1/suppressions`: addresses that must not be written to. A person of the
//! organization may add one and lift what the organization itself had decided.
//! What the recipient said (STOP), or the provider for them, only the recipient
//! takes back, by writing START: nobody else can consent for them, and the
//! provider would refuse all the same.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use carillon_domain::Channel;
use carillon_domain::message::SuppressionReason;
use carillon_runtime::Context;
use carillon_store::{Lifted, Suppression};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::Caller;
use crate::extract::{self, Params};
use crate::messages::read_word;
use crate::problem::{FieldError, Problem};
use crate::{address, lists, view};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    to: Option<String>,
    channel: Option<String>,
    reason: Option<String>,
}

/// `GET /v1/suppressions?to=…`: of one number, by channel.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params,
) -> Result<Json<Value>, Problem> {
    params.only(&["to", "channel"])?;
    let channel = params.read("channel", Channel::parse)?;
    let (_, key) = address::of_query(&ctx, &caller, &params).await?;
    let all = ctx.store.all_gates_of(caller.org, key).await?;
    let found = all.iter().filter_map(|(_, rows)| rows.suppression.as_ref());
    let found = found.filter(|s| channel.is_none_or(|channel| channel == s.channel));
    Ok(Json(lists::page(&params, found.map(show).collect(), None)))
}

/// `POST /v1/suppressions`: 201; 200 with the one that is there already, which
/// stays as it is.
pub async fn put(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    extract::Json { value, .. }: extract::Json<Request>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let mut wrong = Vec::new();
    let to = address::read(&ctx, &caller, value.to.as_deref()).await?;
    let to = to.map_err(|error| wrong.push(error)).ok();
    let channels = "sms, whatsapp, whatsapp_group or voice";
    let channel = value.channel.as_deref().or(Some(""));
    let channel = read_word("channel", channel, Channel::parse, channels, &mut wrong);
    let manual = |text: &str| (text == SuppressionReason::Manual.as_str()).then_some(());
    read_word("reason", value.reason.as_deref(), manual, "manual", &mut wrong);
    let (Some((to, key)), Some(channel), true) = (to, channel, wrong.is_empty()) else {
        return Err(Problem::fields(wrong));
    };
    let new = Suppression {
        address: to.as_str().to_owned(),
        channel,
        reason: SuppressionReason::Manual,
        words: None,
        source_message_id: None,
        at: ctx.clock.now(),
        by: caller.id.clone(),
    };
    Ok(match ctx.store.suppress_if_free(caller.org, key, &new).await? {
        None => (StatusCode::CREATED, Json(show(&new))),
        Some(old) => (StatusCode::OK, Json(show(&old))),
    })
}

/// `DELETE /v1/suppressions?to=…&channel=…`
pub async fn lift(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params,
) -> Result<StatusCode, Problem> {
    params.only(&["to", "channel"])?;
    let (_, key) = address::of_query(&ctx, &caller, &params).await?;
    let Some(channel) = params.read("channel", Channel::parse)? else {
        let detail = "Name the channel: “&channel=sms”.";
        return Err(Problem::fields(vec![FieldError::new("channel", "missing_field", detail)]));
    };
    match ctx.store.lift_ours(caller.org, key, channel).await? {
        Lifted::Done => Ok(StatusCode::NO_CONTENT),
        Lifted::Nothing => Err(Problem::not_found("suppression")),
        Lifted::Refused => {
            let detail = "The person asked not to be written to; only they can take that back, \
                          by writing START to your number.";
            Err(Problem::conflict("opted_out_by_person", detail))
        }
    }
}

fn show(s: &Suppression) -> Value {
    json!({
        "address": s.address,
        "channel": s.channel,
        "reason": s.reason,
        "words": s.words,
        "source_message_id": s.source_message_id,
        "at": view::time(s.at),
        "by": s.by,
    })
}
