//! How people are looked for: by the beginning of a name, in either case, with
//! or without accents, from any of its words on.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Words of a name that it is found by, the first included.
const MOST_WORDS: usize = 4;
/// Longest text that stands in a key, in characters.
const LONGEST: usize = 60;

/// Lower case, without accents on Latin letters, words parted by one `_`, which
/// sorts before every letter.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut latin = false;
    for c in text.nfkd().flat_map(char::to_lowercase) {
        if is_combining_mark(c) {
            // A vowel sign of an Indic script is part of the word.
            if !latin {
                out.push(c);
            }
            continue;
        }
        latin = c.is_ascii_alphabetic();
        match c {
            'ß' => out.push_str("ss"),
            'ı' => out.push('i'),
            'ł' => out.push('l'),
            'ø' => out.push('o'),
            'đ' => out.push('d'),
            '\'' | '\u{2019}' | '`' | '.' => {}
            c if c.is_alphanumeric() => out.push(c),
            _ if out.is_empty() || out.ends_with('_') => {}
            _ => out.push('_'),
        }
    }
    while out.ends_with('_') {
        out.pop();
    }
    out.nfc().take(LONGEST).collect()
}

/// The texts that a name is found by the beginning of: the whole, and the rest
/// from its second, third and fourth word on.
#[must_use]
pub fn of_name(name: &str) -> Vec<String> {
    let whole = fold(name);
    let mut found = Vec::new();
    let mut rest = whole.as_str();
    while !rest.is_empty() && found.len() < MOST_WORDS {
        found.push(rest.to_owned());
        rest = rest.split_once('_').map_or("", |(_, rest)| rest);
    }
    // `Anna Anna` is one beginning, not two.
    found.dedup();
    found
}

/// What somebody typed into a search box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// The beginning of an email address.
    Email(String),
    /// The beginning of a number, as `+` and digits.
    Phone(String),
    /// The beginning of a word of a name and what follows.
    Name(String),
}

impl Query {
    /// `country_code` is that of the organization's default country, for numbers
    /// without one. `None` when nothing is left to look for.
    #[must_use]
    pub fn read(text: &str, country_code: Option<&str>) -> Option<Self> {
        let text = text.trim();
        if text.contains('@') {
            let email: String = text.to_lowercase().chars().take(LONGEST).collect();
            return Some(Self::Email(email));
        }
        let is_number = text
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')' | '.' | '/'));
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        if is_number && !digits.is_empty() {
            let number = if text.starts_with('+') {
                digits
            } else if let Some(digits) = digits.strip_prefix("00") {
                digits.to_owned()
            } else {
                let own = digits.strip_prefix('0').unwrap_or(&digits);
                match country_code {
                    Some(code) => format!("{code}{own}"),
                    None => digits,
                }
            };
            return Some(Self::Phone(format!("+{number}")));
        }
        let name = fold(text);
        (!name.is_empty()).then_some(Self::Name(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_way_of_writing_for_all() {
        for (text, folded) in [
            ("Ada Lovelace", "ada_lovelace"),
            ("  ADA   lovelace ", "ada_lovelace"),
            ("Zoë Müller", "zoe_muller"),
            ("Łukasz Groß", "lukasz_gross"),
            ("O’Brien-Smith", "obrien_smith"),
            ("Иван Петров", "иван_петров"),
            ("अदा", "अदा"),
            ("🦊", ""),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
        // Decomposed or not, the same.
        assert_eq!(fold("Zoe\u{308}"), fold("Zo\u{eb}"));
    }

    #[test]
    fn a_name_is_found_from_each_of_its_words_on() {
        assert_eq!(
            of_name("Ada King Lovelace"),
            ["ada_king_lovelace", "king_lovelace", "lovelace"]
        );
        assert_eq!(of_name("one two three four five").len(), 4);
        assert_eq!(of_name("…"), Vec::<String>::new());
    }

    #[test]
    fn what_was_typed_says_what_it_is() {
        let phone = |text: &str| Some(Query::Phone(text.to_owned()));
        for (text, query) in [
            ("ada@EX", Some(Query::Email("ada@ex".to_owned()))),
            ("+61 412", phone("+61412")),
            ("0061412", phone("+61412")),
            ("0412 3", phone("+614123")),
            ("412", phone("+61412")),
            ("Lovel", Some(Query::Name("lovel".to_owned()))),
            ("R2 D2", Some(Query::Name("r2_d2".to_owned()))),
            (" - ", None),
            ("", None),
        ] {
            assert_eq!(Query::read(text, Some("61")), query, "{text}");
        }
        assert_eq!(Query::read("61412", None), phone("+61412"));
    }
}
