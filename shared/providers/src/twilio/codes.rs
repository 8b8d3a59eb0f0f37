//! Twilio's error codes and statuses, as tables.
//!
//! Codes and meanings: Twilio's error dictionary. What they mean to us is our
//! reading of it; the words are ours, and are shown where Twilio sends a code
//! alone, as it does in status callbacks.

use carillon_domain::receipt::ReceiptKind;
use carillon_domain::{Failure, FailureReason as R};

use crate::note;

/// When the same message may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    Soon,
    /// A quota of the day is used up.
    Tomorrow,
    Never,
}
use Again::{Never, Soon, Tomorrow};

const DAY_SECONDS: u32 = 86_400;

#[rustfmt::skip]
const CODES: &[(u32, R, Again, &str)] = &[
    // Too fast, or Twilio and the networks are in trouble.
    (14107, R::RateLimited, Soon, "messages are sent too fast"),
    (20429, R::RateLimited, Soon, "too many requests to the API"),
    (21611, R::RateLimited, Soon, "the sender's queue is full"),
    (30001, R::RateLimited, Soon, "the queue overflowed"),
    (30017, R::RateLimited, Soon, "the carrier's network is congested"),
    (30022, R::RateLimited, Soon, "the 10DLC rate limit is exceeded"),
    (63017, R::RateLimited, Soon, "the channel's rate limit is exceeded"),
    (63018, R::RateLimited, Soon, "the channel's rate limit is exceeded"),
    (20500, R::ProviderDown, Soon, "an internal error of Twilio"),
    (20503, R::ProviderDown, Soon, "Twilio is unavailable"),
    (21730, R::ProviderDown, Soon, "Twilio is under maintenance"),
    (30020, R::ProviderDown, Soon, "an internal failure of Twilio"),
    (30021, R::ProviderDown, Soon, "an internal failure of Twilio"),
    (30410, R::ProviderDown, Soon, "a provider behind Twilio timed out"),
    (63009, R::ProviderDown, Soon, "the channel's provider answered with an error"),
    (63010, R::ProviderDown, Soon, "an internal error of the channel"),
    (63012, R::ProviderDown, Soon, "an internal error of the channel's provider"),
    (30003, R::Unreachable, Soon, "the handset cannot be reached"),
    (30008, R::Other, Soon, "the carrier gave no reason"),
    (30023, R::RateLimited, Tomorrow, "the brand's daily limit is used up"),
    (30027, R::RateLimited, Tomorrow, "the T-Mobile daily limit is used up"),
    (63038, R::RateLimited, Tomorrow, "the account's daily message limit is used up"),
    (63049, R::RateLimited, Tomorrow, "Meta chose not to deliver a marketing message"),
    // This recipient cannot be reached.
    (21211, R::InvalidAddress, Never, "the number is not valid"),
    (21217, R::InvalidAddress, Never, "the number is not valid"),
    (21401, R::InvalidAddress, Never, "the number is not valid"),
    (21614, R::InvalidAddress, Never, "the number is not a mobile"),
    (21635, R::InvalidAddress, Never, "the number is a landline"),
    (30005, R::InvalidAddress, Never, "the number is unknown or no longer in service"),
    (30006, R::InvalidAddress, Never, "a landline, or a carrier that cannot be reached"),
    (63003, R::InvalidAddress, Never, "the channel does not know this user"),
    (63024, R::InvalidAddress, Never, "the channel does not accept this recipient"),
    (21214, R::Unreachable, Never, "the number cannot be reached"),
    (21612, R::Unreachable, Never, "this sender cannot reach this number"),
    (30011, R::Unreachable, Never, "the carrier does not support MMS"),
    (63032, R::Unreachable, Never, "WhatsApp limits messages to this user"),
    (63036, R::Unreachable, Never, "the number cannot be reached by RCS"),
    // This recipient does not want messages.
    (21610, R::OptedOut, Never, "the recipient has unsubscribed from this sender"),
    (30004, R::OptedOut, Never, "blocked by the recipient, the carrier or the device"),
    (63014, R::OptedOut, Never, "blocked by the user"),
    (63033, R::OptedOut, Never, "the recipient blocked the sender"),
    // This text cannot be sent.
    (14103, R::ContentRejected, Never, "the body is invalid"),
    (14109, R::ContentRejected, Never, "too many replies"),
    (21602, R::ContentRejected, Never, "a body is needed"),
    (21617, R::ContentRejected, Never, "the body is too long"),
    (21618, R::ContentRejected, Never, "the body cannot be sent"),
    (21619, R::ContentRejected, Never, "there is nothing to send"),
    (21620, R::ContentRejected, Never, "a media URL is invalid"),
    (21623, R::ContentRejected, Never, "too many media"),
    (21624, R::ContentRejected, Never, "the validity period is out of range"),
    (30007, R::ContentRejected, Never, "filtered by Twilio or the carrier"),
    (30010, R::ContentRejected, Never, "the price is above the maximum"),
    (30019, R::ContentRejected, Never, "the content is too big"),
    (30450, R::ContentRejected, Never, "delivery is blocked by a rule"),
    (63005, R::ContentRejected, Never, "the channel refused the content"),
    (63006, R::ContentRejected, Never, "the channel refused the format"),
    (63013, R::ContentRejected, Never, "it violates the channel's policy"),
    (63019, R::ContentRejected, Never, "the media cannot be downloaded"),
    (63021, R::ContentRejected, Never, "the channel refused the content"),
    (63026, R::ContentRejected, Never, "marked as spam"),
    (63029, R::ContentRejected, Never, "the media cannot be downloaded"),
    (63031, R::ContentRejected, Never, "sender and recipient are the same"),
    (63034, R::ContentRejected, Never, "the media is too big"),
    (21654, R::TemplateMismatch, Never, "the content SID is wrong"),
    (21655, R::TemplateMismatch, Never, "the content SID is wrong"),
    (21656, R::TemplateMismatch, Never, "the content variables are wrong"),
    (63016, R::TemplateMismatch, Never, "outside the 24-hour window a template is needed"),
    (63027, R::TemplateMismatch, Never, "the template does not exist in that language"),
    (63028, R::TemplateMismatch, Never, "the number of template parameters is wrong"),
    (63030, R::TemplateMismatch, Never, "a template parameter is not supported"),
    (63040, R::TemplateMismatch, Never, "the template is rejected"),
    (63041, R::TemplateMismatch, Never, "the template is paused"),
    (63042, R::TemplateMismatch, Never, "the template is disabled"),
    // The account cannot send like this; every message would fail.
    (20003, R::Misconfigured, Never, "the credentials are wrong or lack permission"),
    (20005, R::Misconfigured, Never, "the account is not active"),
    (20006, R::Misconfigured, Never, "access is denied"),
    (20008, R::Misconfigured, Never, "test credentials cannot do this"),
    (20403, R::Misconfigured, Never, "access is forbidden"),
    (20404, R::Misconfigured, Never, "the resource does not exist"),
    (20409, R::Misconfigured, Never, "the request conflicts with another"),
    (20422, R::Misconfigured, Never, "a parameter is invalid"),
    (21212, R::Misconfigured, Never, "the sender is invalid"),
    (21408, R::Misconfigured, Never, "the account may not send to this region"),
    (21603, R::Misconfigured, Never, "a sender is needed"),
    (21606, R::Misconfigured, Never, "the sender is not able to send, or not the account's"),
    (21608, R::Misconfigured, Never, "a trial account sends to verified numbers only"),
    (21609, R::Misconfigured, Never, "the status callback address is invalid"),
    (21621, R::Misconfigured, Never, "the sender cannot send media"),
    (21622, R::Misconfigured, Never, "MMS is not enabled"),
    (21657, R::Misconfigured, Never, "the sender id is invalid"),
    (21701, R::Misconfigured, Never, "the messaging service does not exist"),
    (21703, R::Misconfigured, Never, "the messaging service has no sender"),
    (21704, R::Misconfigured, Never, "the messaging service has no sender"),
    (21705, R::Misconfigured, Never, "the messaging service is invalid"),
    (30002, R::Misconfigured, Never, "the account is suspended"),
    (30018, R::Misconfigured, Never, "the destination needs a registered sender"),
    (30024, R::Misconfigured, Never, "the sender is not provisioned with the carrier"),
    (30032, R::Misconfigured, Never, "the toll-free number is not verified"),
    (30033, R::Misconfigured, Never, "the 10DLC campaign is suspended"),
    (30034, R::Misconfigured, Never, "the number is not registered for 10DLC"),
    (30035, R::Misconfigured, Never, "the number is still being set up"),
    (63001, R::Misconfigured, Never, "the channel cannot be authenticated"),
    (63007, R::Misconfigured, Never, "there is no channel with that sender"),
    (63008, R::Misconfigured, Never, "the channel is misconfigured"),
    (63015, R::Misconfigured, Never, "the recipient has not joined the sandbox"),
    (63020, R::Misconfigured, Never, "the Business Manager is not set up"),
    (63022, R::Misconfigured, Never, "the name certificate is invalid"),
    (63035, R::Misconfigured, Never, "the RCS agent is not launched"),
    (63051, R::Misconfigured, Never, "the WhatsApp account is locked"),
    // Too late.
    (30012, R::Expired, Never, "the time to live is too small"),
    (30013, R::Expired, Never, "the time to live is too big"),
    (30036, R::Expired, Never, "the validity period has passed"),
];

fn row(code: u32) -> Option<&'static (u32, R, Again, &'static str)> {
    CODES.iter().find(|(c, ..)| *c == code)
}

/// `None` for a code that the table does not know.
pub fn failure(code: u32, text: Option<&str>) -> Option<Failure> {
    let (_, reason, again, meaning) = row(code)?;
    let detail = text.filter(|t| !t.is_empty()).map_or_else(|| (*meaning).to_owned(), note::masked);
    Some(Failure::new(code.to_string(), *reason, *again == Never, detail))
}

/// Seconds to wait where the code itself says how long.
pub fn wait(code: u32) -> Option<u32> {
    row(code).filter(|(_, _, again, _)| *again == Tomorrow).map(|_| DAY_SECONDS)
}

/// What a status of a message sent by us means; `None` for one that is unknown
/// or of an inbound message. `code` and `text` come with a failure.
pub fn kind(status: &str, code: Option<&str>, text: Option<&str>) -> Option<ReceiptKind> {
    Some(match status {
        "scheduled" | "accepted" | "queued" | "sending" => ReceiptKind::InProgress,
        "sent" | "partially_delivered" => ReceiptKind::Sent,
        "delivered" => ReceiptKind::Delivered,
        "read" => ReceiptKind::Read,
        "undelivered" | "failed" => ReceiptKind::Failed(undelivered(status, code, text)),
        "canceled" => {
            ReceiptKind::Failed(Failure::new("canceled", R::Other, true, "canceled at Twilio"))
        }
        _ => return None,
    })
}

/// Without a code, or with an unknown one, it is read as 30008: no reason given.
fn undelivered(status: &str, code: Option<&str>, text: Option<&str>) -> Failure {
    let code = code.filter(|c| !c.is_empty() && *c != "0");
    code.and_then(|c| failure(c.parse().ok()?, text)).unwrap_or_else(|| {
        let detail = text.filter(|t| !t.is_empty()).unwrap_or("no reason is given");
        Failure::new(note::masked(code.unwrap_or(status)), R::Other, false, note::masked(detail))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_stands_in_the_table_once_with_words() {
        let mut seen = std::collections::BTreeSet::new();
        for (code, _, _, meaning) in CODES {
            assert!(seen.insert(code), "{code} twice");
            assert!((10_000..100_000).contains(code) && !meaning.is_empty(), "{code}");
        }
    }

    #[test]
    fn codes_mean_what_the_dictionary_says() {
        for (code, reason, permanent, wait_for) in [
            (20429, R::RateLimited, false, None),
            (30001, R::RateLimited, false, None),
            (30003, R::Unreachable, false, None),
            (63038, R::RateLimited, false, Some(86_400)),
            (21211, R::InvalidAddress, true, None),
            (21610, R::OptedOut, true, None),
            (30007, R::ContentRejected, true, None),
            (20003, R::Misconfigured, true, None),
            (30036, R::Expired, true, None),
        ] {
            let failure = failure(code, None).expect("known");
            assert_eq!(
                (failure.reason, failure.permanent, wait(code)),
                (reason, permanent, wait_for),
                "{code}"
            );
            assert_eq!(failure.code, code.to_string());
        }
        assert_eq!(failure(99_999, None), None);
        assert_eq!(wait(99_999), None);
    }

    #[test]
    fn statuses_of_twilio_become_ours() {
        use ReceiptKind::{Delivered, InProgress, Read, Sent};
        for (status, expected) in [
            ("scheduled", Some(InProgress)),
            ("accepted", Some(InProgress)),
            ("queued", Some(InProgress)),
            ("sending", Some(InProgress)),
            ("sent", Some(Sent)),
            ("partially_delivered", Some(Sent)),
            ("delivered", Some(Delivered)),
            ("read", Some(Read)),
            ("received", None),
            ("receiving", None),
            ("teleported", None),
            ("", None),
        ] {
            assert_eq!(kind(status, None, None), expected, "{status}");
        }
    }

    #[test]
    fn a_failure_keeps_its_code_and_has_words_even_without_any() {
        let failed = |status, code, text| match kind(status, code, text) {
            Some(ReceiptKind::Failed(f)) => (f.code, f.reason, f.permanent, f.detail),
            other => panic!("{other:?}"),
        };
        let meaning = "the number is unknown or no longer in service".to_owned();
        assert_eq!(
            failed("undelivered", Some("30005"), None),
            ("30005".into(), R::InvalidAddress, true, meaning)
        );
        let text = "handset +919812345678 is off";
        assert_eq!(
            failed("undelivered", Some("30003"), Some(text)),
            ("30003".into(), R::Unreachable, false, "handset +••••78 is off".into())
        );
        let nothing = "no reason is given".to_owned();
        assert_eq!(
            failed("failed", None, None),
            ("failed".into(), R::Other, false, nothing.clone())
        );
        assert_eq!(
            failed("failed", Some("39999"), None),
            ("39999".into(), R::Other, false, nothing.clone())
        );
        assert_eq!(failed("failed", Some("x9"), None), ("x9".into(), R::Other, false, nothing));
        assert_eq!(failed("canceled", None, None).0, "canceled");
    }
}
