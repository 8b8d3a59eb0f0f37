//! The simulator's own endpoints, for tests and people. Each has its counterpart in process on
//! [`Running`](crate::Running), by the same functions.
//!
//! | endpoint | does |
//! |---|---|
//! | `GET /` | page of what was received, form for an inbound message |
//! | `GET /healthz` | `{status, service, run_id, file, pid}` |
//! | `GET /sim/messages` | [`Found`]; query as [`Wanted`] |
//! | `DELETE /sim/messages` | forgets messages and callbacks |
//! | `GET /sim/mails` | `{mails: [Mail]}`, newest last |
//! | `GET /sim/stats` | [`Stats`] |
//! | `GET`, `POST /sim/settings` | [`Settings`]; the body is a merge patch |
//! | `POST /sim/accounts` | `{account_sid, auth_token, api_keys?: {sid: secret}}` |
//! | `POST /sim/inbound` | [`Inbound`](crate::Inbound) → [`InboundAnswer`](crate::InboundAnswer) |
//! | `GET /sim/callbacks` | `{callbacks: [Made]}`; query `state`, `limit` |
//! | `POST /sim/callbacks/flush` | tries all that wait once, now: `{tried}` |
//! | `GET`, `DELETE /sim/blocks` | who replied STOP; lifts all |

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    extract::{Query, State},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use http::StatusCode;
use rusqlite::named_params;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    account::{self, Preset},
    app::{App, Shared},
    callback::{self, Made},
    clock, database,
    error::{Error, Result},
    fault::Counter,
    message::{self, Received},
    number,
    settings::{Provider, Settings},
    twilio,
};

const DEFAULT_LIMIT: u32 = 1_000;
const LARGEST_LIMIT: u32 = 100_000;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/", get(page))
        .route("/healthz", get(healthz))
        .route("/sim/messages", get(list).delete(forget))
        .route("/sim/stats", get(count))
        .route("/sim/settings", get(settings).post(change))
        .route("/sim/accounts", post(set_account))
        .route("/sim/inbound", post(inbound))
        .route("/sim/callbacks", get(callbacks))
        .route("/sim/callbacks/flush", post(flush))
        .route("/sim/blocks", get(blocks).delete(unblock))
}

async fn page() -> Html<&'static str> {
    Html(include_str!("page.html"))
}

async fn healthz(State(app): State<Shared>) -> Result<Response> {
    // Through the file's thread: a simulator whose file hangs is not healthy.
    app.database.call(|_| Ok(())).await?;
    Ok(Json(json!({
        "status": "ok",
        "service": "carillon-simulator",
        "run_id": app.run_id,
        "file": database::describe(app.file.as_ref()),
        "pid": std::process::id(),
    }))
    .into_response())
}

/// Query of `GET /sim/messages`.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wanted {
    pub to: Option<String>,
    pub provider: Option<Provider>,
    pub accepted: Option<bool>,
    /// `outbound` (default), `inbound` or `all`.
    pub direction: Option<String>,
    pub limit: Option<u32>,
    pub offset: Option<u32>,
    /// The last so many instead of the first, still newest last.
    pub latest: Option<u32>,
}

/// Answer of `GET /sim/messages`.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// How many match, on all pages.
    pub total: u64,
    /// Newest last.
    pub messages: Vec<Received>,
}

async fn list(State(app): State<Shared>, Query(wanted): Query<Wanted>) -> Result<Json<Found>> {
    find(&app, wanted).await.map(Json)
}

pub(crate) async fn find(app: &App, wanted: Wanted) -> Result<Found> {
    let now = clock::wall_ms();
    app.database
        .call(move |state| {
            let connection = &state.connection;
            let to = wanted.to.as_deref().map(number::canonical);
            let provider = wanted.provider.map(Provider::name);
            let direction = wanted.direction.as_deref().unwrap_or("outbound");
            let place = match to {
                Some(_) => "to_number = :to",
                None => ":to IS NULL",
            };
            let matching = format!(
                "WHERE {place} AND (:provider IS NULL OR provider = :provider)
                 AND (:accepted IS NULL OR accepted = :accepted)
                 AND (:direction = 'all' OR direction = :direction)"
            );
            let filter = named_params! {
                ":to": to,
                ":provider": provider,
                ":accepted": wanted.accepted,
                ":direction": direction,
            };
            let total: u64 = connection
                .prepare_cached(&format!("SELECT count(*) FROM message {matching}"))?
                .query_row(filter, |row| row.get(0))?;
            let limit = wanted.latest.or(wanted.limit).unwrap_or(DEFAULT_LIMIT).min(LARGEST_LIMIT);
            let offset = match wanted.latest {
                Some(_) => total.saturating_sub(u64::from(limit)),
                None => u64::from(wanted.offset.unwrap_or(0)),
            };
            let mut values = filter.to_vec();
            values.push((":limit", &limit));
            values.push((":offset", &offset));
            let rest = format!("{matching} ORDER BY seq LIMIT :limit OFFSET :offset");
            let messages = message::select(connection, &rest, &values)?;
            let range = (
                messages.first().map_or(0, |message| message.seq),
                messages.last().map_or(0, |message| message.seq),
            );
            let mut made: BTreeMap<i64, Vec<Made>> = BTreeMap::new();
            for callback in callback::select(
                connection,
                "WHERE message BETWEEN :first AND :last ORDER BY id",
                named_params! {":first": range.0, ":last": range.1},
            )? {
                made.entry(callback.message).or_default().push(callback);
            }
            let messages = messages
                .into_iter()
                .map(|message| {
                    let callbacks = made.remove(&message.seq).unwrap_or_default();
                    message.received(now, callbacks)
                })
                .collect();
            Ok(Found { total, messages })
        })
        .await
}

/// Accounts, settings and blocks stay.
async fn forget(State(app): State<Shared>) -> Result<StatusCode> {
    app.database
        .call(|state| {
            state.connection.execute_batch("DELETE FROM callback; DELETE FROM message;")?;
            state.in_flight.clear();
            Ok(())
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Answer of `GET /sim/stats`.
#[derive(Clone, Default, Serialize)]
pub struct Stats {
    pub accepted: u64,
    /// Not accepted, whether by the provider's rules or by a set failure.
    pub refused: u64,
    pub by_provider: BTreeMap<String, ProviderStats>,
    /// How many were accepted for each number (E.164).
    pub accepted_by_number: BTreeMap<String, u64>,
    /// Accepted more than once for the same number and text.
    pub duplicates: Vec<Duplicate>,
    /// Callbacks by state: `pending`, `answered`, `given_up`.
    pub callbacks: BTreeMap<String, u64>,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ProviderStats {
    pub accepted: u64,
    pub refused: u64,
}

#[derive(Clone, Serialize)]
pub struct Duplicate {
    pub provider: String,
    pub to: String,
    pub body: String,
    pub count: u64,
    pub provider_message_ids: Vec<String>,
}

/// Without what is personal.
impl std::fmt::Debug for Duplicate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Duplicate")
            .field("provider", &self.provider)
            .field("count", &self.count)
            .field("provider_message_ids", &self.provider_message_ids)
            .finish_non_exhaustive()
    }
}

async fn count(State(app): State<Shared>) -> Result<Json<Stats>> {
    stats(&app).await.map(Json)
}

pub(crate) async fn stats(app: &App) -> Result<Stats> {
    app.database
        .call(|state| {
            let connection = &state.connection;
            let mut stats = Stats::default();
            let mut totals = connection.prepare_cached(
                "SELECT provider, sum(accepted), sum(1 - accepted) FROM message
                 WHERE direction = 'outbound' GROUP BY provider",
            )?;
            let mut rows = totals.query([])?;
            while let Some(row) = rows.next()? {
                let one = ProviderStats { accepted: row.get(1)?, refused: row.get(2)? };
                stats.accepted += one.accepted;
                stats.refused += one.refused;
                stats.by_provider.insert(row.get(0)?, one);
            }
            let mut numbers = connection.prepare_cached(
                "SELECT to_number, count(*) FROM message
                 WHERE direction = 'outbound' AND accepted = 1 GROUP BY to_number",
            )?;
            let mut rows = numbers.query([])?;
            while let Some(row) = rows.next()? {
                stats.accepted_by_number.insert(row.get(0)?, row.get(1)?);
            }
            let mut doubles = connection.prepare_cached(
                "SELECT provider, to_number, body, count(*), group_concat(sid) FROM message
                 WHERE direction = 'outbound' AND accepted = 1
                 GROUP BY provider, to_number, body HAVING count(*) > 1
                 ORDER BY min(seq)",
            )?;
            let mut rows = doubles.query([])?;
            while let Some(row) = rows.next()? {
                let ids: String = row.get(4)?;
                stats.duplicates.push(Duplicate {
                    provider: row.get(0)?,
                    to: row.get(1)?,
                    body: row.get(2)?,
                    count: row.get(3)?,
                    provider_message_ids: ids.split(',').map(str::to_owned).collect(),
                });
            }
            let mut states =
                connection.prepare_cached("SELECT state, count(*) FROM callback GROUP BY state")?;
            let mut rows = states.query([])?;
            while let Some(row) = rows.next()? {
                stats.callbacks.insert(row.get(0)?, row.get(1)?);
            }
            Ok(stats)
        })
        .await
}

async fn settings(State(app): State<Shared>) -> Result<Json<Settings>> {
    read_settings(&app).await.map(Json)
}

pub(crate) async fn read_settings(app: &App) -> Result<Settings> {
    app.database.call(|state| Ok(state.settings.clone())).await
}

/// A merge patch; answers with the whole.
async fn change(State(app): State<Shared>, Json(patch): Json<Value>) -> Result<Json<Settings>> {
    configure(&app, patch).await.map(Json)
}

pub(crate) async fn configure(app: &App, patch: Value) -> Result<Settings> {
    let settings = app
        .database
        .call(move |state| {
            let settings = state.settings.patched(&patch)?;
            if settings.throttle != state.settings.throttle {
                state.counter = Counter::default();
            }
            state.set(settings.clone())?;
            Ok(settings)
        })
        .await?;
    // A hold may have been lifted.
    app.courier.wake();
    Ok(settings)
}

async fn set_account(State(app): State<Shared>, Json(preset): Json<Preset>) -> Result<Json<Value>> {
    let answer = json!({"account_sid": preset.account_sid});
    app.database.call(move |state| account::set(&state.connection, &preset)).await?;
    app.courier.wake();
    Ok(Json(answer))
}

async fn inbound(
    State(app): State<Shared>,
    Json(inbound): Json<twilio::Inbound>,
) -> Result<Json<twilio::InboundAnswer>> {
    twilio::receive_inbound(&app, inbound).await.map(Json)
}

/// Query of `GET /sim/callbacks`: the newest, oldest of them first.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WantedCallbacks {
    state: Option<String>,
    limit: Option<u32>,
}

async fn callbacks(
    State(app): State<Shared>,
    Query(wanted): Query<WantedCallbacks>,
) -> Result<Json<Value>> {
    let mut made = app
        .database
        .call(move |state| {
            let limit = wanted.limit.unwrap_or(DEFAULT_LIMIT).min(LARGEST_LIMIT);
            callback::select(
                &state.connection,
                "WHERE (:state IS NULL OR state = :state) ORDER BY id DESC LIMIT :limit",
                named_params! {":state": wanted.state, ":limit": limit},
            )
        })
        .await?;
    made.reverse();
    Ok(Json(json!({"callbacks": made})))
}

async fn flush(State(app): State<Shared>) -> Result<Json<Value>> {
    let tried = app.courier.flush().await?;
    Ok(Json(json!({"tried": tried})))
}

async fn blocks(State(app): State<Shared>) -> Result<Json<Value>> {
    let blocks = app
        .database
        .call(|state| {
            let mut statement = state.connection.prepare_cached(
                "SELECT account, number, sender FROM block ORDER BY account, number, sender",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(json!({
                    "account_sid": row.get::<_, String>(0)?,
                    "number": row.get::<_, String>(1)?,
                    "sender": row.get::<_, String>(2)?,
                }))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>().map_err(Error::from)
        })
        .await?;
    Ok(Json(json!({"blocks": blocks})))
}

async fn unblock(State(app): State<Shared>) -> Result<StatusCode> {
    app.database.call(|state| Ok(state.connection.execute("DELETE FROM block", [])?)).await?;
    Ok(StatusCode::NO_CONTENT)
}
