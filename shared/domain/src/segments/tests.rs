use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Counts made with the provider's own calculator.
fn vectors() -> Value {
    serde_json::from_str(include_str!("../../tests/data/sms-segments-vectors.json"))
        .expect("vectors are JSON")
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().expect("a text")
}

#[test]
fn counts_as_the_provider_does() {
    let vectors = vectors();
    let list = vectors["vectors"].as_array().expect("a list");
    assert!(list.len() >= 45);
    for vector in list {
        let found = count(text(vector, "text"));
        let encoding = match found.encoding {
            Encoding::Gsm7 => "GSM-7",
            Encoding::Ucs2 => "UCS-2",
        };
        assert_eq!(
            (encoding, u64::from(found.segments), u64::from(found.units)),
            (
                text(vector, "encoding"),
                vector["segments"].as_u64().expect("a number"),
                vector["units"].as_u64().expect("a number"),
            ),
            "{}",
            text(vector, "name"),
        );
    }
    assert_eq!(count(""), Segments { encoding: Encoding::Gsm7, segments: 0, units: 0 });
}

#[test]
fn the_alphabet_is_exactly_the_one_of_the_standard() {
    let vectors = vectors();
    for (table, cost) in [("gsm7_basic", 1), ("gsm7_extension", 2)] {
        let expected: Vec<char> = vectors[table]
            .as_object()
            .expect("a table")
            .keys()
            .map(|key| u32::from_str_radix(&key[2..], 16).ok().and_then(char::from_u32))
            .collect::<Option<_>>()
            .expect("code points");
        let found: Vec<char> =
            ('\0'..=char::MAX).filter(|c| gsm7::cost(*c) == Some(cost)).collect();
        let mut expected = expected;
        expected.sort_unstable();
        assert_eq!(found, expected, "{table}");
    }
}

#[test]
fn look_alikes_are_replaced_only_when_that_makes_the_text_gsm7() {
    for (text, expected) in [
        ("plain", None),
        ("it’s", Some("it's")),
        ("“Big” – now…", Some("\"Big\" - now...")),
        ("a\u{a0}b\tc", Some("a b c")),
        ("e\u{301}te\u{301}", Some("été")),
        ("„Hallo“", Some("\"Hallo\"")),
        ("½ price", Some("1/2 price")),
        ("“naïve”", None),
        ("it’s 👍", None),
        ("₹499 – now", None),
        ("ça va", None),
    ] {
        assert_eq!(gsm7_replacements(text).as_deref(), expected, "{text}");
    }
    for vector in vectors()["smart_encoding_vectors"].as_array().expect("a list") {
        let expected = (vector["encoding"] == "GSM-7").then(|| text(vector, "smart_encoded_text"));
        assert_eq!(gsm7_replacements(text(vector, "text")).as_deref(), expected);
    }
}

#[test]
fn a_cluster_longer_than_a_segment_is_split_rather_than_lost() {
    let text = format!("{}a{}", "я".repeat(60), "\u{301}".repeat(99));
    assert_eq!(count(&text), Segments { encoding: Encoding::Ucs2, segments: 3, units: 160 });
}

#[test]
fn a_text_without_end_does_not_overflow_the_count() {
    assert_eq!(count(&"я".repeat(67 * 65_536)).segments, u16::MAX);
}

#[test]
fn encodings_are_written_as_the_contract_says() {
    for encoding in Encoding::ALL {
        assert_eq!(Encoding::parse(encoding.as_str()), Some(encoding));
        let json = serde_json::to_value(encoding).expect("a string");
        assert_eq!(json, encoding.as_str());
    }
}

/// Texts that cross every boundary: both alphabets, pairs, clusters, line ends.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => "[ -~]{0,80}",
        2 => "[€\\[\\]{}^|~]{1,40}",
        2 => Just("👨\u{200d}👩\u{200d}👧".to_owned()),
        1 => Just("\r\n".to_owned()),
        1 => "[à-ÿа-я]{0,60}",
        1 => "\u{301}{1,80}",
        1 => "\\PC{0,20}",
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn appending_never_makes_a_text_cheaper(a in any_text(), b in any_text()) {
        let whole = count(&format!("{a}{b}"));
        prop_assert!(whole.segments >= count(&a).segments);
    }

    #[test]
    fn units_of_the_parts_are_the_units_of_the_whole(a in any_text(), b in any_text()) {
        let (whole, left, right) = (count(&format!("{a}{b}")), count(&a), count(&b));
        if left.encoding == right.encoding {
            prop_assert_eq!(whole.units, left.units + right.units);
            prop_assert_eq!(whole.encoding, left.encoding);
        } else {
            prop_assert_eq!(whole.encoding, Encoding::Ucs2);
        }
    }

    #[test]
    fn segments_hold_their_units_and_waste_little(text in any_text()) {
        let Segments { encoding, segments, units } = count(&text);
        let segments = u32::from(segments);
        if units <= encoding.single() {
            prop_assert_eq!(segments, units.min(1));
        } else {
            prop_assert!(units <= segments * encoding.multi());
            prop_assert!(segments >= 2);
        }
    }

    #[test]
    fn a_replacement_is_gsm7_and_offers_nothing_more(text in any_text()) {
        if let Some(replaced) = gsm7_replacements(&text) {
            prop_assert_eq!(count(&replaced).encoding, Encoding::Gsm7);
            prop_assert_eq!(count(&text).encoding, Encoding::Ucs2);
            prop_assert_eq!(gsm7_replacements(&replaced), None);
        }
    }
}
