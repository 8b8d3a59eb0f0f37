//! Every key of the table, and nowhere else.
//!
//! Every row of an organization has the organization in its partition key, so
//! no question can be asked across organizations by accident.

mod access;
mod address;
mod contact;
mod content;
mod event;
mod source;
mod time;

use carillon_domain::OrgId;

pub use self::access::*;
pub use self::address::*;
pub use self::contact::*;
pub use self::content::*;
pub use self::event::*;
pub use self::source::*;
pub use self::time::*;

/// Index of what is due: `due`, `due_at`.
pub const DUE_INDEX: &str = "due";
/// Index of what a person should look at: `attn`, `attn_at`.
pub const ATTENTION_INDEX: &str = "attention";
/// Shards of the due index a lane.
pub const DUE_SHARDS: u8 = 16;
/// Shards of an organization's time line a month.
pub const TIMELINE_SHARDS: u8 = 4;

/// Partition and sort key of one row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    pub pk: String,
    pub sk: String,
}

fn key(pk: String, sk: impl Into<String>) -> Key {
    Key { pk, sk: sk.into() }
}

fn org_part(org: OrgId) -> String {
    format!("o/{}", org.key())
}

/// The organization and what is left of a partition key that has one.
pub fn read_org(pk: &str) -> Option<(OrgId, &str)> {
    let rest = pk.strip_prefix("o/")?;
    let (org, rest) = rest.split_once('/')?;
    Some((OrgId::from_key(org).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use carillon_domain::{AddressKey, MessageId};
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn due_times_sort_as_text_and_are_read_back() {
        let at = |ms| Timestamp::from_millisecond(ms).expect("in range");
        let early = due_at(at(1_795_000_000_000), 4_000_000_000);
        let late = due_at(at(1_795_000_000_001), 0);
        assert!(early < late);
        assert!(early < due_until(at(1_795_000_000_000)));
        assert!(late > due_until(at(1_795_000_000_000)));
        assert_eq!(read_due_at(&early), Some((at(1_795_000_000_000), 4_000_000_000)));
    }

    #[test]
    fn a_partition_of_one_organization_never_begins_anothers() {
        let org = OrgId::from_bytes([3; 10]);
        let id = MessageId::new(AddressKey::from_bytes([1; 10]), 5, &[b"x"]);
        let key = message(org, id);
        let (found, rest) = read_org(&key.pk).expect("an organization's row");
        assert_eq!(found, org);
        assert!(rest.starts_with("a/"));
        assert_eq!(month(Timestamp::from_second(1_795_219_200).expect("in range")), "202611");
    }
}
