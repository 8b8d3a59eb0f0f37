//! Twilio's answers.

use carillon_domain::integration::Money;
use carillon_domain::receipt::ReceiptKind;
use carillon_domain::{Failure, FailureReason};
use serde::Deserialize;

use super::codes;
use crate::contract::{HttpAnswer, Outcome, Reply, ResponseNote, TestResult};
use crate::note;

/// `{"code":21211,"message":"…","more_info":"…","status":400}`
#[derive(Deserialize)]
struct ErrorDocument {
    code: u32,
    #[serde(default)]
    message: Option<String>,
}

impl ErrorDocument {
    /// Twilio's own word. A gateway's JSON (`{"message":"Forbidden"}`,
    /// `{"code":503}`) is not: Twilio's codes have five digits.
    fn read(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok().filter(|d: &Self| (10_000..100_000).contains(&d.code))
    }
}

/// A message as it is answered and listed. Everything may be null.
#[derive(Deserialize)]
pub struct MessageDocument {
    pub sid: Option<String>,
    pub status: Option<String>,
    pub error_code: Option<u32>,
    pub error_message: Option<String>,
    pub body: Option<String>,
    pub to: Option<String>,
    pub direction: Option<String>,
    pub date_created: Option<String>,
}

impl MessageDocument {
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref().filter(|s| (1..=64).contains(&s.len()))
    }

    pub fn kind(&self) -> Option<ReceiptKind> {
        let code = self.error_code.map(|c| c.to_string());
        codes::kind(self.status.as_deref()?, code.as_deref(), self.error_message.as_deref())
    }
}

/// | answer | outcome |
/// |---|---|
/// | 2xx with a message | accepted; refused if its status is already a failure |
/// | 429 | refused, rate limited |
/// | 4xx, 5xx with Twilio's error document | refused by its code |
/// | 401 without one | refused, misconfigured |
/// | anything else | unclear |
pub fn read_send(answer: &HttpAnswer) -> Reply {
    let mut response = ResponseNote { http_status: Some(answer.status), ..Default::default() };
    let unclear = |detail: &str| Outcome::Unclear { detail: detail.to_owned() };
    let outcome = if (200..300).contains(&answer.status) {
        match serde_json::from_str::<MessageDocument>(&answer.body) {
            Ok(message) if message.sid().is_some() => {
                response.id = message.sid;
                response.code = message.error_code.map(|c| c.to_string());
                response.text = message.error_message.as_deref().map(note::masked);
                accepted_or_failed(&message.status, &response)
            }
            _ => unclear("a success that cannot be read"),
        }
    } else if let Some((failure, retry_after)) = refusal(answer) {
        response.code = Some(failure.code.clone());
        response.text = Some(failure.detail.clone());
        Outcome::Refused { failure, retry_after }
    } else {
        unclear("an answer that is not Twilio's")
    };
    Reply { outcome, note: response }
}

fn accepted_or_failed(status: &Option<String>, response: &ResponseNote) -> Outcome {
    let kind = status
        .as_deref()
        .and_then(|s| codes::kind(s, response.code.as_deref(), response.text.as_deref()));
    match (kind, &response.id) {
        (Some(ReceiptKind::Failed(failure)), _) => Outcome::Refused { failure, retry_after: None },
        (_, id) => Outcome::Accepted { provider_message_id: id.clone().unwrap_or_default() },
    }
}

/// The failure that Twilio itself states, with the seconds to wait; `None`
/// where the answer may be someone else's.
pub fn refusal(answer: &HttpAnswer) -> Option<(Failure, Option<u32>)> {
    if answer.status < 400 {
        return None;
    }
    let document = ErrorDocument::read(&answer.body);
    let text = document.as_ref().and_then(|d| d.message.as_deref()).unwrap_or_default();
    let number = document.as_ref().map(|d| d.code);
    let code = number.map_or_else(|| answer.status.to_string(), |c| c.to_string());
    let plain =
        |reason, permanent| Failure::new(code.clone(), reason, permanent, note::masked(text));
    let known = number.and_then(|c| codes::failure(c, Some(text)));
    let failure = match (answer.status, known) {
        // A quota of the day is answered with 429 too; it keeps its code.
        (429, Some(known)) if known.reason == FailureReason::RateLimited => known,
        (429, _) => plain(FailureReason::RateLimited, false),
        (500.., known) => {
            let reason =
                known.filter(|k| !k.permanent).map_or(FailureReason::ProviderDown, |k| k.reason);
            number.map(|_| plain(reason, false))?
        }
        (_, Some(known)) => known,
        (401 | 403, None) if number.is_some() => plain(FailureReason::Misconfigured, true),
        (401, None) => plain(FailureReason::Misconfigured, true),
        (_, None) => number.map(|_| plain(FailureReason::Other, true))?,
    };
    Some((failure, answer.retry_after.or_else(|| wait(number))))
}

fn wait(code: Option<u32>) -> Option<u32> {
    code.and_then(codes::wait)
}

/// As [`refusal`], for calls where no message is at stake: there an answer
/// of someone else's counts as a failure that may pass.
pub fn failure(answer: &HttpAnswer) -> Failure {
    refusal(answer).map_or_else(
        || {
            let detail = "an answer that is not Twilio's";
            Failure::new(answer.status.to_string(), FailureReason::ProviderDown, false, detail)
        },
        |(failure, _)| failure,
    )
}

#[derive(Deserialize)]
struct BalanceDocument {
    account_sid: String,
    balance: Option<String>,
    currency: Option<String>,
}

/// `{"account_sid":"AC…","balance":"12.50","currency":"USD"}`
pub fn read_balance(answer: &HttpAnswer) -> TestResult {
    match serde_json::from_str::<BalanceDocument>(&answer.body) {
        Ok(document) if answer.status == 200 && !document.account_sid.is_empty() => {
            let balance = document.balance.zip(document.currency);
            TestResult::Works {
                balance: balance.map(|(amount, currency)| Money { amount, currency }),
            }
        }
        _ => TestResult::Fails(failure(answer)),
    }
}
