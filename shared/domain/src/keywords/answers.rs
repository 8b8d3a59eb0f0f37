//! Words by which a client answers a notice of a booking. They count only as the
//! whole message, and never where they are words for STOP, START or HELP.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::words::normal;
use crate::booking::ClientReply;

/// Those of other languages than English want a native speaker's eye.
const CONFIRM: &[&str] = &[
    "C",
    "CONFIRM",
    "CONFIRMED",
    "I CONFIRM",
    "CONFIRMO",
    "CONFIRMADO",
    "CONFIRMAR",
    "CONFIRME",
    "JE CONFIRME",
    "CONFIRMER",
    "BESTÄTIGT",
    "BESTÄTIGEN",
    "BESTAETIGT",
    "CONFERMO",
    "CONFERMA",
    "पुष्टि",
    "KONFIRMASI",
    "ПОДТВЕРЖДАЮ",
    "確認",
];
const RESCHEDULE: &[&str] = &[
    "R",
    "RESCHEDULE",
    "RESCHEDULE PLEASE",
    "PLEASE RESCHEDULE",
    "REPROGRAMAR",
    "REAGENDAR",
    "REMARCAR",
    "REPORTER",
    "VERSCHIEBEN",
    "RIPROGRAMMARE",
    "SPOSTARE",
    "समय बदलें",
    "JADWAL ULANG",
    "ПЕРЕНЕСТИ",
    "変更",
];

static WORDS: LazyLock<HashMap<String, ClientReply>> = LazyLock::new(|| {
    let of = |words: &'static [&'static str], answer| {
        words.iter().map(move |word| (normal(word), answer))
    };
    of(CONFIRM, ClientReply::Confirmed)
        .chain(of(RESCHEDULE, ClientReply::RescheduleRequested))
        .collect()
});

pub(super) fn find(message: &str) -> Option<ClientReply> {
    WORDS.get(message).copied()
}

#[cfg(test)]
mod tests {
    use super::super::{booking_answer, classify};
    use super::*;

    #[test]
    fn no_word_is_one_for_stop_start_or_help() {
        for word in CONFIRM.iter().chain(RESCHEDULE) {
            assert_eq!(classify(word), None, "{word}");
            assert!(booking_answer(word).is_some(), "{word}");
        }
    }

    #[test]
    fn only_the_whole_message_counts() {
        for (text, answer) in [
            ("C", Some(ClientReply::Confirmed)),
            (" c. ", Some(ClientReply::Confirmed)),
            ("Confirm!", Some(ClientReply::Confirmed)),
            ("r", Some(ClientReply::RescheduleRequested)),
            ("Please reschedule", Some(ClientReply::RescheduleRequested)),
            ("Can you confirm the address?", None),
            ("C is for cookie", None),
            ("CANCEL", None),
            ("STOP", None),
            ("", None),
        ] {
            assert_eq!(booking_answer(text), answer, "{text}");
        }
    }
}
