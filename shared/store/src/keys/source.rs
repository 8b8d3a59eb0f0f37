//! Files and steps on their way, packs, and what rollup has counted.

use carillon_domain::{ImportId, OrgId, PackId};

use super::{Key, key, org_part};

fn source(org: OrgId, source: ImportId) -> String {
    format!("{}/src/{}", org_part(org), source.key())
}

pub fn import(org: OrgId, id: ImportId) -> Key {
    key(source(org, id), "i")
}

pub fn import_chunk(org: OrgId, id: ImportId, chunk: u32) -> Key {
    key(source(org, id), format!("f/{chunk:05}"))
}

pub fn page(org: OrgId, id: ImportId, page: u32) -> Key {
    key(source(org, id), format!("p/{page:06}"))
}

pub const PAGE_PREFIX: &str = "p/";

pub fn source_partition(org: OrgId, id: ImportId) -> String {
    source(org, id)
}

/// Side rows of rollup.
pub const COUNTED_PREFIX: &str = "q/";

/// What rollup has counted of a few pages in a row.
pub fn counted_pages(org: OrgId, id: ImportId, row: u32) -> Key {
    key(source(org, id), format!("q/{row:06}"))
}

/// What rollup has counted of the single messages of one minute: they have no
/// page, so the minute in their id is theirs.
pub fn counted_minute(org: OrgId, minute: u64, bucket: u8) -> Key {
    key(format!("{}/min/{minute}", org_part(org)), format!("q/{bucket:02}"))
}

pub fn pack(org: OrgId, id: PackId) -> Key {
    key(format!("{}/k/{}", org_part(org), id.key()), "k")
}

pub fn counters(org: OrgId) -> String {
    format!("{}/n", org_part(org))
}

/// `day` is `2026-11-21`, so days sort.
pub fn counter(org: OrgId, day: &str, channel: &str, shard: u8) -> Key {
    key(counters(org), format!("{day}#{channel}#{shard}"))
}
