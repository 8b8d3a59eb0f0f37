//! HMAC-SHA256 over parts: whoever does not have the key can neither make nor
//! check one.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A hash of the parts under a key, each part preceded by its length, so that
/// no two lists of parts meet in one hash.
///
/// # Panics
/// Never: HMAC takes a key of any length.
#[must_use]
pub fn keyed_hash(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_and_parts_decide() {
        let hash = |key: u8, parts: &[&[u8]]| keyed_hash(&[key; 32], parts);
        assert_eq!(hash(1, &[b"ab", b"c"]), hash(1, &[b"ab", b"c"]));
        assert_ne!(hash(1, &[b"ab", b"c"]), hash(2, &[b"ab", b"c"]));
        assert_ne!(hash(1, &[b"ab", b"c"]), hash(1, &[b"a", b"bc"]));
        assert_ne!(hash(1, &[b"ab"]), hash(1, &[b"ab", b""]));
    }
}
