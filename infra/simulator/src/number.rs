//! One spelling of a recipient's number for both providers, so that one filter, one override and
//! one statistic serve both.

/// E.164 for phone numbers: Fast2SMS's ten digits get +91; a `+` that a query string turned into a
/// space is put back. Channel addresses (`whatsapp:+91…`) stay as they are.
pub(crate) fn canonical(written: &str) -> String {
    let written = written.trim();
    if written.contains(':') || written.starts_with('+') {
        return written.to_owned();
    }
    let digits = !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit());
    match written.len() {
        10 if digits => format!("+91{written}"),
        11.. if digits => format!("+{written}"),
        _ => written.to_owned(),
    }
}

/// `+`, then 7 to 15 digits of which the first is not 0.
pub(crate) fn is_e164(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('+') else {
        return false;
    };
    (7..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_number_meet() {
        for (written, expected) in [
            ("9800000001", "+919800000001"),
            (" 919800000001", "+919800000001"),
            ("+919800000001", "+919800000001"),
            ("15005550001", "+15005550001"),
            ("whatsapp:+919800000001", "whatsapp:+919800000001"),
            ("12345", "12345"),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(canonical(written), expected, "{written}");
        }
    }
}
