//! Words by which a client answers a notice of a booking. They count only as the
//! whole message, and never where they are words for STOP, START or HELP.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::words::normal;
use crate::booking::Answer;

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

static WORDS: LazyLock<HashMap<String, Answer>> = LazyLock::new(|| {
    let of = |words: &'static [&'static str], answer| {
        words.iter().map(move |word| (normal(word), answer))
    };
    of(CONFIRM, Answer::Confirmed).chain(of(RESCHEDULE, Answer::RescheduleRequested)).collect()
});

pub(super) fn find(message: &str) -> Option<Answer> {
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
            ("C", Some(Answer::Confirmed)),
            (" c. ", Some(Answer::Confirmed)),
            ("Confirm!", Some(Answer::Confirmed)),
            ("r", Some(Answer::RescheduleRequested)),
            ("Please reschedule", Some(Answer::RescheduleRequested)),
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
