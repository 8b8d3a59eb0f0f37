//! Contacts, what they are found by, lists, segments, and files of people.

use carillon_domain::{AddressKey, ContactId, ExportId, ImportId, ListId, OrgId, SegmentId};

use super::{Key, PAGE_PREFIX, address, key, org_part};

/// A contact has a partition of its own, so that no key gets hot.
pub fn contact_partition(org: OrgId, id: ContactId) -> String {
    format!("{}/c/{}", org_part(org), id.key())
}

pub fn contact(org: OrgId, id: ContactId) -> Key {
    key(contact_partition(org, id), "c")
}

/// Whose number it is, beside all else that is known of the address.
pub fn phone_claim(org: OrgId, at: AddressKey) -> Key {
    key(address(org, at), "c")
}

/// Whose external id it is. Ids are the caller's words, so only their hash
/// stands here.
pub fn external_id_claim(org: OrgId, external_id: &str) -> Key {
    let hash = carillon_domain::ids::hash(&[b"external id", external_id.as_bytes()]);
    let name = carillon_domain::ids::encode(&hash[..20]);
    key(format!("{}/x/{name}", org_part(org)), "x")
}

/// Shards of each of an organization's lists of contacts.
pub const CONTACT_SHARDS: u8 = 4;

/// What contacts are listed and found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactList<'a> {
    /// All of them, once each, by name.
    All,
    /// By the second, third and fourth word of the name.
    Words,
    Emails,
    Phones,
    /// Those with a label, by name.
    Label(&'a str),
    /// Those with a status, by name.
    Status(&'a str),
}

/// A shard of such a list. Labels and statuses are folded.
pub fn contact_list(org: OrgId, list: ContactList<'_>, shard: u8) -> String {
    let list = match list {
        ContactList::All => "n".to_owned(),
        ContactList::Words => "w".to_owned(),
        ContactList::Emails => "e".to_owned(),
        ContactList::Phones => "p".to_owned(),
        ContactList::Label(label) => format!("l/{label}"),
        ContactList::Status(status) => format!("s/{status}"),
    };
    format!("{}/cl/{shard}/{list}", org_part(org))
}

/// Where a contact stands in a list: `by` what it is sorted. Addresses choose
/// their shard, so that one of them is found with one question.
pub fn contact_listed(org: OrgId, list: ContactList<'_>, by: &str, id: ContactId) -> Key {
    let shard = match list {
        ContactList::Emails | ContactList::Phones => {
            carillon_domain::ids::hash(&[by.as_bytes()])[0]
        }
        ContactList::All | ContactList::Words | ContactList::Label(_) | ContactList::Status(_) => {
            id.as_bytes()[9]
        }
    };
    key(contact_list(org, list, shard % CONTACT_SHARDS), format!("{by}#{}", id.key()))
}

/// The contact in a [`contact_listed`].
pub fn contact_of_place(place: &str) -> Option<ContactId> {
    ContactId::from_key(place.rsplit_once('#')?.1).ok()
}

/// In the partition of an export of contacts, before its id.
pub const CONTACT_EXPORT: &str = "cx/";

pub fn contact_export(org: OrgId, id: ExportId) -> Key {
    key(format!("{}/{CONTACT_EXPORT}{}", org_part(org), id.key()), "x")
}

pub fn lists(org: OrgId) -> String {
    format!("{}/lst", org_part(org))
}

pub fn list(org: OrgId, id: ListId) -> Key {
    key(lists(org), id.key())
}

pub fn list_members(org: OrgId, id: ListId) -> String {
    format!("{}/lm/{}", org_part(org), id.key())
}

pub fn list_member(org: OrgId, list: ListId, id: ContactId) -> Key {
    key(list_members(org, list), id.key())
}

/// Of the lists that a contact is in, in the contact's partition.
pub const OF_LIST_PREFIX: &str = "l/";

pub fn contact_in_list(org: OrgId, id: ContactId, list: ListId) -> Key {
    key(contact_partition(org, id), format!("{OF_LIST_PREFIX}{}", list.key()))
}

pub fn segments(org: OrgId) -> String {
    format!("{}/seg", org_part(org))
}

pub fn segment(org: OrgId, id: SegmentId) -> Key {
    key(segments(org), id.key())
}

/// In the partition of an import of contacts, before its id.
pub const CONTACT_IMPORT: &str = "ci/";

fn contact_import_partition(org: OrgId, id: ImportId) -> String {
    format!("{}/{CONTACT_IMPORT}{}", org_part(org), id.key())
}

pub fn contact_import(org: OrgId, id: ImportId) -> Key {
    key(contact_import_partition(org, id), "i")
}

pub fn contact_import_chunk(org: OrgId, id: ImportId, chunk: u32) -> Key {
    key(contact_import_partition(org, id), format!("f/{chunk:05}"))
}

/// What was refused of a page of rows.
pub fn contact_import_page(org: OrgId, id: ImportId, page: u32) -> Key {
    key(contact_import_partition(org, id), format!("{PAGE_PREFIX}{page:06}"))
}

/// The imports of contacts of an organization, for who looks for a person in
/// them.
pub fn contact_imports(org: OrgId) -> String {
    format!("{}/cis", org_part(org))
}

pub fn contact_import_listed(org: OrgId, id: ImportId) -> Key {
    key(contact_imports(org), id.key())
}
