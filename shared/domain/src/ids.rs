//! Typed ids. Each is a prefix and lower-case base32 whose order is the order
//! of the bytes, so an id can stand inside a sort key.
//!
//! Nothing here draws randomness: ids of rows that a repeat must meet again are
//! hashes of what they stand for, the others are made from bytes that the edge
//! of a step hands in.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};
use sha2::{Digest, Sha256};

use crate::address::AddressKey;

/// Base32 with digits first (byte order is text order) and without look-alikes.
static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("0123456789abcdefghjkmnpqrstvwxyz");
    spec.encoding().expect("a valid alphabet of 32 symbols")
});

/// Bytes as they stand in ids and keys.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    BASE32.encode(bytes)
}

/// The bytes of an id or key of exactly `N` bytes; `None` for anything else.
#[must_use]
pub fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    BASE32.decode(text.as_bytes()).ok()?.try_into().ok()
}

/// The text is not an id of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {0} id")]
pub struct InvalidId(pub &'static str);

/// A hash of the parts, each preceded by its length, so that no two lists of
/// parts meet in one hash.
#[must_use]
pub fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

macro_rules! typed_id {
    ($(#[doc = $doc:literal])* $name:ident, $prefix:literal, $bytes:literal) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Bytes an id of this kind is made from.
            pub const BYTES: usize = $bytes;

            #[must_use]
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// The same parts always make the same id.
            #[must_use]
            pub fn from_hash(parts: &[&[u8]]) -> Self {
                let digest = hash(parts);
                let mut bytes = [0; $bytes];
                bytes.copy_from_slice(&digest[..$bytes]);
                Self(bytes)
            }

            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }

            /// The id without its prefix, as it stands in keys of the table.
            #[must_use]
            pub fn key(&self) -> String {
                encode(&self.0)
            }

            /// # Errors
            /// When the text is not what [`Self::key`] makes.
            pub fn from_key(text: &str) -> Result<Self, InvalidId> {
                decode(text).map(Self).ok_or(InvalidId($prefix))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.key())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let rest = text.strip_prefix(concat!($prefix, "_")).ok_or(InvalidId($prefix))?;
                Self::from_key(rest)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let doc = [$($doc),*].concat();
                crate::schema::id(doc.trim(), $prefix, $bytes)
            }
        }
    };
}

typed_id!(/// An organization: the tenant.
    OrgId, "org", 10);
typed_id!(/// A CSV file being planned.
    ImportId, "imp", 10);
typed_id!(/// Up to 100 planned messages that wait together.
    PackId, "pck", 10);
typed_id!(/// Something that was given up and is no pack: a callback, a row.
    LetterId, "ltr", 10);
typed_id!(/// A template.
    TemplateId, "tpl", 10);
typed_id!(/// A person who may get messages.
    ContactId, "con", 10);
typed_id!(/// A large file that was uploaded by itself.
    UploadId, "upl", 10);
typed_id!(/// A file that is written for the organization.
    ExportId, "exp", 10);
typed_id!(/// Contacts picked by hand.
    ListId, "lst", 10);
typed_id!(/// A saved filter over contacts.
    SegmentId, "seg", 10);
typed_id!(/// Ordered steps, each a template and a time.
    SequenceId, "seq", 10);
typed_id!(/// A step of a sequence.
    StepId, "stp", 10);
typed_id!(/// A kind of workshop.
    TagId, "tag", 10);
typed_id!(/// A dated event with registrants.
    WorkshopId, "wsh", 10);
typed_id!(/// A session of one client with one coach.
    BookingId, "bkg", 10);
typed_id!(/// A message, or several steps, to an audience.
    CampaignId, "cmp", 10);
typed_id!(/// An API key (not its secret).
    KeyId, "key", 10);
typed_id!(/// A person who may sign in.
    MemberId, "mem", 10);
typed_id!(/// An entry of the audit log. Time first, so that entries sort by it.
    AuditId, "aud", 16);
typed_id!(/// A message. Its bytes are its place in the table: address, time, hash.
    MessageId, "msg", 26);

impl AuditId {
    /// Milliseconds since 1970, and what keeps two of one millisecond apart.
    #[must_use]
    pub fn new(at_ms: u64, random: [u8; 10]) -> Self {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&at_ms.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&random);
        Self(bytes)
    }
}

impl MessageId {
    /// A message's id is its key: the partition of its address, the time it
    /// was planned for its list position (milliseconds), and a hash of what
    /// caused it, so that a repeat of the cause meets the same row.
    #[must_use]
    pub fn new(address: AddressKey, at_ms: u64, cause: &[&[u8]]) -> Self {
        let mut bytes = [0; 26];
        bytes[..10].copy_from_slice(address.as_bytes());
        bytes[10..16].copy_from_slice(&at_ms.to_be_bytes()[2..]);
        bytes[16..].copy_from_slice(&hash(cause)[..10]);
        Self(bytes)
    }

    #[must_use]
    pub fn address(&self) -> AddressKey {
        let mut bytes = [0; 10];
        bytes.copy_from_slice(&self.0[..10]);
        AddressKey::from_bytes(bytes)
    }

    /// Milliseconds since 1970, the time in the id.
    #[must_use]
    pub fn at_ms(&self) -> u64 {
        let mut bytes = [0; 8];
        bytes[2..].copy_from_slice(&self.0[10..16]);
        u64::from_be_bytes(bytes)
    }

    /// Time and hash: the sort key's part of the id.
    #[must_use]
    pub fn sort_part(&self) -> String {
        encode(&self.0[10..])
    }

    /// # Errors
    /// When the parts are not those of a message's key.
    pub fn from_parts(address: &str, sort_part: &str) -> Result<Self, InvalidId> {
        let address: [u8; 10] = decode(address).ok_or(InvalidId("msg"))?;
        let rest: [u8; 16] = decode(sort_part).ok_or(InvalidId("msg"))?;
        let mut bytes = [0; 26];
        bytes[..10].copy_from_slice(&address);
        bytes[10..].copy_from_slice(&rest);
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_being_written_and_read() {
        let id =
            MessageId::new(AddressKey::from_bytes([7; 10]), 1_795_219_200_123, &[b"single", b"x"]);
        let text = id.to_string();
        assert!(text.starts_with("msg_") && text.len() == 46, "{text}");
        assert_eq!(text.parse::<MessageId>(), Ok(id));
        assert_eq!(id.at_ms(), 1_795_219_200_123);
        assert_eq!(MessageId::from_parts(&id.address().key(), &id.sort_part()), Ok(id));
    }

    #[test]
    fn text_order_is_time_order() {
        let at = |ms| MessageId::new(AddressKey::from_bytes([1; 10]), ms, &[b"a"]).sort_part();
        assert!(at(1_700_000_000_000) < at(1_700_000_000_001));
        assert!(at(999) < at(1_000_000));
    }

    #[test]
    fn ids_of_another_kind_or_length_are_refused() {
        for bad in ["", "msg_", "org_0123456789abcdef", "msg_0123", "msg_ABC", "msg_\u{e9}"] {
            assert!(bad.parse::<MessageId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn parts_that_join_to_the_same_text_do_not_share_a_hash() {
        assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
    }
}
