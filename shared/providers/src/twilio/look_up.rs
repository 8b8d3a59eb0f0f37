//! Finds a message of ours in Twilio's list.
//!
//! "Not found" lets the message be sent again, so it is only said when the
//! whole list was read and every record in it could be told from ours.

use carillon_domain::receipt::ReceiptKind;
use carillon_domain::{Failure, FailureReason};
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::answer::{self, MessageDocument};
use crate::contract::{Candidate, HttpAnswer, LookUp, Probe};

/// Twilio puts this before each text of a trial account.
const TRIAL_PREFIX: &str = "Sent from your Twilio trial account - ";
/// How far Twilio's clock may be behind ours.
const SKEW: SignedDuration = SignedDuration::from_secs(5);

/// `{"messages":[…],"next_page_uri":null,…}`
#[derive(Deserialize)]
struct Page {
    messages: Vec<MessageDocument>,
    next_page_uri: Option<String>,
}

pub fn read(answer: &HttpAnswer, probe: &Probe) -> LookUp {
    if answer.status != 200 {
        return LookUp::Failed(answer::failure(answer));
    }
    let Ok(page) = serde_json::from_str::<Page>(&answer.body) else {
        return failed("unreadable_list", "the list of messages cannot be read");
    };
    let near: Vec<&MessageDocument> =
        page.messages.iter().filter(|m| could_be_ours(m, probe)).collect();
    let found: Vec<Candidate> =
        near.iter().filter(|m| same_text(m, probe)).filter_map(|m| candidate(m)).collect();
    if found.is_empty() {
        if page.next_page_uri.is_some_and(|uri| !uri.is_empty()) {
            return failed("list_too_long", "the list of messages has more pages than were read");
        }
        if near.iter().any(|m| text_is_gone(m) && !probe.body.is_empty()) {
            return failed(
                "texts_redacted",
                "the account keeps no texts, so nothing can be compared",
            );
        }
        if near.iter().any(|m| same_text(m, probe)) {
            return failed("unreadable_list", "a record in the list cannot be read");
        }
    }
    LookUp::Read(found)
}

fn failed(code: &str, detail: &str) -> LookUp {
    LookUp::Failed(Failure::new(code, FailureReason::Other, false, detail))
}

/// Sent by API, to this number, not before our call. What a record does not
/// say does not speak against it.
fn could_be_ours(message: &MessageDocument, probe: &Probe) -> bool {
    let outbound = message.direction.as_deref().is_none_or(|d| d == "outbound-api");
    let to = message.to.as_deref().is_none_or(|to| to == probe.to.as_str());
    let since = probe.since.saturating_sub(SKEW).unwrap_or(probe.since);
    outbound && to && created_at(message).is_none_or(|at| at >= since)
}

/// Twilio's dates have whole seconds; the skew covers what is cut off.
fn created_at(message: &MessageDocument) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(message.date_created.as_deref()?).ok()
}

fn text_is_gone(message: &MessageDocument) -> bool {
    message.body.as_deref().is_none_or(str::is_empty)
}

/// Line ends and outer spaces do not count: they may not survive the way.
fn same_text(message: &MessageDocument, probe: &Probe) -> bool {
    let plain = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
    let theirs = message.body.as_deref().unwrap_or_default();
    let ours = plain(&probe.body);
    plain(theirs) == ours || theirs.strip_prefix(TRIAL_PREFIX).is_some_and(|t| plain(t) == ours)
}

fn candidate(message: &MessageDocument) -> Option<Candidate> {
    Some(Candidate {
        provider_message_id: message.sid()?.to_owned(),
        created_at: created_at(message),
        kind: message.kind().unwrap_or(ReceiptKind::InProgress),
    })
}
