//! A number as somebody wrote it. What is taken is E.164, reads as itself
//! wherever it is read, and never shows itself where it is masked.

use carillon_domain::phone::PhoneError;
use carillon_domain::{Country, PhoneNumber};

use crate::input::texts;

/// What was written; the default country.
pub fn check(data: &[u8]) {
    let Some([raw, country]) = texts(data) else { return };
    let country = Country::parse(country.trim()).ok();
    let mobile = PhoneNumber::parse_mobile(raw, country);
    match PhoneNumber::parse(raw, country) {
        Ok(number) => {
            assert!(matches!(&mobile, Err(PhoneError::Landline)) || mobile.as_ref() == Ok(&number));
            assert_e164(&number);
            assert_masked(&number);
        }
        Err(error) => {
            assert_eq!(mobile.err(), Some(error));
            assert!(!error.code().is_empty() && !error.to_string().is_empty());
        }
    }
}

fn assert_e164(number: &PhoneNumber) {
    let text = number.as_str();
    let digits = text.strip_prefix('+').expect("E.164 begins with +");
    assert!(digits.bytes().all(|b| b.is_ascii_digit()) && (3..=15).contains(&digits.len()));
    assert!(text.ends_with(&number.national()));
    for country in ["AU", "IN", "US", "IT", "AR"] {
        let again = PhoneNumber::parse(text, Country::parse(country).ok());
        assert_eq!(again.as_ref(), Ok(number), "the same, read in {country}");
    }
    assert_eq!(PhoneNumber::parse(text, None).as_ref(), Ok(number));
    let stored = serde_json::to_string(number).expect("a number is stored");
    assert_eq!(&serde_json::from_str::<PhoneNumber>(&stored).expect("and read"), number);
}

fn assert_masked(number: &PhoneNumber) {
    let shown = format!("{number:?}");
    assert_eq!(shown, number.masked());
    assert!(!shown.contains(&number.national()) && !shown.contains(&number.as_str()[1..]));
    let digits = shown.chars().rev().take_while(char::is_ascii_digit).count();
    assert!(digits <= 3 && digits * 2 < number.national().len().max(1), "{digits} are shown");
}
