//! The words, by language. Those of other languages than English want a native
//! speaker's eye before they are shown as complete.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Keyword, normalise};

/// One language's words.
#[derive(Debug)]
pub struct Language {
    /// BCP 47.
    pub tag: &'static str,
    pub stop: &'static [&'static str],
    pub start: &'static [&'static str],
    pub help: &'static [&'static str],
    /// Of `stop`: what nobody writes about anything else, so that it also
    /// counts with a few words around it.
    pub strong: &'static [&'static str],
}

/// All languages that are understood, wherever a message comes from.
#[rustfmt::skip]
pub const LANGUAGES: &[Language] = &[
    Language {
        tag: "en",
        stop: &["STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "UNSUB", "CANCEL", "END", "QUIT", "REVOKE",
            "OPTOUT", "OPT OUT", "OPT-OUT", "REMOVE", "REMOVE ME"],
        start: &["START", "UNSTOP", "RESUBSCRIBE"],
        help: &["HELP", "INFO"],
        strong: &["STOP", "STOPALL", "UNSUBSCRIBE", "UNSUB", "OPTOUT", "OPT-OUT"],
    },
    Language { tag: "es", stop: &["ALTO", "PARAR", "PARA", "BAJA", "CANCELAR", "DETENER"],
        start: &["INICIAR", "ALTA", "COMENZAR"], help: &["AYUDA"], strong: &[] },
    Language { tag: "fr", stop: &["ARRET", "ARRÊT", "ARRETE", "ARRETT", "STOP"],
        start: &["DEBUT", "REPRENDRE"], help: &["AIDE"], strong: &[] },
    Language { tag: "pt", stop: &["PARAR", "PARE", "SAIR", "CANCELAR"],
        start: &["INICIAR", "COMEÇAR"], help: &["AJUDA"], strong: &[] },
    Language { tag: "de", stop: &["STOP", "STOPP", "ABMELDEN", "ENDE"],
        start: &["START"], help: &["HILFE"], strong: &["STOPP", "ABMELDEN"] },
    Language { tag: "it", stop: &["STOP", "FERMA", "ANNULLA", "CANCELLA"],
        start: &["INIZIA"], help: &["AIUTO"], strong: &[] },
    Language { tag: "nl", stop: &["STOP", "AFMELDEN"],
        start: &["START"], help: &["HELP", "HULP"], strong: &["AFMELDEN"] },
    Language { tag: "pl", stop: &["STOP", "REZYGNUJE"],
        start: &["START"], help: &["POMOC"], strong: &[] },
    Language { tag: "ru", stop: &["СТОП", "ОТПИСАТЬСЯ"],
        start: &["СТАРТ"], help: &["ПОМОЩЬ"], strong: &["СТОП", "ОТПИСАТЬСЯ"] },
    Language { tag: "tr", stop: &["DUR", "IPTAL", "RED"],
        start: &["BASLA"], help: &["YARDIM"], strong: &[] },
    Language { tag: "ar", stop: &["قف", "إيقاف", "الغاء"],
        start: &["ابدأ"], help: &["مساعدة"], strong: &[] },
    Language { tag: "hi", stop: &["रोकें", "बंद", "बंद करें", "रुको", "STOP"],
        start: &["शुरू"], help: &["मदद"], strong: &[] },
    Language { tag: "mr", stop: &["थांबा", "बंद"],
        start: &["सुरू"], help: &["मदत"], strong: &[] },
    Language { tag: "gu", stop: &["રોકો", "બંધ"],
        start: &["શરૂ"], help: &["મદદ"], strong: &[] },
    Language { tag: "bn", stop: &["বন্ধ", "থামুন"],
        start: &["শুরু"], help: &["সাহায্য"], strong: &[] },
    Language { tag: "ta", stop: &["நிறுத்து"],
        start: &["தொடங்கு"], help: &["உதவி"], strong: &[] },
    Language { tag: "te", stop: &["ఆపు", "ఆపండి"],
        start: &["ప్రారంభించు"], help: &["సహాయం"], strong: &[] },
    Language { tag: "kn", stop: &["ನಿಲ್ಲಿಸಿ"],
        start: &["ಪ್ರಾರಂಭಿಸಿ"], help: &["ಸಹಾಯ"], strong: &[] },
    Language { tag: "ml", stop: &["നിർത്തുക"],
        start: &["തുടങ്ങുക"], help: &["സഹായം"], strong: &[] },
    Language { tag: "pa", stop: &["ਰੋਕੋ", "ਬੰਦ"],
        start: &["ਸ਼ੁਰੂ"], help: &["ਮਦਦ"], strong: &[] },
    Language { tag: "ur", stop: &["بند", "روکیں"],
        start: &["شروع"], help: &["مدد"], strong: &[] },
    Language { tag: "id", stop: &["BERHENTI"],
        start: &["MULA", "MULAI"], help: &["BANTUAN"], strong: &["BERHENTI"] },
    Language { tag: "fil", stop: &["TIGIL", "STOP"],
        start: &["SIMULA"], help: &["TULONG"], strong: &[] },
    Language { tag: "zh", stop: &["停止", "退订", "取消", "T", "TD"],
        start: &["开始"], help: &["帮助"], strong: &["退订"] },
    Language { tag: "ja", stop: &["停止", "解除"],
        start: &["開始"], help: &["ヘルプ"], strong: &[] },
    Language { tag: "vi", stop: &["DUNG", "HUY"],
        start: &["BATDAU"], help: &["TROGIUP"], strong: &[] },
];

/// All words, written as [`normalise::tokens`] writes messages.
static EXACT: LazyLock<HashMap<String, Keyword>> = LazyLock::new(|| {
    let of = |language: &'static Language| {
        [
            (language.stop, Keyword::Stop),
            (language.start, Keyword::Start),
            (language.help, Keyword::Help),
        ]
    };
    LANGUAGES
        .iter()
        .flat_map(of)
        .flat_map(|(words, keyword)| words.iter().map(move |word| (normal(word), keyword)))
        .collect()
});

static STRONG: LazyLock<Vec<String>> =
    LazyLock::new(|| LANGUAGES.iter().flat_map(|l| l.strong).map(|word| normal(word)).collect());

pub(super) fn exact(message: &str) -> Option<Keyword> {
    EXACT.get(message).copied()
}

pub(super) fn is_strong(token: &str) -> bool {
    STRONG.iter().any(|word| word == token)
}

pub(super) fn normal(word: &str) -> String {
    normalise::tokens(word).join(" ")
}
