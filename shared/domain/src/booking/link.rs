//! The link by which a client rates a session: it says which booking and until
//! when, under a signature of ours. Nothing is read before that was checked.

use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq;

use super::Booking;
use crate::{BookingId, OrgId, keyed_hash};

/// Whoever has a link can rate for so long after the session.
pub const OPEN_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Bytes of the signature; guessing one takes 2^128 tries.
const TAG: usize = 16;
const PLACE: usize = OrgId::BYTES + BookingId::BYTES + 5;
/// Characters of a token.
pub const TOKEN: usize = (PLACE + TAG) * 4 / 3 + 1;

/// What a link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    pub org: OrgId,
    pub booking: BookingId,
    pub open_until: Timestamp,
}

impl Link {
    #[must_use]
    pub fn to(b: &Booking) -> Self {
        let end = b.ends_at().saturating_add(OPEN_FOR).unwrap_or(Timestamp::MAX);
        Self { org: b.org, booking: b.id, open_until: end }
    }

    /// The token, under this key.
    #[must_use]
    pub fn token(&self, key: &[u8; 32]) -> String {
        let until = u64::try_from(self.open_until.as_second()).unwrap_or(0).to_be_bytes();
        let mut bytes = Vec::with_capacity(PLACE + TAG);
        bytes.extend_from_slice(self.org.as_bytes());
        bytes.extend_from_slice(self.booking.as_bytes());
        bytes.extend_from_slice(&until[3..]);
        let tag = tag(key, &bytes);
        bytes.extend_from_slice(&tag);
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// `None` for what was not made under this key.
    #[must_use]
    pub fn read(token: &str, key: &[u8; 32]) -> Option<Self> {
        if token.len() > TOKEN {
            return None;
        }
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
        let (place, given) = bytes.split_at_checked(PLACE)?;
        if !bool::from(tag(key, place).ct_eq(given)) {
            return None;
        }
        let (org, rest) = place.split_at(OrgId::BYTES);
        let (booking, until) = rest.split_at(BookingId::BYTES);
        let mut seconds = [0; 8];
        seconds[3..].copy_from_slice(until);
        Some(Self {
            org: OrgId::from_bytes(org.try_into().ok()?),
            booking: BookingId::from_bytes(booking.try_into().ok()?),
            open_until: Timestamp::from_second(u64::from_be_bytes(seconds).try_into().ok()?)
                .ok()?,
        })
    }
}

fn tag(key: &[u8; 32], place: &[u8]) -> [u8; TAG] {
    let whole = keyed_hash(key, &[b"feedback", place]);
    let mut tag = [0; TAG];
    tag.copy_from_slice(&whole[..TAG]);
    tag
}
