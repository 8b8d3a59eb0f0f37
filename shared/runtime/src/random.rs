//! The one place that draws random bytes.

use carillon_domain::ids;

/// `N` random bytes.
///
/// # Panics
/// When the operating system has no randomness: nothing safe can be done then.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that draws them")]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

/// Names one write, so that its repeat is known.
#[must_use]
pub fn token() -> String {
    ids::encode(&bytes::<5>())
}

/// Uniform in `[0, 1)`.
#[must_use]
pub fn unit() -> f64 {
    f64::from(u32::from_be_bytes(bytes())) / (f64::from(u32::MAX) + 1.0)
}
