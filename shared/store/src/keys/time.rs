//! What is ordered by time: what is due, time lines, and what a person should look at.

use carillon_domain::{Lane, LetterId, OrgId};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{DUE_SHARDS, Key, key, org_part};

pub fn due_partition(lane: Lane, shard: u8) -> String {
    format!("due/{}/{shard}", lane.as_str())
}

/// Any shard will do, as long as it is always the same one.
pub fn due_shard(bytes: &[u8]) -> u8 {
    bytes.last().copied().unwrap_or(0) % DUE_SHARDS
}

/// Time first, so that a query by range finds what is due; the generation makes
/// a condition on this one attribute a condition on both.
pub fn due_at(at: Timestamp, generation: u32) -> String {
    format!("{:013}#{generation:08x}", at.as_millisecond().max(0))
}

/// Greater than every `due_at` of this millisecond or before.
pub fn due_until(now: Timestamp) -> String {
    format!("{:013}#~", now.as_millisecond().max(0))
}

/// Time and generation in a `due_at`.
pub fn read_due_at(text: &str) -> Option<(Timestamp, u32)> {
    let (at, generation) = text.split_once('#')?;
    let at = Timestamp::from_millisecond(at.parse().ok()?).ok()?;
    Some((at, u32::from_str_radix(generation, 16).ok()?))
}

/// The month (UTC) as it stands in keys, `202611`.
pub fn month(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y%m").to_string()
}

/// `202611` → `202610`.
pub fn month_before(month: &str) -> Option<String> {
    let (year, number): (u32, u32) = (month.get(..4)?.parse().ok()?, month.get(4..)?.parse().ok()?);
    match number {
        1 => Some(format!("{:04}12", year.checked_sub(1)?)),
        2..=12 => Some(format!("{year:04}{:02}", number - 1)),
        _ => None,
    }
}

/// The day (UTC), `2026-11-21`.
pub fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string()
}

pub fn timeline(org: OrgId, month: &str, shard: u8) -> String {
    format!("{}/t/{month}/{shard}", org_part(org))
}

pub fn attention(org: OrgId, what: &str, month: &str) -> String {
    format!("{}/{what}/{month}", org_part(org))
}

/// What was given up in a month. Without an organization: what names none.
pub fn dead_letters(org: Option<OrgId>, month: &str) -> String {
    match org {
        Some(org) => attention(org, "dead", month),
        None => format!("installation/dead/{month}"),
    }
}

/// Newest last. `id` is the key of what was given up: it makes the entry unique,
/// so that a list can go on behind it.
pub fn dead_letter_at(at: Timestamp, id: &str) -> String {
    format!("{:013}#{id}", at.as_millisecond().max(0))
}

/// A dead letter that has a row of its own.
pub fn letter(org: Option<OrgId>, id: LetterId) -> Key {
    let of = org.map_or_else(|| "installation".to_owned(), org_part);
    key(format!("{of}/dl/{}", id.key()), LETTER)
}

pub const LETTER: &str = "dl";
