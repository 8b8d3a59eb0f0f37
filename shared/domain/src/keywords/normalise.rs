//! One way of writing for all ways of typing: `“STOP!!”`, `ｓｔｏｐ`, `arrêt 🛑`.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The words of a message: NFKC, lower case, without accents on Latin letters,
/// without emoji and without punctuation around them. What is left of
/// punctuation is inside (`opt-out`); apostrophes are dropped (`dont`).
pub(super) fn tokens(text: &str) -> Vec<String> {
    let folded = fold(text);
    let words = folded.split(char::is_whitespace).map(|word| word.trim_matches(is_around));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Punctuation, symbols and emoji. Vowel signs of Indic scripts are marks of
/// their letter, not punctuation.
fn is_around(c: char) -> bool {
    !c.is_alphanumeric() && !is_combining_mark(c)
}

fn fold(text: &str) -> String {
    let mut latin = false;
    let mut out = String::with_capacity(text.len());
    // Lower case after decomposing: İ is I with a dot, and the dot goes.
    for c in text.nfkd().flat_map(char::to_lowercase) {
        if is_combining_mark(c) {
            if !is_dropped_mark(c, latin) {
                out.push(c);
            }
            continue;
        }
        latin = c.is_ascii_alphabetic();
        match c {
            'ß' => out.push_str("ss"),
            'ı' => out.push('i'),
            // Apostrophes, and characters that show nothing (joiners, direction
            // marks, the Arabic stretch).
            '\'' | '\u{2018}' | '\u{2019}' | '\u{2bc}' | '`' | '\u{b4}' => {}
            '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{feff}'
            | '\u{640}' => {}
            // Emoji in the middle of words part them.
            c if is_emoji(c) => out.push(' '),
            c => out.push(c),
        }
    }
    out.nfc().collect()
}

/// Accents on Latin letters; vowel and hamza marks of Arabic, which most people
/// do not type; what makes emoji of characters.
fn is_dropped_mark(c: char, on_latin: bool) -> bool {
    (on_latin && matches!(c, '\u{300}'..='\u{36f}'))
        || matches!(c, '\u{64b}'..='\u{655}' | '\u{fe00}'..='\u{fe0f}' | '\u{20d0}'..='\u{20ff}')
}

const fn is_emoji(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}' | '\u{e0020}'..='\u{e007f}')
}
