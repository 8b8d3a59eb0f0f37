//! Numbers that a story may write to: valid, and kept for fiction where there
//! are such.

/// The n-th of ten thousand Australian mobiles.
#[must_use]
pub fn mobile(n: u32) -> String {
    format!("+6149157{n:04}")
}

/// The n-th Indian mobile, which Fast2SMS reaches.
#[must_use]
pub fn indian(n: u32) -> String {
    format!("+9198000{n:05}")
}

/// Twilio refuses it as invalid.
pub const INVALID: &str = "+15005550001";
