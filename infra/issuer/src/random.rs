//! The one place here that draws random bytes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// 128 random bits, as text.
///
/// # Panics
/// When the operating system has no randomness.
#[expect(clippy::disallowed_methods, reason = "the one place of this crate that draws them")]
pub fn text() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    URL_SAFE_NO_PAD.encode(bytes)
}
