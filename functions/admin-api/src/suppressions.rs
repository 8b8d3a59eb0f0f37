//! `/v1/suppressions`: addresses that must not be written to. A person of the
//! organization may add one and lift what the organization itself had decided.
//! What the recipient said (STOP), or the provider for them, only the recipient
//! takes back, by writing START: nobody else can consent for them, and the
//! provider would refuse all the same.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use carillon_domain::Channel;
use carillon_domain::message::SuppressionReason;
use carillon_runtime::Context;
use carillon_store::{Lifted, Suppression};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::address;
use crate::answers::{Found, NoContent};
use crate::audit::note;
use crate::auth::Caller;
use crate::extract::{self, Params};
use crate::lists::{self, ByAddress, Page};
use crate::messages::read_word;
use crate::problem::Problem;
use crate::view::suppression::Suppression as Shown;

/// An address that must not be written to any more.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewSuppression", example = example())]
pub struct Request {
    /// A number, with its country code or as in the organization's country.
    #[schemars(with = "String")]
    to: Option<String>,
    #[schemars(with = "Channel")]
    channel: Option<String>,
    #[schemars(with = "Option<Manual>")]
    reason: Option<String>,
}

/// The only reason that people give; the others are found.
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
#[expect(dead_code, reason = "a word of the document")]
enum Manual {
    Manual,
}

fn example() -> Value {
    json!({"to": "+61491570157", "channel": "sms", "reason": "manual"})
}

/// Which suppression.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct One {
    /// A number: `%2B61491570157`.
    to: String,
    channel: Channel,
}

/// `GET /v1/suppressions`: of one number (`to`), or of all, newest first.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params<ByAddress>,
) -> Result<Json<Page<Shown>>, Problem> {
    let channel = params.channel;
    let Some(to) = &params.to else {
        let mut list = lists::ByPlace::new(&params)?;
        while let Some((before, most)) = list.next() {
            let store = &ctx.store;
            let found = store.suppressions(caller.org, channel, before.as_deref(), most).await?;
            list.add(found, |s| Shown::of(&s));
        }
        return Ok(Json(list.page(&params)));
    };
    // What one number has is one page.
    let (_, key) = address::of_query(&ctx, &caller, to).await?;
    let all = ctx.store.all_gates_of(caller.org, key).await?;
    let found = all.iter().filter_map(|(_, rows)| rows.suppression.as_ref());
    let found = found.filter(|s| channel.is_none_or(|channel| channel == s.channel));
    Ok(Json(Page::of(&params, found.map(Shown::of).collect(), None)))
}

/// `POST /v1/suppressions`: nothing is sent to this address any more. 200 with
/// the one that is there already, which stays as it is.
pub async fn put(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    extract::Json { value, .. }: extract::Json<Request>,
) -> Result<Found<Shown>, Problem> {
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
        None => Found::New(Shown::of(&new)),
        Some(old) => Found::Old(Shown::of(&old)),
    })
}

/// `DELETE /v1/suppressions`: lets an address be written to again. What the
/// person asked for stays, and is a 409.
pub async fn lift(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params<One>,
) -> Result<NoContent, Problem> {
    let (to, key) = address::of_query(&ctx, &caller, &params.to).await?;
    note::before(&json!({"address": to.as_str(), "channel": params.channel}));
    match ctx.store.lift_ours(caller.org, key, params.channel).await? {
        Lifted::Done => Ok(NoContent),
        Lifted::Nothing => Err(Problem::not_found("suppression")),
        Lifted::Refused => {
            let detail = "The person asked not to be written to; only they can take that back, \
                          by writing START to your number.";
            Err(Problem::conflict("opted_out_by_person", detail))
        }
    }
}
