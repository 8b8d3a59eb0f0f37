//! Countries, as far as they have phone numbers.

use std::borrow::Cow;
use std::fmt;

use rlibphonenumber::{PHONE_NUMBER_UTIL as LIB, Region};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// ISO 3166 alpha-2, upper case (`AU`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country([u8; 2]);

/// The text is not the two-letter code of a country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Not a country code. Use two letters of ISO 3166, such as AU, IN or US.")]
pub struct UnknownCountry;

impl Country {
    /// Either case.
    ///
    /// # Errors
    /// When no country with a numbering plan has this code.
    pub fn parse(text: &str) -> Result<Self, UnknownCountry> {
        let [first, second] = text.as_bytes() else { return Err(UnknownCountry) };
        let country = Self([first.to_ascii_uppercase(), second.to_ascii_uppercase()]);
        match Region::from_code(text) {
            Ok(region) if LIB.get_country_code_for_region(region).is_some() => Ok(country),
            _ => Err(UnknownCountry),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("two ASCII letters")
    }

    /// The digits that its numbers begin with, such as `61`.
    #[must_use]
    pub fn calling_code(self) -> Option<String> {
        LIB.get_country_code_for_region(self.region()).map(|code| code.to_string())
    }

    pub(super) fn region(self) -> Region {
        Region::from_code(self.as_str()).expect("parsed from a region's code")
    }

    pub(super) fn of_region(region: Region) -> Option<Self> {
        Self::parse(&region.as_region_str()).ok()
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Country {
    type Err = UnknownCountry;
    fn from_str(text: &str) -> Result<Self, UnknownCountry> {
        Self::parse(text)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Country {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Country".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        crate::schema::text("A country: ISO 3166 alpha-2, such as AU.", "^[A-Za-z]{2}$")
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
