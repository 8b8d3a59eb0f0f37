//! Delivery reports, pushed and pulled, and the wallet.

use axum::{
    Json,
    extract::{Path, RawQuery, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};
use rusqlite::named_params;
use serde_json::{Value, json};

use super::{Refusal, admits, key, reply};
use crate::{
    app::Shared,
    clock,
    error::Result,
    message::{self, Message},
};

/// The flat report that an operator is told to configure.
pub(super) fn pushed(message: &Message, status: &str, price: f64) -> Value {
    let (word, description) = spoken(status);
    let end = message.final_ms.unwrap_or(message.received_ms);
    let at_ms = message.at_ms + (end - message.received_ms);
    let mut report = json!({
        "request_id": message.sid,
        "mobile": message.wire_to,
        "status": word,
        "status_description": description,
        "failure_reason": if status == "delivered" { "" } else { description },
        "delivery_timestamp": at_ms.div_euclid(1000),
        "sms_count": message.segments,
        "amount_debited": format!("{:.2}", price * f64::from(message.segments)),
    });
    for name in ["udf1", "udf2", "udf3"] {
        if let Some(value) = message.request.get(name) {
            report[name] = value.clone();
        }
    }
    report
}

/// Fast2SMS's words for where a message is.
fn spoken(status: &str) -> (&'static str, &'static str) {
    match status {
        "delivered" => ("Delivered", "Message delivered"),
        "undelivered" => ("Undelivered", "Absent subscriber"),
        "failed" => ("Failed", "Rejected by the operator"),
        "sent" => ("Sent", "Submitted to the operator"),
        _ => ("Pending", "Waiting at the gateway"),
    }
}

fn query_key(query: Option<&String>) -> Option<String> {
    form_urlencoded::parse(query?.as_bytes())
        .find(|(name, _)| name == "authorization")
        .map(|(_, value)| value.into_owned())
}

/// `GET /dev/dlr/{request_id}`
pub(super) async fn pull(
    State(app): State<Shared>,
    Path(request_id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    let key = key(&headers, query_key(query.as_ref()).as_deref());
    let wanted = request_id.clone();
    let now = clock::wall_ms();
    let found = app
        .database
        .call(move |state| {
            if !admits(state, key.as_ref()) {
                return Ok(Err(reply(&Refusal::of(412))));
            }
            if !state.settings.look_up {
                let broken = json!({"success": false, "message": "Internal Server Error"});
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                return Ok(Err((status, Json(broken)).into_response()));
            }
            let lag = i64::try_from(state.settings.look_up_lag_ms).unwrap_or(i64::MAX / 2);
            message::select(
                &state.connection,
                "WHERE sid = :sid AND provider = 'fast2sms' AND received_ms <= :visible
                 ORDER BY seq",
                named_params! {":sid": wanted, ":visible": now - lag},
            )
            .map(Ok)
        })
        .await?;
    let messages = match found {
        Ok(messages) => messages,
        Err(refused) => return Ok(refused),
    };
    if messages.is_empty() {
        let unknown = json!({"success": false, "message": "No data found.", "data": []});
        return Ok(Json(unknown).into_response());
    }
    let statuses: Vec<Value> = messages.iter().map(|message| pulled(message, now)).collect();
    Ok(Json(json!({
        "success": true,
        "message": "DLR found successfully.",
        "data": [{"request_id": request_id, "delivery_status": statuses}],
    }))
    .into_response())
}

fn pulled(message: &Message, now_ms: i64) -> Value {
    let (word, description) = spoken(message.status_at(now_ms));
    let at_ms = message
        .final_ms
        .filter(|end| *end <= now_ms)
        .map(|end| message.at_ms + (end - message.received_ms));
    json!({
        "mobile": message.wire_to,
        "status": word,
        "status_description": description,
        "delivery_time": at_ms.map(clock::rfc3339),
    })
}

/// `/dev/wallet`
pub(super) async fn wallet(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    let key = key(&headers, query_key(query.as_ref()).as_deref());
    let wallet = app
        .database
        .call(move |state| {
            let admitted = admits(state, key.as_ref());
            Ok(admitted.then(|| state.settings.fast2sms_wallet.clone()))
        })
        .await?;
    Ok(match wallet {
        Some(wallet) => Json(json!({"return": true, "wallet": wallet})).into_response(),
        None => reply(&Refusal::of(412)),
    })
}
