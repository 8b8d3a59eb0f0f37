use super::*;

fn check(raw: &str, country: &str, expected: Result<&str, PhoneError>) {
    let country = Country::parse(country).ok();
    let result = PhoneNumber::parse(raw, country);
    assert_eq!(result.as_ref().map(PhoneNumber::as_str), expected.as_ref().copied(), "{raw:?}");
    if let Err(error) = result {
        let text = error.to_string();
        let digits: String = raw.chars().filter(char::is_ascii_digit).collect();
        assert!(digits.len() < 5 || !text.contains(&digits), "{text}");
    }
}

#[test]
fn numbers_as_people_write_them() {
    for (raw, country, expected) in [
        ("+61412345678", "", "+61412345678"),
        ("0412 345 678", "AU", "+61412345678"),
        ("(04) 1234-5678", "AU", "+61412345678"),
        ("61412345678", "AU", "+61412345678"),
        ("0061 412 345 678", "", "+61412345678"),
        ("0061412345678", "AU", "+61412345678"),
        ("0011 61 412 345 678", "AU", "+61412345678"),
        ("00 91 98765 43210", "US", "+919876543210"),
        ("9876543210", "IN", "+919876543210"),
        ("919876543210", "IN", "+919876543210"),
        ("+91 (0) 98765-43210", "", "+919876543210"),
        ("+91-98765-43210", "US", "+919876543210"),
        ("tel:+61-412-345-678", "", "+61412345678"),
        ("TEL:0412345678", "AU", "+61412345678"),
        ("  +61\u{a0}412\u{a0}345\u{a0}678\t", "", "+61412345678"),
        ("\u{202a}+61 412 345 678\u{202c}", "", "+61412345678"),
        ("\u{feff}+61412345678", "", "+61412345678"),
        ("'+61412345678", "", "+61412345678"),
        ("+61–412–345–678", "", "+61412345678"),
        ("+61.412.345.678", "", "+61412345678"),
        ("＋６１４１２３４５６７８", "", "+61412345678"),
        ("٩٨٧٦٥٤٣٢١٠", "IN", "+919876543210"),
        ("९८७६५४३२१०", "IN", "+919876543210"),
        ("919876543210.0", "IN", "+919876543210"),
        ("+61412345678.00", "", "+61412345678"),
        ("+39 06 6982 0000", "", "+390669820000"),
        ("+15005550001", "", "+15005550001"),
        ("+15005550006", "", "+15005550006"),
        ("(202) 555-0123", "us", "+12025550123"),
        ("+447911123456", "", "+447911123456"),
        ("+870773111632", "", "+870773111632"),
    ] {
        check(raw, country, Ok(expected));
    }
}

#[test]
fn what_is_not_a_number_says_why() {
    use PhoneError::*;
    for (raw, country, error) in [
        ("", "AU", Missing),
        // Of the right length for the country, and longer than E.164 can be.
        ("+49 16856570115656", "", TooLong),
        (" \u{200b}\t", "AU", Missing),
        ("'", "AU", Missing),
        ("tel:", "AU", Missing),
        ("n/a", "AU", NotANumber),
        ("-", "AU", NotANumber),
        ("ada@example.com", "AU", NotANumber),
        ("1-800-FLOWERS", "US", NotANumber),
        ("call +61412345678", "AU", NotANumber),
        ("+61412345678 x12", "AU", NotANumber),
        ("+61412345678, +61412345679", "AU", NotANumber),
        ("+61412345678;ext=5", "AU", NotANumber),
        ("+61412345678+61412345679", "AU", NotANumber),
        ("9.19876E+11", "IN", SpreadsheetDamage),
        ("9,19876e11", "IN", SpreadsheetDamage),
        ("+6.14E+10", "", SpreadsheetDamage),
        ("12345", "IN", TooShort),
        ("+6141234", "", Unassigned),
        ("+61", "AU", TooShort),
        ("+614123456789", "", Unassigned),
        ("+61412345678999999999999", "", TooLong),
        (&"1".repeat(5_000), "US", TooLong),
        ("0012345", "IN", TooShort),
        ("0612345678", "AU", Unassigned),
        ("+1 023 456 7890", "", Unassigned),
        ("0000000000", "IN", Unassigned),
        ("0412345678", "", NoCountry),
        ("919876543210", "", NoCountry),
        ("+999123456789", "", UnknownCountryCode),
        ("+0412345678", "AU", UnknownCountryCode),
    ] {
        check(raw, country, Err(error));
    }
}

#[test]
fn only_certain_landlines_are_refused_for_texts() {
    for (raw, landline) in [
        ("+61412345678", false),
        ("+61298765432", true),
        ("+442079460000", true),
        ("+911123456789", true),
        ("+15005550001", false), // personal numbers
        ("+15005550006", false),
        ("+12025550123", false),  // fixed line or mobile
        ("+18005550199", false),  // toll-free
        ("+445600123456", false), // VoIP
    ] {
        let number = PhoneNumber::parse(raw, None).expect(raw);
        let expected = if landline { Err(PhoneError::Landline) } else { Ok(number) };
        assert_eq!(PhoneNumber::parse_mobile(raw, None), expected, "{raw}");
    }
}

#[test]
fn codes_are_the_ones_of_the_contract() {
    for (error, code) in [
        (PhoneError::Missing, "missing_phone_number"),
        (PhoneError::SpreadsheetDamage, "invalid_phone_number"),
        (PhoneError::Landline, "landline_phone_number"),
        (PhoneError::UnknownCountryCode, "unknown_country_code"),
    ] {
        assert_eq!(error.code(), code);
    }
}

#[test]
fn a_number_knows_its_country_and_its_national_digits() {
    for (number, country, national, masked) in [
        ("+61412345678", Some("AU"), "412345678", "+61…678"),
        ("+919876543210", Some("IN"), "9876543210", "+91…210"),
        ("+12025550123", Some("US"), "2025550123", "+1…123"),
        ("+14165550123", Some("CA"), "4165550123", "+1…123"),
        ("+390612345678", Some("IT"), "0612345678", "+39…678"),
        ("+35312345678", Some("IE"), "12345678", "+353…678"),
        ("+870773111632", None, "773111632", "+870…632"),
    ] {
        let number = PhoneNumber::parse(number, None).expect(number);
        assert_eq!(number.country().as_ref().map(Country::as_str), country);
        assert_eq!(number.national(), national);
        assert_eq!(number.masked(), masked);
        assert_eq!(format!("{number:?}"), masked);
    }
}

#[test]
fn a_stored_number_is_believed_but_not_any_text() {
    let read = |text: &str| serde_json::from_value::<PhoneNumber>(text.into());
    // Not assigned to anybody today, and stored all the same.
    assert_eq!(read("+610000000000").expect("E.164").as_str(), "+610000000000");
    for bad in ["", "+", "61412345678", "+0412345678", "+6141234567x", "+1234567890123456"] {
        assert!(read(bad).is_err(), "{bad}");
    }
    let number = PhoneNumber::parse("+61412345678", None).expect("valid");
    assert_eq!(serde_json::to_value(&number).expect("a string"), "+61412345678");
}

#[test]
fn countries_are_codes_of_iso_3166() {
    assert_eq!(Country::parse("au").as_ref().map(Country::as_str), Ok("AU"));
    for bad in ["", "A", "AUS", "ZZ", "001", "é", "1A"] {
        assert_eq!(Country::parse(bad), Err(UnknownCountry), "{bad}");
    }
    let country: Country = serde_json::from_str("\"in\"").expect("a country");
    assert_eq!(serde_json::to_string(&country).expect("a string"), "\"IN\"");
}
