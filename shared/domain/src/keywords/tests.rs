use proptest::prelude::*;

use super::*;

fn check(text: &str, expected: Option<Match>) {
    assert_eq!(classify(text), expected, "{text:?}");
}

#[test]
fn a_word_alone_counts_however_it_is_typed() {
    for text in [
        "STOP",
        "Stop.",
        " sToP ",
        "\"stop\"",
        "“STOP!!!”",
        "stop\n",
        "ＳＴＯＰ",
        "STOP 🛑",
        "🛑STOP🛑",
        "s\u{200b}top",
        "*STOP*",
        "(stop)",
        "-stop-",
        "stop;",
        "STOP ALL",
        "stop   all",
        "StopAll",
        "opt out",
        "OPT-OUT",
        "Opt - Out",
        "unsubscribe",
        "Unsub",
        "cancel",
        "END",
        "quit.",
        "revoke",
        "remove me!",
        "T",
        "td",
        "Arrêt",
        "ARRET",
        "arre\u{302}t",
        "Arrêté",
        "STOPP",
        "стоп",
        "Отписаться.",
        "İPTAL",
        "ıptal",
        "dur",
        "Baja",
        "¡ALTO!",
        "dừng",
        "रोकें",
        "रोकें।",
        "बंद करें",
        "બંધ",
        "বন্ধ",
        "நிறுத்து",
        "ఆపండి",
        "ನಿಲ್ಲಿಸಿ",
        "നിർത്തുക",
        "ਰੋਕੋ",
        "روکیں",
        "إيقاف",
        "ايقاف",
        "قِف",
        "停止。",
        "退订",
        "BERHENTI",
    ] {
        check(text, Some(Match::Exact(Keyword::Stop)));
    }
    for text in
        ["START", "start!", "Unstop", "Başla", "começar", "शुरू", "ابدأ", "开始", "ਸ਼ੁਰੂ", "Mulai"]
    {
        check(text, Some(Match::Exact(Keyword::Start)));
    }
    for text in ["HELP", "help?", "Info", "¿Ayuda?", "मदद", "помощь", "ヘルプ"] {
        check(text, Some(Match::Exact(Keyword::Help)));
    }
}

#[test]
fn asking_in_other_words_counts_too() {
    for text in [
        "STOP PLEASE",
        "please stop",
        "pls STOP now",
        "ok stop",
        "stop it",
        "stop!!! thanks",
        "Please, stop.",
        "can you stop?",
        "stop 1234",
        "unsubscribe please",
        "stopp bitte",
        "Stop texting me!",
        "stop messaging me you idiots",
        "please stop sending me these messages every day",
        "Take me off your list",
        "please remove me from this list thanks",
        "Do not text me again",
        "don't text me",
        "Don’t text me",
        "DONT CALL ME EVER",
        "leave me alone",
        "sorry, wrong number",
        "I'm not interested, please stop",
        "Not interested. Stop it already, thank you",
        "unsubscribe me from this",
        "I would like to opt out of these",
        "no more texts",
        "I do not want this. Stop texting me",
        "It is not for me, remove me",
    ] {
        check(text, Some(Match::Phrase(Keyword::Stop)));
    }
}

#[test]
fn what_may_mean_something_else_is_for_a_person() {
    for text in [
        "don't stop the event",
        "Don’t stop",
        "please don't stop",
        "never stop!",
        "you can't stop",
        "do not ever stop texting me",
        "don't remove me",
        "please do not unsubscribe me",
        "I will stop at the office on my way home",
        "when does it stop?",
        "where is the bus stop",
        "Can I stop by at 5?",
        "the rain will stop tomorrow so let us meet",
        "we could not unsubscribe the old address yesterday",
    ] {
        check(text, Some(Match::Ambiguous));
    }
}

#[test]
fn ordinary_talk_is_left_alone() {
    for text in [
        "",
        "   ",
        "🛑",
        "...",
        "YES",
        "yes please",
        "ok",
        "Thanks!",
        "cancel my appointment",
        "the end",
        "para mi",
        "I need help with my booking",
        "start at 5?",
        "info please",
        "stopped by yesterday",
        "nonstop",
        "unstoppable",
        "red or blue",
        "T-shirt",
        "quit smoking",
        "बंद है क्या",
        "not interested",
        "don't",
        "END OF DAY works",
    ] {
        check(text, None);
    }
}

#[test]
fn no_word_means_two_things() {
    let mut seen = std::collections::HashMap::new();
    for language in words::LANGUAGES {
        let lists = [
            (language.stop, Keyword::Stop),
            (language.start, Keyword::Start),
            (language.help, Keyword::Help),
        ];
        for (list, keyword) in lists {
            assert!(!list.is_empty(), "{}", language.tag);
            for word in list {
                let normal = words::normal(word);
                assert!(!normal.is_empty(), "{word}");
                let before = *seen.entry(normal).or_insert(keyword);
                assert_eq!(before, keyword, "{word} ({})", language.tag);
                check(word, Some(Match::Exact(keyword)));
                check(&format!("  {}!! ", word.to_lowercase()), Some(Match::Exact(keyword)));
            }
        }
        assert!(
            language.strong.iter().all(|word| language.stop.contains(word)),
            "{}",
            language.tag
        );
    }
}

#[test]
fn keywords_are_written_as_the_contract_says() {
    for keyword in Keyword::ALL {
        assert_eq!(Keyword::parse(keyword.as_str()), Some(keyword));
        assert_eq!(serde_json::to_value(keyword).expect("a string"), keyword.as_str());
    }
    assert_eq!(Match::Phrase(Keyword::Stop).keyword(), Some(Keyword::Stop));
    assert_eq!(Match::Ambiguous.keyword(), None);
}

proptest! {
    #[test]
    fn no_message_makes_it_panic(text in "\\PC{0,60}|((stop|dont|not|opt|out|me|please|by|[.!]) ?){0,8}") {
        let _ = classify(&text);
    }

    #[test]
    fn a_negated_stop_never_opts_out(
        negator in "(please )?(don't|do not|never|didn't) (ever |please )?",
        rest in "( [a-m]{1,6}){0,6}",
    ) {
        prop_assert_eq!(classify(&format!("{negator}stop{rest}")), Some(Match::Ambiguous));
    }
}
