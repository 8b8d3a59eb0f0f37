//! Fast2SMS's status codes and delivery statuses, as tables.
//!
//! Codes: the official error-code list. They stand in the body; `500` there
//! comes with HTTP 400 and is not a server error. Delivery statuses are those
//! met in clients' code, compared without regard to case.

use carillon_domain::receipt::ReceiptKind;
use carillon_domain::{Failure, FailureReason as R};

use crate::note;

/// When the same message may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    Soon,
    /// The number was sent to too often; only time helps.
    Later,
    Never,
}
use Again::{Later, Never, Soon};

const LATER_SECONDS: u32 = 3_600;

#[rustfmt::skip]
const CODES: &[(u32, R, Again, &str)] = &[
    (401, R::Misconfigured, Never, "the sender id is missing"),
    (402, R::ContentRejected, Never, "the message is missing"),
    (403, R::Misconfigured, Never, "the route is missing"),
    (404, R::Misconfigured, Never, "the language is missing"),
    (405, R::InvalidAddress, Never, "the number is missing"),
    (406, R::Misconfigured, Never, "the sender id is invalid"),
    (407, R::ContentRejected, Never, "the message contains forbidden words"),
    (408, R::Misconfigured, Never, "the route is invalid"),
    (409, R::Misconfigured, Never, "the account may not use this route"),
    (410, R::Misconfigured, Never, "the language is invalid"),
    (411, R::InvalidAddress, Never, "the number is invalid"),
    (412, R::Misconfigured, Never, "the API key is invalid"),
    (413, R::Misconfigured, Never, "the API key is disabled"),
    (414, R::Misconfigured, Never, "the caller's IP address is blacklisted"),
    (415, R::Misconfigured, Never, "the account is disabled"),
    // A top-up cures it.
    (416, R::InsufficientBalance, Soon, "the wallet's balance is too small"),
    (417, R::Misconfigured, Never, "the language must be english or unicode"),
    (424, R::TemplateMismatch, Never, "the message id is invalid"),
    (425, R::TemplateMismatch, Never, "the template is invalid"),
    (426, R::TemplateMismatch, Never, "a variable may not contain a link"),
    (500, R::Misconfigured, Never, "the template or sender is blacklisted at DLT"),
    (990, R::Misconfigured, Never, "the old API is switched off"),
    (995, R::RateLimited, Later, "the same number was sent to too often"),
    (996, R::Misconfigured, Never, "the OTP route needs the account's KYC"),
    (997, R::TemplateMismatch, Never, "the OTP route takes digits only"),
    (998, R::Misconfigured, Never, "bulk needs the DLT or the quick route"),
    (999, R::Misconfigured, Never, "one paid transaction is needed first"),
];

fn row(code: u32) -> Option<&'static (u32, R, Again, &'static str)> {
    CODES.iter().find(|(c, ..)| *c == code)
}

/// `None` for a code that the table does not know.
pub fn failure(code: u32, text: &str) -> Option<Failure> {
    let (_, reason, again, meaning) = row(code)?;
    let detail = if text.is_empty() { (*meaning).to_owned() } else { note::masked(text) };
    Some(Failure::new(code.to_string(), *reason, *again == Never, detail))
}

/// Seconds to wait where the code itself says how long.
pub fn wait(code: u32) -> Option<u32> {
    row(code).filter(|(_, _, again, _)| *again == Later).map(|_| LATER_SECONDS)
}

/// What a delivery status means; `None` for an unknown one, which says
/// nothing: the list of statuses is not documented in full.
pub fn kind(status: &str, text: Option<&str>) -> Option<ReceiptKind> {
    let status = status.trim().to_ascii_lowercase();
    let (reason, permanent) = match status.as_str() {
        "pending" | "queued" | "accepted" => return Some(ReceiptKind::InProgress),
        "sent" | "submitted" => return Some(ReceiptKind::Sent),
        "delivered" => return Some(ReceiptKind::Delivered),
        "failed" => (R::Other, false),
        "undelivered" => (R::Unreachable, false),
        "rejected" => (R::ContentRejected, true),
        // The number is on the national do-not-disturb list. That forbids
        // promotion; it is no opt-out from this sender.
        "dnd" => (R::Unreachable, true),
        "expired" => (R::Expired, true),
        _ => return None,
    };
    let detail = note::masked(text.filter(|t| !t.is_empty()).unwrap_or("no reason is given"));
    Some(ReceiptKind::Failed(Failure::new(status, reason, permanent, detail)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_stands_in_the_table_once_with_words() {
        let mut seen = std::collections::BTreeSet::new();
        for (code, _, _, meaning) in CODES {
            assert!(seen.insert(code) && !meaning.is_empty(), "{code}");
        }
    }

    #[test]
    fn codes_mean_what_the_list_says() {
        for (code, reason, permanent, wait_for) in [
            (411, R::InvalidAddress, true, None),
            (412, R::Misconfigured, true, None),
            (416, R::InsufficientBalance, false, None),
            (425, R::TemplateMismatch, true, None),
            (500, R::Misconfigured, true, None),
            (995, R::RateLimited, false, Some(3_600)),
        ] {
            let failure = failure(code, "").expect("known");
            assert_eq!(
                (failure.reason, failure.permanent, wait(code)),
                (reason, permanent, wait_for),
                "{code}"
            );
        }
        assert_eq!(failure(1, ""), None);
    }

    #[test]
    fn statuses_are_read_in_any_case() {
        use ReceiptKind::{Delivered, InProgress, Sent};
        for (status, expected) in [
            ("Delivered", Some(Delivered)),
            ("DELIVERED", Some(Delivered)),
            (" sent ", Some(Sent)),
            ("Submitted", Some(Sent)),
            ("Pending", Some(InProgress)),
            ("Teleported", None),
            ("", None),
        ] {
            assert_eq!(kind(status, None), expected, "{status}");
        }
        for (status, reason, permanent) in [
            ("Failed", R::Other, false),
            ("UNDELIVERED", R::Unreachable, false),
            ("Rejected", R::ContentRejected, true),
            ("DND", R::Unreachable, true),
            ("Expired", R::Expired, true),
        ] {
            let Some(ReceiptKind::Failed(failure)) = kind(status, Some("9812345678 is off")) else {
                panic!("{status} is a failure");
            };
            assert_eq!((failure.reason, failure.permanent), (reason, permanent), "{status}");
            assert_eq!(failure.detail, "••••78 is off");
        }
    }
}
