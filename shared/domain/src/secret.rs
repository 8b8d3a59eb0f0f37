//! What must not be seen: credentials, keys, tokens.
//!
//! A [`Secret`] has no `Display` and no `Serialize`, its `Debug` shows nothing
//! of it, and its memory is wiped when it goes. What needs the text says so with
//! [`Secret::reveal`], where a reader can look for it.
//!
//! ```compile_fail
//! format!("{}", carillon_domain::Secret::from("hunter2"));
//! ```
//!
//! ```compile_fail
//! serde_json::to_string(&carillon_domain::Secret::from("hunter2"));
//! ```

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::{Zeroize, Zeroizing};

/// Instead of what is not shown.
pub const MASK: &str = "••••";
/// Last characters that are shown of a secret.
const SHOWN: usize = 4;

/// A text that must not be seen.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As it may be shown: `••••1234`. Of a short one nothing is.
    #[must_use]
    pub fn masked(&self) -> String {
        let count = self.0.chars().count();
        let shown = if count >= 4 * SHOWN { SHOWN } else { 0 };
        format!("{MASK}{}", self.0.chars().skip(count - shown).collect::<String>())
    }

    /// Sent back by somebody who was shown a mask: "as it was".
    #[must_use]
    pub fn is_mask(&self) -> bool {
        self.0.starts_with(MASK)
    }

    /// Without space around it.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        if self.0.trim().len() == self.0.len() {
            return self;
        }
        let trimmed = Self::from(self.0.trim());
        self.0.zeroize();
        trimmed
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_secret_is_printed() {
        let secret = Secret::from("0123456789abcdef");
        assert_eq!(format!("{secret:?}"), MASK);
        assert_eq!(format!("{:#?}", Some(secret)), format!("Some(\n    {MASK},\n)"));
    }

    #[test]
    fn only_the_end_of_a_long_secret_is_shown() {
        for (text, shown) in [
            ("", "••••"),
            ("short", "••••"),
            ("0123456789abcde", "••••"),
            ("0123456789abcdef", "••••cdef"),
            ("äöüäöüäöüäöüäöüß", "••••äöüß"),
        ] {
            assert_eq!(Secret::from(text).masked(), shown, "{text}");
        }
        assert!(Secret::from("••••cdef").is_mask() && !Secret::from("cdef").is_mask());
        assert_eq!(Secret::from(" a b ").trimmed().reveal(), "a b");
    }
}
