//! How many segments a text costs, and in which encoding it travels.
//!
//! One character outside GSM-7 makes the whole text UCS-2 and more than halves
//! what fits. The counts are those of the provider's own calculator: an
//! extension character is never split, nor is what a person sees as one
//! character (a surrogate pair, an emoji of several).

mod gsm7;
mod look_alikes;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

pub use look_alikes::gsm7_replacements;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    Gsm7,
    Ucs2,
}

impl Encoding {
    pub const ALL: [Self; 2] = [Self::Gsm7, Self::Ucs2];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gsm7 => "gsm7",
            Self::Ucs2 => "ucs2",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.as_str() == text)
    }

    /// Units in a text of one segment. A segment is 140 octets.
    #[must_use]
    pub const fn single(self) -> u32 {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// Units in each segment of a longer text; six octets say how to join them.
    #[must_use]
    pub const fn multi(self) -> u32 {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 67,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segments {
    pub encoding: Encoding,
    /// 0 for the empty text.
    pub segments: u16,
    /// Septets in GSM-7 (an extension character is two), UTF-16 code units in
    /// UCS-2.
    pub units: u32,
}

/// Counts a text as it will be sent. A text beyond 65,535 segments counts as
/// 65,535.
#[must_use]
pub fn count(text: &str) -> Segments {
    let (encoding, units) = match gsm7::units(text) {
        Some(units) => (Encoding::Gsm7, units),
        None => (Encoding::Ucs2, text.chars().map(|c| c.len_utf16() as u32).sum()),
    };
    let segments = match units {
        0 => 0,
        units if units <= encoding.single() => 1,
        _ => {
            let mut parts = Parts { limit: encoding.multi(), full: 0, used: 0 };
            match encoding {
                Encoding::Gsm7 => text.chars().for_each(|c| parts.put(gsm7::cost(c).unwrap_or(1))),
                Encoding::Ucs2 => text.graphemes(true).for_each(|g| parts.put_cluster(g)),
            }
            parts.full + 1
        }
    };
    Segments { encoding, segments: segments.try_into().unwrap_or(u16::MAX), units }
}

/// Segments being filled, in order.
struct Parts {
    limit: u32,
    /// Segments before the one being filled.
    full: u32,
    /// Units in the one being filled.
    used: u32,
}

impl Parts {
    /// Puts something that is not split.
    fn put(&mut self, units: u32) {
        if self.used + units > self.limit {
            self.full += 1;
            self.used = 0;
        }
        self.used += units;
    }

    /// Puts what is seen as one character. One too long for any segment (a
    /// letter with seventy accents) is split between its code points; so is
    /// the line end CR LF.
    fn put_cluster(&mut self, cluster: &str) {
        let units = cluster.chars().map(|c| c.len_utf16() as u32).sum();
        if units > self.limit || cluster == "\r\n" {
            cluster.chars().for_each(|c| self.put(c.len_utf16() as u32));
        } else {
            self.put(units);
        }
    }
}
