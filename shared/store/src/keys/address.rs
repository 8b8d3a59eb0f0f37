//! What is known of one address: its messages, and what may stand against writing to it.

use carillon_domain::{AddressKey, MessageId, OrgId, ProviderName};
use jiff::Timestamp;

use super::{Key, key, org_part};

pub fn address(org: OrgId, address: AddressKey) -> String {
    format!("{}/a/{}", org_part(org), address.key())
}

pub const MESSAGE_PREFIX: &str = "m/";

pub fn message(org: OrgId, id: MessageId) -> Key {
    key(address(org, id.address()), format!("{MESSAGE_PREFIX}{}", id.sort_part()))
}

/// Body and variables that would not fit the message's row.
pub fn message_body(org: OrgId, id: MessageId) -> Key {
    key(address(org, id.address()), format!("{BODY_PREFIX}{}", id.sort_part()))
}

/// Of long contents.
pub const BODY_PREFIX: &str = "b/";
/// Of answers that are repeated for a day.
pub const ANSWER_PREFIX: &str = "an/";

/// What was answered to the request that made a message.
pub fn answer(org: OrgId, id: MessageId) -> Key {
    key(address(org, id.address()), format!("{ANSWER_PREFIX}{}", id.sort_part()))
}

/// In an erasure's partition, before the address.
pub const ERASURE: &str = "er/";

/// How far the erasure of an address is.
pub fn erasure(org: OrgId, address: AddressKey) -> Key {
    key(format!("{}/{ERASURE}{}", org_part(org), address.key()), "er")
}

pub fn suppression(org: OrgId, at: AddressKey, channel: &str) -> Key {
    key(address(org, at), format!("{GATES_PREFIX}{channel}"))
}

/// Of suppressions and consents, all channels.
pub const GATES_PREFIX: &str = "s/";
/// Between the channel and the purpose in a consent's sort key; no channel's
/// name goes on with it.
const CONSENT: &str = "#c/";

/// Beside the suppression, so that both are one short range.
pub fn consent(org: OrgId, at: AddressKey, channel: &str, purpose: &str) -> Key {
    key(address(org, at), format!("{GATES_PREFIX}{channel}{CONSENT}{purpose}"))
}

pub fn is_consent(sk: &str) -> bool {
    sk.contains(CONSENT)
}

/// Suppression and consents of one channel: the first key, and a sort key
/// behind the last.
pub fn gates(org: OrgId, at: AddressKey, channel: &str) -> (Key, String) {
    (suppression(org, at, channel), format!("{GATES_PREFIX}{channel}#~"))
}

/// That an address was told, on this channel, who writes to it.
pub fn introduced(org: OrgId, at: AddressKey, channel: &str) -> Key {
    key(address(org, at), format!("i/{channel}"))
}

/// Messages that a person got on one day.
pub fn cap(org: OrgId, at: AddressKey, day: &str) -> Key {
    key(address(org, at), format!("cap/{day}"))
}

/// What the organization may still send.
pub fn ledger(org: OrgId) -> Key {
    key(format!("{}/ledger", org_part(org)), "ledger")
}

pub fn provider_id(org: OrgId, provider: ProviderName, id: &str) -> Key {
    key(format!("{}/pid/{}/{id}", org_part(org), provider.as_str()), "pid")
}

/// Shards of an organization's lists of suppressions and consents.
pub const GATE_SHARDS: u8 = 4;

/// Which list of all addresses a suppression or consent is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateList {
    Suppressions,
    Consents,
}

/// A shard of such a list, in the index of what a person looks at.
pub fn gate_list(org: OrgId, list: GateList, shard: u8) -> String {
    let list = match list {
        GateList::Suppressions => "sup",
        GateList::Consents => "con",
    };
    format!("{}/{list}/{shard}", org_part(org))
}

/// The list that an address's rows are in.
pub fn gate_list_of(org: OrgId, list: GateList, at: AddressKey) -> String {
    gate_list(org, list, at.as_bytes().last().copied().unwrap_or(0) % GATE_SHARDS)
}

/// Newest last; `row` is the sort key, whose channel a list can be narrowed by.
pub fn gate_list_at(time: Timestamp, at: AddressKey, row: &Key) -> String {
    let row = row.sk.strip_prefix(GATES_PREFIX).unwrap_or(&row.sk);
    format!("{:013}#{row}#{}", time.as_millisecond().max(0), at.key())
}

/// The channel in a [`gate_list_at`].
pub fn channel_of_gate(place: &str) -> Option<&str> {
    place.split('#').nth(1)
}
