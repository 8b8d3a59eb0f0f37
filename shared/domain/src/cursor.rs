//! Cursors: where a list goes on, as text that only we can make. One is good
//! for the list it came from and nothing else: same organization, same address,
//! same filter.

use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq;

use crate::{OrgId, keyed_hash};

/// Bytes of the signature; guessing one takes 2^128 tries.
const TAG: usize = 16;

/// Signs and checks the cursors of one list.
#[derive(Clone)]
pub struct Seal([u8; 32]);

impl Seal {
    /// `filter` is what was asked for, in an order of its own.
    #[must_use]
    pub fn new<'a>(
        key: &[u8; 32],
        org: OrgId,
        path: &str,
        filter: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut parts: Vec<&[u8]> = vec![org.as_bytes(), path.as_bytes()];
        for (name, value) in filter {
            parts.extend([name.as_bytes(), value.as_bytes()]);
        }
        Self(keyed_hash(key, &parts))
    }

    /// The cursor that says `parts`.
    #[must_use]
    pub fn close(&self, parts: &[String]) -> String {
        let place = serde_json::json!(parts).to_string();
        let mut bytes = self.tag(place.as_bytes()).to_vec();
        bytes.extend_from_slice(place.as_bytes());
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// `None` for what this seal did not close.
    #[must_use]
    pub fn open(&self, text: &str) -> Option<Vec<String>> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (tag, place) = bytes.split_at_checked(TAG)?;
        if !bool::from(self.tag(place).ct_eq(tag)) {
            return None;
        }
        serde_json::from_slice(place).ok()
    }

    fn tag(&self, place: &[u8]) -> [u8; TAG] {
        let whole = keyed_hash(&self.0, &[b"cursor", place]);
        let mut tag = [0; TAG];
        tag.copy_from_slice(&whole[..TAG]);
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(key: u8, org: u8, path: &str, filter: &[(&str, &str)]) -> Seal {
        Seal::new(&[key; 32], OrgId::from_bytes([org; 10]), path, filter.iter().copied())
    }

    #[test]
    fn a_cursor_opens_only_where_it_was_closed() {
        let own = seal(1, 1, "/v1/messages", &[("status", "failed")]);
        let place = vec!["202611".to_owned(), "x~".to_owned(), "3".to_owned()];
        let cursor = own.close(&place);
        assert_eq!(own.open(&cursor), Some(place));
        for (what, other) in [
            ("another installation", seal(2, 1, "/v1/messages", &[("status", "failed")])),
            ("another organization", seal(1, 2, "/v1/messages", &[("status", "failed")])),
            ("another list", seal(1, 1, "/v1/templates", &[("status", "failed")])),
            ("another filter", seal(1, 1, "/v1/messages", &[("status", "sent")])),
            ("no filter", seal(1, 1, "/v1/messages", &[])),
            ("one more", seal(1, 1, "/v1/messages", &[("q", "a"), ("status", "failed")])),
        ] {
            assert_eq!(other.open(&cursor), None, "{what}");
        }
    }

    #[test]
    fn a_changed_character_is_noticed() {
        let own = seal(1, 1, "/v1/messages", &[]);
        let cursor = own.close(&["msg_0".to_owned()]);
        for place in 0..cursor.len() {
            let mut changed = cursor.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("a text");
            assert_eq!(own.open(&changed), None, "at {place}");
            assert_eq!(own.open(&cursor[..place]), None, "up to {place}");
        }
        for text in ["", "!", "AAAA", &format!("{cursor}A"), &format!(" {cursor}")] {
            assert_eq!(own.open(text), None, "{text}");
        }
    }
}
