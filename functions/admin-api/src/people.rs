//! `/v1/people`: what is stored about one person, known by a number: to be handed
//! out, or forgotten. A contact's own routes call the same functions.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use carillon_domain::erasure::{Erasure, Stage};
use carillon_domain::{AddressKey, MessageId, PhoneNumber};
use carillon_runtime::Context;
use carillon_runtime::person::{self, EraseError};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answers::Accepted;
use crate::auth::Caller;
use crate::extract::{self, Params};
use crate::lists::{self, Page, PageQuery};
use crate::problem::Problem;
use crate::{address, view};

/// How long a request works on an erasure before it leaves it to the queue
/// processor.
pub const WORK: SignedDuration = SignedDuration::from_secs(15);

/// Whom it is about.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Person", example = example())]
pub struct Request {
    /// A number, with its country code or as in the organization's country.
    #[schemars(with = "String")]
    to: Option<String>,
}

fn example() -> Value {
    json!({"to": "+61491570006"})
}

/// Whom it is about.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// A number: `%2B61491570006`.
    to: String,
}

/// A page of what is stored about a person.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PersonExport {
    to: String,
    exported_at: Timestamp,
    /// On the first page only: what keeps us from writing to them.
    suppressions: Vec<view::suppression::Suppression>,
    /// On the first page only: what they agreed to, or took back.
    consents: Vec<view::consent::Consent>,
    /// On the first page only: the last time that they were forgotten.
    erasure: Option<PersonErasure>,
    /// In and out, newest first, each with its attempts, events and decisions.
    messages: Vec<view::message::Message>,
    /// For `?cursor=`; null on the last page.
    next_cursor: Option<String>,
}

/// How far the erasure of a person is. It names nobody.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PersonErasure {
    /// `running` until everything is done.
    status: &'static str,
    /// What is worked on: messages, texts, gates, files; then done.
    stage: &'static str,
    asked_at: Timestamp,
    asked_by: String,
    completed_at: Option<Timestamp>,
    /// Messages that say nothing of the person any more.
    messages: u32,
    /// Of these, those that had waited for their time and were cancelled.
    cancelled: u32,
    /// Being sent, or it is not known yet whether they were: erased as soon as it
    /// is.
    under_way: u32,
    /// What stays on purpose.
    kept: Vec<&'static str>,
    /// What this installation cannot erase, or not now.
    out_of_reach: Vec<&'static str>,
}

const KEPT: [&str; 4] = [
    "messages as rows without address, content and provider's id: state, times, price and their place in the statistics",
    "suppressions and consents under a keyed hash of the address, without its words: later messages are still held back",
    "the provider's ids of messages, in rows of their own that lead to no address, so that nothing is counted twice",
    "the audit log, which holds no addresses",
];

const OUT_OF_REACH: [&str; 6] = [
    "the provider's own records: ask the provider, or delete them in its console",
    "lines of files of contacts that do not have the person's number, until they end (retention.file_days)",
    "uploaded files, which end after a week",
    "callbacks that could not be applied and wait in a dead-letter queue, up to 14 days",
    "backups of the table, up to 35 days: after a restore, erase again",
    "copies that were exported or downloaded before",
];

impl From<Erasure> for PersonErasure {
    fn from(e: Erasure) -> Self {
        Self {
            status: if e.is_done() { "completed" } else { "running" },
            stage: e.stage.as_str(),
            asked_at: e.asked_at,
            asked_by: e.by,
            completed_at: e.done_at,
            messages: e.counts.erased,
            cancelled: e.counts.cancelled,
            under_way: e.counts.under_way,
            kept: KEPT.to_vec(),
            out_of_reach: OUT_OF_REACH.to_vec(),
        }
    }
}

/// `POST /v1/people/export`: all that is stored about a person, page by page.
pub async fn export(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params<PageQuery>,
    extract::Json { value, .. }: extract::Json<Request>,
) -> Result<Json<PersonExport>, Problem> {
    let (to, key) = person(&ctx, &caller, &value).await?;
    let (limit, before) = lists::by_id::<MessageId>(&params)?;
    if before.is_some_and(|id| id.address() != key) {
        return Err(lists::invalid_cursor());
    }
    let now = ctx.clock.now();
    let ids = ctx.store.messages_with(caller.org, key, before, lists::wanted(limit)).await?;
    let messages = ctx.store.messages(caller.org, &ids, true, true).await?;
    let messages = messages.iter().map(|m| view::message::Message::of(m, now)).collect();
    let last = ids.last().filter(|_| ids.len() == limit);
    let page = Page::by_id(&params, messages, last);
    let mut export = PersonExport {
        to: to.as_str().to_owned(),
        exported_at: now,
        suppressions: Vec::new(),
        consents: Vec::new(),
        erasure: None,
        messages: page.data,
        next_cursor: page.next_cursor,
    };
    if before.is_none() {
        for (_, rows) in ctx.store.all_gates_of(caller.org, key).await? {
            let suppression = rows.suppression.as_ref();
            export.suppressions.extend(suppression.map(view::suppression::Suppression::of));
            let consents = rows.consents.iter();
            export.consents.extend(consents.map(|c| view::consent::Consent::of(to.as_str(), c)));
        }
        export.erasure = ctx.store.erasure(caller.org, key).await?.map(PersonErasure::from);
    }
    Ok(Json(export))
}

/// `POST /v1/people/erase`: forgets a person. What this request does not get done
/// is done without another one.
pub async fn erase(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    extract::Json { value, .. }: extract::Json<Request>,
) -> Result<Accepted<PersonErasure>, Problem> {
    let (_, key) = person(&ctx, &caller, &value).await?;
    let deadline = ctx.clock.now() + WORK;
    let erasure = person::ask(&ctx, caller.org, key, &caller.id).await?;
    // Behind the messages there is nothing that cannot wait a few minutes.
    let erasure = match erasure.stage {
        Stage::Messages | Stage::Texts | Stage::Gates => {
            person::go_on(&ctx, erasure, deadline).await?
        }
        Stage::Files | Stage::Done => erasure,
    };
    Ok(Accepted(erasure.into()))
}

/// `GET /v1/people/erasure`: how far the forgetting of a person is.
pub async fn erasure(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params<Query>,
) -> Result<Json<PersonErasure>, Problem> {
    let (_, key) = address::of_query(&ctx, &caller, &params.to).await?;
    let erasure = ctx.store.erasure(caller.org, key).await?;
    erasure.map(|e| Json(e.into())).ok_or_else(|| Problem::not_found("erasure"))
}

async fn person(
    ctx: &Context,
    caller: &Caller,
    request: &Request,
) -> Result<(PhoneNumber, AddressKey), Problem> {
    let found = address::read(ctx, caller, request.to.as_deref()).await?;
    found.map_err(|wrong| Problem::fields(vec![wrong]))
}

impl From<EraseError> for Problem {
    fn from(error: EraseError) -> Self {
        match error {
            EraseError::Store(error) => error.into(),
            EraseError::Installation(error) => error.into(),
            EraseError::File(error) => Self::unavailable(&error),
        }
    }
}
