//! Characters that a word processor puts in and that make a text cost double,
//! with what they look like in GSM-7.

use unicode_normalization::UnicodeNormalization;

use super::gsm7;

/// The text with its look-alikes replaced, if that makes it GSM-7. `None` when
/// it already is, or when something remains that has no look-alike: half a
/// replacement would change the text and save nothing.
#[must_use]
pub fn gsm7_replacements(text: &str) -> Option<String> {
    if gsm7::units(text).is_some() {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    // Letters written with separate accents first become the letters they are.
    for c in text.nfc() {
        if gsm7::cost(c).is_some() {
            out.push(c);
        } else {
            out.push_str(look_alike(c)?);
        }
    }
    Some(out)
}

/// Only what reads the same: a letter never loses its accent.
const fn look_alike(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{2018}'..='\u{201b}'
        | '\u{2032}'
        | '\u{2035}'
        | '\u{2b9}'
        | '\u{2bb}'
        | '\u{2bc}'
        | '\u{2c8}'
        | '\u{b4}'
        | '\u{2039}'
        | '\u{203a}'
        | '`'
        | '＇' => "'",
        '\u{201c}'..='\u{201f}'
        | '\u{2033}'
        | '\u{2036}'
        | '\u{ab}'
        | '\u{bb}'
        | '\u{2ba}'
        | '\u{2ee}'
        | '＂' => "\"",
        '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '－' => "-",
        '\u{2026}' | '\u{22ef}' => "...",
        '\u{2024}' | '．' => ".",
        '\u{2022}' | '\u{2023}' | '\u{25cf}' | '\u{b7}' | '\u{2219}' => "*",
        '\t'
        | '\u{a0}'
        | '\u{1680}'
        | '\u{2000}'..='\u{200a}'
        | '\u{202f}'
        | '\u{205f}'
        | '\u{3000}' => " ",
        '\u{2028}' | '\u{2029}' | '\u{85}' => "\n",
        '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{200e}' | '\u{200f}' => "",
        '\u{bc}' => "1/4",
        '\u{bd}' => "1/2",
        '\u{be}' => "3/4",
        '\u{2044}' | '\u{2215}' | '／' => "/",
        '，' => ",",
        '！' => "!",
        '？' => "?",
        '：' => ":",
        '；' => ";",
        '（' => "(",
        '）' => ")",
        '％' => "%",
        '＋' => "+",
        '＆' => "&",
        '＃' => "#",
        '＠' => "@",
        '\u{d7}' => "x",
        '\u{2122}' => "(TM)",
        '\u{a9}' => "(c)",
        '\u{ae}' => "(R)",
        _ => return None,
    })
}
