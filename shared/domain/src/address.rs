//! Where a message goes to or came from, as a key of the table.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::ids::{self, InvalidId};
use crate::{OrgId, keyed_hash};

/// The installation's secret, which address keys are made with. Cannot be
/// printed; wiped when it goes.
#[derive(Clone)]
pub struct AddressSecret(Zeroizing<[u8; 32]>);

impl AddressSecret {
    /// `None` unless there are 32 bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    /// A hash of the parts under this secret, for another purpose than addresses:
    /// the parts must begin with what it is.
    #[must_use]
    pub fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        keyed_hash(&self.0, parts)
    }

    /// HMAC-SHA256 of these bytes.
    ///
    /// # Panics
    /// Never: HMAC takes a key of any length.
    #[must_use]
    pub fn mac(&self, bytes: &[u8]) -> [u8; 32] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&*self.0).expect("HMAC takes a key of any length");
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }
}

/// A keyed hash of an address (10 bytes). Keys and logs carry this in place of
/// the number: who has the table's keys alone cannot list whom we wrote to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AddressKey([u8; 10]);

impl AddressKey {
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 10]) -> Self {
        Self(bytes)
    }

    /// `secret` is the installation's; it is drawn once and never changes,
    /// since every message's id depends on it.
    #[must_use]
    pub fn new(secret: &AddressSecret, org: OrgId, address: &str) -> Self {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&*secret.0).expect("HMAC takes a key of any length");
        mac.update(org.as_bytes());
        mac.update(address.as_bytes());
        let digest = mac.finalize().into_bytes();
        let mut bytes = [0; 10];
        bytes.copy_from_slice(&digest[..10]);
        Self(bytes)
    }

    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 10] {
        &self.0
    }

    #[must_use]
    pub fn key(&self) -> String {
        ids::encode(&self.0)
    }

    /// # Errors
    /// When the text is not what [`Self::key`] makes.
    pub fn from_key(text: &str) -> Result<Self, InvalidId> {
        ids::decode(text).map(Self).ok_or(InvalidId("address"))
    }
}

impl fmt::Debug for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key())
    }
}
