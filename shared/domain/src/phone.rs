//! Phone numbers, parsed once at the door and E.164 from there on.
//!
//! What people and spreadsheets write is read by a port of libphonenumber with
//! the organization's default country. A stored number is believed as it
//! stands: reading it back costs no metadata.

mod clean;
mod country;
mod error;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL as LIB, ParseError, PhoneNumberFormat, PhoneNumberType,
    ValidationError,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use country::{Country, UnknownCountry};
pub use error::PhoneError;

/// Country code and all, by E.164.
const MAX_DIGITS: usize = 15;

/// A number in E.164 (`+61412345678`). `Debug` masks it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads a number as people write it. One without a country code (`+` or
    /// `00`) is read as of `default_country`.
    ///
    /// # Errors
    /// When it is not the number of anybody; see [`PhoneError`].
    pub fn parse(raw: &str, default_country: Option<Country>) -> Result<Self, PhoneError> {
        read(raw, default_country).map(|(number, _)| number)
    }

    /// As [`Self::parse`], for channels that a landline cannot receive. Only a
    /// number that is certainly a landline is refused: in many countries the
    /// two look alike, and personal, VoIP or toll-free numbers may take texts.
    ///
    /// # Errors
    /// As [`Self::parse`], and [`PhoneError::Landline`].
    pub fn parse_mobile(raw: &str, default_country: Option<Country>) -> Result<Self, PhoneError> {
        match read(raw, default_country)? {
            (_, PhoneNumberType::FixedLine) => Err(PhoneError::Landline),
            (number, _) => Ok(number),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The country the number belongs to; `None` for satellites and other
    /// numbers of no country.
    #[must_use]
    pub fn country(&self) -> Option<Country> {
        let number = LIB.parse(&self.0, None).ok()?;
        LIB.get_region_for_number(&number).and_then(Country::of_region)
    }

    /// The digits after the country code.
    #[must_use]
    pub fn national(&self) -> String {
        self.split().1.to_owned()
    }

    /// Country code and last digits, for logs and lists: `+61…678`.
    #[must_use]
    pub fn masked(&self) -> String {
        let (code, national) = self.split();
        let shown = match national.len() {
            0..=5 => 0,
            6..=7 => 2,
            _ => 3,
        };
        format!("{code}…{}", &national[national.len() - shown..])
    }

    /// `+` and country code, and the rest. Country codes are free of prefixes,
    /// so the first that exists is the one.
    fn split(&self) -> (&str, &str) {
        let exists = |len: &usize| {
            self.0
                .get(1..=*len)
                .and_then(|code| code.parse().ok())
                .is_some_and(|code: i32| LIB.get_regions_for_country_calling_code(code).is_some())
        };
        self.0.split_at((1..=3).find(exists).unwrap_or(1) + 1)
    }
}

/// The number and what kind of line it is.
fn read(raw: &str, country: Option<Country>) -> Result<(PhoneNumber, PhoneNumberType), PhoneError> {
    let text = clean::clean(raw)?;
    if country.is_none() && !text.starts_with('+') && !text.starts_with("00") {
        return Err(PhoneError::NoCountry);
    }
    match read_clean(&text, country) {
        // Who writes 00 for + means it in countries with another prefix too.
        Err(error) if text.starts_with("00") => {
            read_clean(&format!("+{}", text.trim_start_matches('0')), None).map_err(|_| error)
        }
        result => result,
    }
}

fn read_clean(
    text: &str,
    country: Option<Country>,
) -> Result<(PhoneNumber, PhoneNumberType), PhoneError> {
    let number = LIB.parse(text, country.map(Country::region)).map_err(|error| match error {
        ParseError::InvalidCountryCode => PhoneError::UnknownCountryCode,
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn => PhoneError::TooShort,
        ParseError::TooLongNsn => PhoneError::TooLong,
        ParseError::NotANumber(_) => PhoneError::NotANumber,
    })?;
    // The type is unknown exactly where the number is not valid.
    let kind = LIB.get_number_type(&number);
    if kind == PhoneNumberType::Unknown {
        return Err(match LIB.is_possible_number_with_reason(&number) {
            Err(ValidationError::InvalidCountryCode) => PhoneError::UnknownCountryCode,
            Err(ValidationError::TooShort) | Ok(NumberLengthType::IsPossibleLocalOnly) => {
                PhoneError::TooShort
            }
            Err(ValidationError::TooLong) => PhoneError::TooLong,
            Err(ValidationError::InvalidLength) | Ok(NumberLengthType::IsPossible) => {
                PhoneError::Unassigned
            }
        });
    }
    let e164 = LIB.format(&number, PhoneNumberFormat::E164).into_owned();
    // Some countries' own plans go beyond what E.164 can carry.
    if e164.len() > 1 + MAX_DIGITS {
        return Err(PhoneError::TooLong);
    }
    Ok((PhoneNumber(e164), kind))
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl Serialize for PhoneNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PhoneNumber {
    /// Checks the form alone: what was stored was valid when it came in, and
    /// new metadata must not make a row unreadable.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let digits = text.strip_prefix('+').unwrap_or_default();
        let is_e164 = matches!(digits.len(), 3..=MAX_DIGITS)
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit());
        if is_e164 {
            Ok(Self(text.into_owned()))
        } else {
            Err(serde::de::Error::custom("not a phone number in E.164"))
        }
    }
}
