//! What is kept of a provider's words: masked, on one line, cut to size.
//!
//! Providers put the recipient's number, and sometimes a piece of the request,
//! into their error texts. Those texts are stored and shown, so they are
//! masked here, before anyone else sees them.

/// Longest text that is kept, in characters.
const MAX_CHARS: usize = 120;
/// Digits from which on a run could be a phone number.
const NUMBER_DIGITS: usize = 7;
/// Letters and digits from which on a word could be a key or a token.
const KEY_CHARS: usize = 20;
const MASK: &str = "••••";

/// Masks what could be a phone number or a key, and cuts.
pub fn masked(raw: &str) -> String {
    let line: String = raw.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    cut(&mask_numbers(&mask_keys(&line)))
}

fn mask_keys(text: &str) -> String {
    let in_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.len() - rest.trim_start_matches(in_word).len();
        let (head, tail) = rest.split_at(word);
        let both = head.bytes().any(|b| b.is_ascii_digit())
            && head.bytes().any(|b| b.is_ascii_alphabetic());
        out.push_str(if head.len() >= KEY_CHARS && both { MASK } else { head });
        let other = tail.len() - tail.trim_start_matches(|c| !in_word(c)).len();
        let (head, tail) = tail.split_at(other);
        out.push_str(head);
        rest = tail;
    }
    out
}

/// The last two digits stay: enough to tell two recipients apart when debugging.
fn mask_numbers(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = number_end(&chars, at);
        let digits: Vec<char> = chars[at..end].iter().copied().filter(|c| c.is_numeric()).collect();
        if digits.len() >= NUMBER_DIGITS {
            out.push_str(MASK);
            out.extend(&digits[digits.len() - 2..]);
        } else {
            out.extend(&chars[at..end]);
        }
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            at = end;
        }
    }
    out
}

/// Where the digits that begin at `start` end; numbers are written with
/// spaces, hyphens, dots and brackets between their digits.
fn number_end(chars: &[char], start: usize) -> usize {
    let mut end = start;
    let mut at = start;
    while at < chars.len() {
        if chars[at].is_numeric() {
            at += 1;
            end = at;
        } else if end > start && at - end < 2 && matches!(chars[at], ' ' | '-' | '.' | '(' | ')') {
            at += 1;
        } else {
            break;
        }
    }
    end
}

fn cut(text: &str) -> String {
    if text.chars().count() <= MAX_CHARS {
        return text.to_owned();
    }
    text.chars().take(MAX_CHARS - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_keys_are_masked_and_codes_are_not() {
        for (raw, expected) in [
            ("Invalid 'To' Phone Number: +15005550001", "Invalid 'To' Phone Number: +••••01"),
            ("to (415) 555-0123 failed", "to (••••23 failed"),
            ("+91 98765 43210, try again", "+••••10, try again"),
            ("९८७६५४३२१०", "••••१०"),
            ("error 21211 at step 3", "error 21211 at step 3"),
            (
                "see https://www.twilio.com/docs/errors/21211",
                "see https://www.twilio.com/docs/errors/21211",
            ),
            ("key Zx81kQpLm39TtYvB2nA0 refused", "key •••• refused"),
            ("two\nlines\t", "two lines"),
            ("", ""),
        ] {
            assert_eq!(masked(raw), expected, "{raw}");
        }
    }

    #[test]
    fn a_long_text_is_cut_to_120_characters() {
        let cut = masked(&"é ".repeat(200));
        assert_eq!(cut.chars().count(), 120);
        assert!(cut.ends_with('…'));
    }
}
