//! Any text, counted: never less than its units need, never more than what is
//! not split can cost. And what an inbound text means is found without end.

use carillon_domain::keywords;
use carillon_domain::segments::{Encoding, count, gsm7_replacements};

use crate::input::texts;

pub fn check(data: &[u8]) {
    let Some([text]) = texts(data) else { return };
    assert_bounded(text);
    if let Some(replaced) = gsm7_replacements(text) {
        assert_eq!(count(text).encoding, Encoding::Ucs2, "only what costs double is replaced");
        assert_eq!(count(&replaced).encoding, Encoding::Gsm7);
        assert!(replaced.chars().count() <= 4 * text.chars().count());
        assert_eq!(gsm7_replacements(&replaced), None);
    }
    let said = keywords::classify(text);
    assert_eq!(keywords::classify(&format!("  {text}\n")), said, "space around it means nothing");
}

fn assert_bounded(text: &str) {
    let counted = count(text);
    let (units, segments) = (counted.units, u32::from(counted.segments));
    assert_eq!(units == 0, text.is_empty());
    assert_eq!(segments == 0, text.is_empty());
    if segments == u32::from(u16::MAX) {
        return;
    }
    let (single, multi) = (counted.encoding.single(), counted.encoding.multi());
    if units <= single {
        assert!(segments <= 1);
        return;
    }
    assert!(segments >= units.div_ceil(multi), "{units} units in {segments}");
    match counted.encoding {
        // An extension character that does not fit leaves one septet free.
        Encoding::Gsm7 => assert!(segments <= units.div_ceil(multi - 1)),
        // What is begun anew did not fit in: two neighbours hold more than one can.
        Encoding::Ucs2 => assert!((segments / 2) * (multi + 1) <= units),
    }
}
