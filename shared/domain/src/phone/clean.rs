//! What is around the digits: invisible characters, prefixes, and the marks
//! that spreadsheets leave on numbers they took for quantities.

use unicode_normalization::UnicodeNormalization;

use super::PhoneError;

/// No writing of a number is longer; what is, is not read at all.
const MAX_CHARS: usize = 60;

/// The number with plain characters, without `tel:`; still with its
/// punctuation, which the parser understands.
///
/// # Errors
/// When it is empty or certainly something else than one number.
pub(super) fn clean(raw: &str) -> Result<String, PhoneError> {
    let visible = |c: &char| !is_invisible(*c);
    let text: String = raw.chars().filter(visible).take(MAX_CHARS + 1).nfkc().collect();
    // A leading apostrophe is how a spreadsheet keeps a number as text.
    let text = text.trim().trim_start_matches('\'').trim();
    let text = match text.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case("tel:") => text[4..].trim(),
        _ => text,
    };
    if text.is_empty() {
        return Err(PhoneError::Missing);
    }
    if text.chars().count() > MAX_CHARS {
        return Err(PhoneError::TooLong);
    }
    if is_scientific(text) {
        return Err(PhoneError::SpreadsheetDamage);
    }
    let text = without_decimals(text);
    if !text.chars().all(is_allowed) {
        return Err(PhoneError::NotANumber);
    }
    match text.chars().filter(|c| c.is_numeric()).count() {
        0 => Err(PhoneError::NotANumber),
        1..=3 => Err(PhoneError::TooShort),
        _ => Ok(text.to_owned()),
    }
}

/// Zero-width characters and direction marks, which come along when a number
/// is copied from a chat or a contact card.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{feff}' | '\u{ad}')
}

/// Letters, extensions and lists of numbers are refused, not guessed at.
fn is_allowed(c: char) -> bool {
    c.is_numeric()
        || c.is_whitespace()
        || matches!(c, '+' | '-' | '.' | '(' | ')' | '[' | ']' | '/' | '~' | '·' | '−' | '_')
        || matches!(c, '\u{2010}'..='\u{2015}')
}

/// `9.19876E+11`: the digits after the first few are gone for good.
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let exponent = exponent.trim_start_matches(['+', '-']);
    let digits = |s: &str, extra: &[char]| {
        !s.is_empty() && s.chars().all(|c| c.is_ascii_digit() || extra.contains(&c))
    };
    digits(exponent, &[]) && digits(mantissa.trim_start_matches(['+', '-']), &['.', ','])
}

/// `919876543210.0` is a number that went through a floating-point column.
/// Read as it stands, its last zero would be a digit more.
fn without_decimals(text: &str) -> &str {
    let Some((digits, decimals)) = text.split_once('.') else { return text };
    let number = digits.strip_prefix('+').unwrap_or(digits);
    let is_float = number.len() >= 7
        && number.bytes().all(|b| b.is_ascii_digit())
        && matches!(decimals, "" | "0" | "00");
    if is_float { digits } else { text }
}
