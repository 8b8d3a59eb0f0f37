//! The two cheap questions that check credentials.

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::HeaderMap;
use serde_json::json;

use super::{
    API, admitted,
    document::{Refusal, reply},
};
use crate::{app::Shared, error::Result};

/// `GET …/Accounts/{Sid}/Balance.json`
pub(super) async fn balance(
    State(app): State<Shared>,
    Path(account): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    if !admitted(&app, &account, &headers).await? {
        return Ok(reply(&Refusal::unauthorized()));
    }
    let balance = app.database.call(|state| Ok(state.settings.twilio_balance.clone())).await?;
    let document = json!({"account_sid": account, "balance": balance, "currency": "USD"});
    Ok(Json(document).into_response())
}

/// `GET …/Accounts/{Sid}.json`
pub(super) async fn fetch(
    State(app): State<Shared>,
    Path(account): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let Some(account) = account.strip_suffix(".json") else {
        let path = format!("/{API}/Accounts/{account}");
        return Ok(reply(&Refusal::not_found(&path)));
    };
    if !admitted(&app, account, &headers).await? {
        return Ok(reply(&Refusal::unauthorized()));
    }
    let created = "Sat, 01 Jan 2022 00:00:00 +0000";
    let uri = format!("/{API}/Accounts/{account}");
    Ok(Json(json!({
        "auth_token": "[Redacted]",
        "date_created": created,
        "date_updated": created,
        "friendly_name": "Simulated account",
        "owner_account_sid": account,
        "sid": account,
        "status": "active",
        "subresource_uris": {"messages": format!("{uri}/Messages.json")},
        "type": "Full",
        "uri": format!("{uri}.json"),
    }))
    .into_response())
}
