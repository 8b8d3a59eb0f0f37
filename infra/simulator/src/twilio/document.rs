//! Twilio's JSON: error documents and the message resource.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::{Value, json};

use super::API;
use crate::{account::DEFAULT_FROM, clock, fault::Answer, message::Message};

/// A request that Twilio does not take.
pub(crate) struct Refusal {
    pub code: u32,
    pub status: u16,
    pub message: String,
}

/// Without the sentence, which names the number.
impl std::fmt::Debug for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Refusal({})", self.code)
    }
}

impl Refusal {
    pub fn new(code: u32, message: impl Into<String>) -> Self {
        let status = match code {
            20_003 => 401,
            20_403 => 403,
            20_404 => 404,
            20_409 => 409,
            20_429 => 429,
            20_500 => 500,
            20_503 => 503,
            _ => 400,
        };
        Self { code, status, message: message.into() }
    }

    pub fn unauthorized() -> Self {
        Self::new(20_003, "Authenticate")
    }

    pub fn not_found(path: &str) -> Self {
        Self::new(20_404, format!("The requested resource {path} was not found"))
    }

    pub fn throttled() -> Self {
        Self::new(20_429, "Too Many Requests")
    }

    pub fn unavailable() -> Self {
        Self::new(20_503, "Service unavailable")
    }

    pub fn broken() -> Self {
        Self::new(20_500, "Internal Server Error")
    }

    pub fn document(&self) -> Value {
        json!({
            "code": self.code,
            "message": self.message,
            "more_info": format!("https://www.twilio.com/docs/errors/{}", self.code),
            "status": self.status,
        })
    }

    pub fn answer(&self) -> Answer {
        Answer::Json(self.status, self.document())
    }
}

pub(crate) fn reply(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, Json(refusal.document())).into_response()
}

/// The message resource at `now_ms` of the wall clock.
///
/// With a messaging service there is no sender, and no segment, until it has been picked.
pub(crate) fn message(message: &Message, now_ms: i64) -> Value {
    let sid = message.sid.as_deref().unwrap_or_default();
    let uri = format!("/{API}/Accounts/{}/Messages/{sid}", message.account);
    let sent_ms = message.sent_at_ms(now_ms);
    let inbound = message.direction == "inbound";
    let picked = inbound || message.service.is_none() || sent_ms.is_some();
    let ended = message.ended(now_ms);
    let code = message.final_code.filter(|_| ended);
    let updated = match (sent_ms, ended, message.final_ms) {
        (_, true, Some(end)) => message.at_ms + (end - message.received_ms),
        (Some(sent), ..) => sent,
        _ => message.at_ms,
    };
    let date_sent = if inbound { Some(message.at_ms) } else { sent_ms };
    json!({
        "account_sid": message.account,
        "api_version": API,
        "body": message.body,
        "date_created": clock::rfc2822(message.at_ms),
        "date_sent": date_sent.map(clock::rfc2822),
        "date_updated": clock::rfc2822(updated),
        "direction": if inbound { "inbound" } else { "outbound-api" },
        "error_code": code,
        "error_message": code.map(explanation),
        "from": if picked { Some(sender(message)) } else { None },
        "messaging_service_sid": message.service,
        "num_media": message.media.to_string(),
        "num_segments": if picked { message.segments.to_string() } else { "0".to_owned() },
        "price": ended.then(|| format!("-{:.5}", 0.0075 * f64::from(message.segments))),
        "price_unit": "USD",
        "sid": sid,
        "status": message.status_at(now_ms),
        "subresource_uris": {"media": format!("{uri}/Media.json")},
        "to": message.wire_to,
        "uri": format!("{uri}.json"),
    })
}

/// The number it went out from; a service's pool has one number here.
pub(crate) fn sender(message: &Message) -> &str {
    message.sender.as_deref().unwrap_or(DEFAULT_FROM)
}

/// What Twilio says about a code that comes after acceptance.
pub(crate) fn explanation(code: u32) -> &'static str {
    match code {
        30_001 => "Queue overflow",
        30_002 => "Account suspended",
        30_003 => "Unreachable destination handset",
        30_004 => "Message blocked",
        30_005 => "Unknown destination handset",
        30_006 => "Landline or unreachable carrier",
        30_007 => "Message filtered",
        30_008 => "Unknown error",
        _ => "The message was not delivered",
    }
}
