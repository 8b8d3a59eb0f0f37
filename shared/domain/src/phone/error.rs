//! Why a text is not a number we can write to, and what to do about it.

/// The sentences never repeat the number: they end up in logs and reports. The
/// one that they show is kept for fiction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    #[error("There is no phone number. Give one with its country code, such as +61491570006.")]
    Missing,
    #[error(
        "This is not a phone number. Write one number with its country code and nothing else, \
         such as +61491570006."
    )]
    NotANumber,
    #[error(
        "A spreadsheet has shortened the number (as in 9.19876E+11) and its digits are lost. \
         Format the column as text in the original file, and save it again."
    )]
    SpreadsheetDamage,
    #[error("The number has too few digits. Give all of them, with the country code.")]
    TooShort,
    #[error("The number has too many digits. Give a single number without an extension.")]
    TooLong,
    #[error(
        "No number of this country begins like this or has this many digits. Check it for typing \
         errors and for the right country code."
    )]
    Unassigned,
    #[error(
        "The number has no country code. Write it with + and the country code, or set the \
         organization's default country."
    )]
    NoCountry,
    #[error("No country has this country code. Check the digits after the +.")]
    UnknownCountryCode,
    #[error("This is a landline, which cannot receive this message. Give a mobile number.")]
    Landline,
}

impl PhoneError {
    /// As it stands in problem documents and import reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing_phone_number",
            Self::NotANumber
            | Self::SpreadsheetDamage
            | Self::TooShort
            | Self::TooLong
            | Self::Unassigned
            | Self::NoCountry => "invalid_phone_number",
            Self::UnknownCountryCode => "unknown_country_code",
            Self::Landline => "landline_phone_number",
        }
    }
}
