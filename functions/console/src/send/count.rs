//! How long a text is while it is written, and what makes it dear.

use askama::Template;
use carillon_domain::segments::{self, Encoding};

/// Characters that are named when they make a text dearer.
const MOST_NAMED: usize = 5;

/// How long a text is, as it stands.
#[derive(Template)]
#[template(path = "count.html")]
pub struct Count {
    pub segments: u16,
    pub left: u32,
    pub encoding: &'static str,
    pub is_dear: bool,
    /// The characters that make it so.
    pub named: Vec<char>,
    pub has_variables: bool,
}

impl Count {
    pub fn of(text: &str) -> Self {
        let count = segments::count(text);
        let is_dear = count.encoding == Encoding::Ucs2;
        let mut named = Vec::new();
        for letter in text.chars().filter(|_| is_dear) {
            let alone = segments::count(letter.encode_utf8(&mut [0; 4]));
            if alone.encoding == Encoding::Ucs2
                && !named.contains(&letter)
                && named.len() < MOST_NAMED
            {
                named.push(letter);
            }
        }
        let room = match count.segments {
            0 | 1 => count.encoding.single(),
            n => count.encoding.multi() * u32::from(n),
        };
        Self {
            segments: count.segments,
            left: room.saturating_sub(count.units),
            encoding: if is_dear { "Unicode" } else { "GSM-7" },
            is_dear,
            named,
            has_variables: text.contains("{{"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_names_what_makes_a_text_dear() {
        let count = Count::of("See you at 7 ☃ – “soon” ☃");
        assert_eq!((count.encoding, count.segments), ("Unicode", 1));
        assert_eq!(count.named, ['☃', '–', '“', '”']);
        let count = Count::of(&"a".repeat(161));
        assert_eq!((count.segments, count.left, count.is_dear), (2, 145, false));
        assert_eq!(Count::of("").left, 160);
    }
}
