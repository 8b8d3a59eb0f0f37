//! The one place that draws random numbers: ids of providers, delays and shuffles.

use crate::error::{Error, Result};

fn fill<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    #[expect(clippy::disallowed_methods, reason = "a provider draws its ids by chance")]
    getrandom::fill(&mut bytes).map_err(Error::Random)?;
    Ok(bytes)
}

/// 32 lower-case hex digits.
pub(crate) fn hex32() -> Result<String> {
    Ok(hex::encode(fill::<16>()?))
}

/// A request id in Fast2SMS's shape: 15 letters and digits.
pub(crate) fn request_id() -> Result<String> {
    const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let bytes = fill::<15>()?;
    Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect())
}

/// Evenly between the two, both included; the bias of the remainder does not matter for delays.
pub(crate) fn between(least: u64, most: u64) -> Result<u64> {
    let width = most.saturating_sub(least).saturating_add(1);
    Ok(least + u64::from_le_bytes(fill::<8>()?) % width)
}

pub(crate) fn coin() -> Result<bool> {
    Ok(fill::<1>()?[0] & 1 == 1)
}
