//! What waited for a window goes over some minutes, not in one burst.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::answer::Opening;

const LONGEST: SignedDuration = SignedDuration::from_mins(15);

/// A moment in the first quarter of an hour of an opening, or in the first
/// quarter of the opening when it is shorter than an hour. The same seed has
/// the same moment; seeds are spread evenly, to a millisecond.
#[must_use]
pub fn spread(opens: &Opening, seed: &[u8]) -> Timestamp {
    let quarter = opens.until.map(|until| until.duration_since(opens.at) / 4);
    let width = quarter.map_or(LONGEST, |q| q.clamp(SignedDuration::ZERO, LONGEST));
    let hash: [u8; 32] = Sha256::digest(seed).into();
    let part = u64::from_be_bytes(hash[..8].try_into().expect("8 of 32 bytes"));
    let millis = (u128::try_from(width.as_millis()).unwrap_or_default() * u128::from(part)) >> 64;
    opens.at.checked_add(SignedDuration::from_millis(millis as i64)).unwrap_or(opens.at)
}
