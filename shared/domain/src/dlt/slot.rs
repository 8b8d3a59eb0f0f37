//! A slot of a registered text, and what may be put into it.

/// Longest value of a slot, in characters; operators drop a longer one.
pub const MAX_VALUE: usize = 30;

pub(super) const KNOWN: &str =
    "{#var#}, {#numeric#}, {#alphanumeric#}, {#url#}, {#urlott#}, {#cbn#} and {#email#}";

/// What a slot was registered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// `{#var#}`: any text without a link.
    Text,
    /// Digits.
    Numeric,
    /// Letters and digits; in practice any text without a link.
    Alphanumeric,
    /// An address that was registered as well.
    Url,
    /// An address of an app or a film, registered as well.
    UrlOtt,
    /// A number to call back.
    CallBack,
    Email,
}

/// Why a value cannot be in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    #[error("a slot takes at most {MAX_VALUE} characters, this has {0}; shorten it.")]
    TooLong(usize),
    #[error("a slot cannot stay empty; give it a value.")]
    Empty,
    #[error("this slot takes a number.")]
    NoNumber,
    #[error("this slot takes an address, such as https://example.org/a.")]
    NoUrl,
    #[error("this slot takes a phone number.")]
    NoPhone,
    #[error("this slot takes an e-mail address.")]
    NoEmail,
    #[error("operators refuse links here; register the text with a slot {{#url#}}.")]
    Link,
}

impl SlotError {
    /// As it stands in problem documents.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong(_) => "slot_value_too_long",
            Self::Empty => "missing_variable",
            Self::NoNumber | Self::NoUrl | Self::NoPhone | Self::NoEmail => "slot_value_mismatch",
            Self::Link => "link_in_slot",
        }
    }
}

impl Slot {
    /// Of what stands between `{#` and `#}`; a number behind it only counts.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let kind = name.trim_end_matches(|c: char| c.is_ascii_digit()).to_ascii_lowercase();
        Some(match kind.as_str() {
            "var" => Self::Text,
            "numeric" => Self::Numeric,
            "alphanumeric" => Self::Alphanumeric,
            "url" => Self::Url,
            "urlott" => Self::UrlOtt,
            "cbn" => Self::CallBack,
            "email" => Self::Email,
            _ => return None,
        })
    }

    /// Whether the value may stand here.
    ///
    /// # Errors
    /// Why operators would drop the message.
    pub fn check(self, value: &str) -> Result<(), SlotError> {
        let length = value.chars().count();
        if length > MAX_VALUE {
            return Err(SlotError::TooLong(length));
        }
        if value.trim().is_empty() {
            return Err(SlotError::Empty);
        }
        let only = |more: &str| value.chars().all(|c| c.is_ascii_digit() || more.contains(c));
        let has_digit = value.bytes().any(|b| b.is_ascii_digit());
        match self {
            Self::Text | Self::Alphanumeric if is_link(value) => Err(SlotError::Link),
            Self::Text | Self::Alphanumeric => Ok(()),
            Self::Numeric if has_digit && only(".,") => Ok(()),
            Self::Numeric => Err(SlotError::NoNumber),
            Self::Url | Self::UrlOtt if value.contains('.') && !value.contains(' ') => Ok(()),
            Self::Url | Self::UrlOtt => Err(SlotError::NoUrl),
            Self::CallBack if has_digit && only("+- ") => Ok(()),
            Self::CallBack => Err(SlotError::NoPhone),
            Self::Email if value.contains('@') && !value.contains(' ') => Ok(()),
            Self::Email => Err(SlotError::NoEmail),
        }
    }
}

/// What a filter for links finds.
fn is_link(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    ["http://", "https://", "www."].iter().any(|start| value.contains(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_as_its_slot_was_registered() {
        let thirty = "x".repeat(30);
        let longer = "é".repeat(31);
        for (slot, value, expected) in [
            (Slot::Text, "Asha", Ok(())),
            (Slot::Text, thirty.as_str(), Ok(())),
            (Slot::Text, longer.as_str(), Err(SlotError::TooLong(31))),
            (Slot::Text, "", Err(SlotError::Empty)),
            (Slot::Text, "see https://example.org", Err(SlotError::Link)),
            (Slot::Text, "WWW.example.org", Err(SlotError::Link)),
            (Slot::Text, "7.30 PM", Ok(())),
            (Slot::Numeric, "1,500.00", Ok(())),
            (Slot::Numeric, "Rs 1500", Err(SlotError::NoNumber)),
            (Slot::Numeric, ".", Err(SlotError::NoNumber)),
            (Slot::Alphanumeric, "AB-12", Ok(())),
            (Slot::Alphanumeric, "http://a.in", Err(SlotError::Link)),
            (Slot::Url, "https://a.in/x", Ok(())),
            (Slot::Url, "soon", Err(SlotError::NoUrl)),
            (Slot::UrlOtt, "a.in/app", Ok(())),
            (Slot::CallBack, "+91 98123 45678", Ok(())),
            (Slot::CallBack, "call me", Err(SlotError::NoPhone)),
            (Slot::Email, "ada@example.org", Ok(())),
            (Slot::Email, "ada", Err(SlotError::NoEmail)),
        ] {
            assert_eq!(slot.check(value), expected, "{slot:?} {value}");
        }
    }

    #[test]
    fn the_number_behind_a_slot_only_counts() {
        for (name, expected) in [
            ("var", Some(Slot::Text)),
            ("var12", Some(Slot::Text)),
            ("VAR", Some(Slot::Text)),
            ("urlott1", Some(Slot::UrlOtt)),
            ("cbn", Some(Slot::CallBack)),
            ("", None),
            ("12", None),
            ("name", None),
            (" var ", None),
            ("variable", None),
        ] {
            assert_eq!(Slot::parse(name), expected, "{name}");
        }
    }
}
