//! Fast2SMS's answers. `return` in the body counts, not the HTTP status: some
//! refusals come with 200, and none of them is a server error because its
//! `status_code` is 500.

use carillon_domain::integration::Money;
use carillon_domain::{Failure, FailureReason};
use serde::Deserialize;
use serde_json::Value;

use super::codes;
use crate::contract::{HttpAnswer, Outcome, Reply, ResponseNote, TestResult};
use crate::note;

/// `{"return":true,"request_id":"…","message":["…"]}` or
/// `{"return":false,"status_code":411,"message":"…"}`
#[derive(Deserialize)]
struct Document {
    #[serde(rename = "return")]
    taken: bool,
    #[serde(default)]
    request_id: Value,
    #[serde(default)]
    status_code: Value,
    #[serde(default)]
    message: Value,
    #[serde(default)]
    wallet: Value,
}

impl Document {
    fn read(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }

    fn code(&self) -> Option<u32> {
        word(&self.status_code)?.parse().ok()
    }

    /// An array of texts or one text.
    fn text(&self) -> String {
        match &self.message {
            Value::Array(parts) => parts.iter().filter_map(word).collect::<Vec<_>>().join(" "),
            other => word(other).unwrap_or_default(),
        }
    }
}

/// Numbers come as numbers or as texts.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// | answer | outcome |
/// |---|---|
/// | 2xx, `return: true`, a request id | accepted |
/// | 429 | refused, rate limited |
/// | `return: false`, HTTP below 500 | refused by its `status_code` |
/// | `return: false`, HTTP 5xx | refused, provider down |
/// | 401 without a document | refused, misconfigured |
/// | anything else | unclear |
pub fn read_send(answer: &HttpAnswer) -> Reply {
    let mut response = ResponseNote { http_status: Some(answer.status), ..Default::default() };
    let document = Document::read(&answer.body);
    let taken = document.as_ref().filter(|d| d.taken && (200..300).contains(&answer.status));
    let outcome = if let Some(document) = taken {
        response.text = Some(note::masked(&document.text())).filter(|t| !t.is_empty());
        response.id = word(&document.request_id);
        match &response.id {
            Some(id) => Outcome::Accepted { provider_message_id: id.clone() },
            None => Outcome::Unclear { detail: "a success without a request id".to_owned() },
        }
    } else if let Some((failure, retry_after)) = refusal(answer, document.as_ref()) {
        response.code = Some(failure.code.clone());
        response.text = Some(failure.detail.clone());
        Outcome::Refused { failure, retry_after }
    } else {
        Outcome::Unclear { detail: "an answer that is not Fast2SMS's".to_owned() }
    };
    Reply { outcome, note: response }
}

fn refusal(answer: &HttpAnswer, document: Option<&Document>) -> Option<(Failure, Option<u32>)> {
    let document = document.filter(|d| !d.taken);
    let number = document.and_then(Document::code);
    let text = document.map(Document::text).unwrap_or_default();
    let code = number.map_or_else(|| answer.status.to_string(), |n| n.to_string());
    let plain = |reason, permanent| Failure::new(code, reason, permanent, note::masked(&text));
    let failure = match answer.status {
        429 => plain(FailureReason::RateLimited, false),
        500.. => {
            document?;
            plain(FailureReason::ProviderDown, false)
        }
        status => match number.and_then(|n| codes::failure(n, &text)) {
            Some(known) => known,
            None if status == 401 => plain(FailureReason::Misconfigured, true),
            None => {
                document?;
                plain(FailureReason::Other, true)
            }
        },
    };
    Some((failure, answer.retry_after.or_else(|| number.and_then(codes::wait))))
}

/// `{"return":true,"wallet":"500.50"}`, in rupees.
pub fn read_wallet(answer: &HttpAnswer) -> TestResult {
    let document = Document::read(&answer.body);
    if let Some(document) = document.as_ref().filter(|d| d.taken && answer.status == 200) {
        let balance = word(&document.wallet);
        return TestResult::Works {
            balance: balance.map(|amount| Money { amount, currency: "INR".to_owned() }),
        };
    }
    TestResult::Fails(refusal(answer, document.as_ref()).map_or_else(
        || {
            let detail = "an answer that is not Fast2SMS's";
            Failure::new(answer.status.to_string(), FailureReason::ProviderDown, false, detail)
        },
        |(failure, _)| failure,
    ))
}
