//! Every key of the table, and nowhere else.
//!
//! Every row of an organization has the organization in its partition key, so
//! no question can be asked across organizations by accident.

use carillon_domain::{
    AddressKey, AuditId, BookingId, CampaignId, ContactId, ExportId, ImportId, KeyId, Lane,
    LetterId, ListId, MemberId, MessageId, OrgId, PackId, ProviderName, SegmentId, SequenceId,
    TagId, TemplateId, WorkshopId,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

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

pub fn installation() -> Key {
    key("installation".to_owned(), "secret")
}

/// Which table the rows were written for.
pub fn table_mark() -> Key {
    key("installation".to_owned(), "table")
}

pub fn api_key(secret_hash: &str) -> Key {
    key(format!("key/{secret_hash}"), "key")
}

/// Which key of the organization that is: its hash, to find it by its id.
pub fn api_key_of(org: OrgId, id: KeyId) -> Key {
    key(org_part(org), format!("{API_KEY_PREFIX}{}", id.key()))
}

pub const API_KEY_PREFIX: &str = "key/";

pub fn member(org: OrgId, id: MemberId) -> Key {
    key(org_part(org), format!("{MEMBER_PREFIX}{}", id.key()))
}

pub const MEMBER_PREFIX: &str = "mem/";

/// The organizations of somebody who signs in, by the hash of issuer and subject.
pub fn identity(identity: &str) -> String {
    format!("idn/{identity}")
}

pub fn identity_in(of: &str, org: OrgId) -> Key {
    key(identity(of), org.key())
}

/// The organizations that an e-mail address was invited to, by its keyed hash.
pub fn invitation(email: &str) -> String {
    format!("inv/{email}")
}

pub fn invitation_to(email: &str, org: OrgId) -> Key {
    key(invitation(email), org.key())
}

/// A session of the console, by the hash of its cookie.
pub fn session(hash: &str) -> Key {
    key(format!("ses/{hash}"), "ses")
}

/// An attempt to sign in that was not used yet.
pub fn attempt(name: &str) -> Key {
    key(format!("att/{name}"), "att")
}

/// When somebody ended all his sessions.
pub fn signed_out(holder: &str) -> Key {
    key(format!("out/{holder}"), "out")
}

/// All organizations, for who manages them.
pub const ORGANIZATIONS: &str = "organizations";

pub fn organization_listed(org: OrgId) -> Key {
    key(ORGANIZATIONS.to_owned(), org.key())
}

pub fn organization(org: OrgId) -> Key {
    key(org_part(org), "org")
}

pub fn settings(org: OrgId) -> Key {
    key(org_part(org), "settings")
}

pub fn integration(org: OrgId, provider: ProviderName) -> Key {
    key(org_part(org), format!("int/{}", provider.as_str()))
}

pub const INTEGRATION_PREFIX: &str = "int/";
pub const FORMER_PREFIX: &str = "was/";

/// Of accounts as they were before a change.
pub fn formers(provider: ProviderName) -> String {
    format!("{FORMER_PREFIX}{}/", provider.as_str())
}

/// `changed` is when it had become what it was. The ciphertext makes it unique.
pub fn former(org: OrgId, provider: ProviderName, changed: Timestamp, ciphertext: &[u8]) -> Key {
    let changed = changed.as_millisecond().max(0);
    let name = carillon_domain::ids::encode(&carillon_domain::ids::hash(&[ciphertext])[..5]);
    key(org_part(org), format!("{}{changed:013}#{name}", formers(provider)))
}

/// Organizations that use a provider's account, for callbacks that name it.
pub fn callback_account(provider: ProviderName, account: &str) -> String {
    format!("cb/{}/{account}", provider.as_str())
}

pub fn callback_account_of(provider: ProviderName, account: &str, org: OrgId) -> Key {
    key(callback_account(provider, account), org.key())
}

/// The organization behind a callback path token; only its hash is stored.
pub fn callback_token(token_hash: &str) -> Key {
    key(format!("cbt/{token_hash}"), "cbt")
}

/// Organizations that wrote to a number with the installation's own account, by
/// a key of the number that is no organization's.
pub fn shared_number(number: AddressKey) -> String {
    format!("sha/{}", number.key())
}

pub fn shared_number_of(number: AddressKey, org: OrgId) -> Key {
    key(shared_number(number), org.key())
}

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

pub fn booking(org: OrgId, id: BookingId) -> Key {
    key(format!("{}/bk/{}", org_part(org), id.key()), "bk")
}

/// All bookings of an organization, in the order of their beginnings.
pub fn bookings(org: OrgId) -> String {
    format!("{}/bkg", org_part(org))
}

/// A booking's place in that order.
pub fn booking_at(starts_at: Timestamp, id: BookingId) -> String {
    format!("{:013}#{}", starts_at.as_millisecond().max(0), id.key())
}

/// Which bookings a contact has.
pub const CONTACT_BOOKING: &str = "bk/";

pub fn contact_booking(org: OrgId, contact: ContactId, id: BookingId) -> Key {
    key(contact_partition(org, contact), format!("{CONTACT_BOOKING}{}", id.key()))
}

/// In a workshop's partition, before its id.
pub const WORKSHOP: &str = "w/";

pub fn workshop_partition(org: OrgId, id: WorkshopId) -> String {
    format!("{}/{WORKSHOP}{}", org_part(org), id.key())
}

pub fn workshop(org: OrgId, id: WorkshopId) -> Key {
    key(workshop_partition(org, id), "w")
}

/// All workshops, by their start. An entry whose workshop was moved since leads
/// nowhere.
pub fn workshops(org: OrgId) -> String {
    format!("{}/ws", org_part(org))
}

pub fn workshop_listed(org: OrgId, starts_at: Timestamp, id: WorkshopId) -> Key {
    key(workshops(org), format!("{}#{}", in_order(starts_at), id.key()))
}

/// Of a workshop's registrations, by number.
pub const REGISTRATION_PREFIX: &str = "r/";
/// Of those who left and whose messages are not withdrawn yet.
pub const LEAVING_PREFIX: &str = "l/";
/// Of a workshop's campaigns, by when they were started.
pub const BROADCAST_PREFIX: &str = "b/";

pub fn registration(org: OrgId, workshop: WorkshopId, number: u32) -> Key {
    key(workshop_partition(org, workshop), format!("{REGISTRATION_PREFIX}{number:06}"))
}

pub fn leaving(org: OrgId, workshop: WorkshopId, number: u32) -> Key {
    key(workshop_partition(org, workshop), format!("{LEAVING_PREFIX}{number:06}"))
}

pub fn broadcast(org: OrgId, workshop: WorkshopId, at: Timestamp, id: CampaignId) -> Key {
    let place = format!("{BROADCAST_PREFIX}{}#{}", in_order(at), id.key());
    key(workshop_partition(org, workshop), place)
}

/// Of the workshops that a contact is registered for, in the contact's partition.
pub const REGISTERED_PREFIX: &str = "w/";

pub fn registered(org: OrgId, contact: ContactId, workshop: WorkshopId) -> Key {
    key(contact_partition(org, contact), format!("{REGISTERED_PREFIX}{}", workshop.key()))
}

/// All campaigns, by when they were started.
pub fn campaigns(org: OrgId) -> String {
    format!("{}/cms", org_part(org))
}

pub fn campaign_listed(org: OrgId, at: Timestamp, id: CampaignId) -> Key {
    key(campaigns(org), format!("{}#{}", in_order(at), id.key()))
}

pub fn campaign_partition(org: OrgId, id: CampaignId) -> String {
    format!("{}/cm/{}", org_part(org), id.key())
}

pub fn campaign(org: OrgId, id: CampaignId) -> Key {
    key(campaign_partition(org, id), "c")
}

pub const STEP_PREFIX: &str = "s/";
pub const BATCH_PREFIX: &str = "b/";

pub fn campaign_step(org: OrgId, id: CampaignId, place: u16) -> Key {
    key(campaign_partition(org, id), format!("{STEP_PREFIX}{place:03}"))
}

/// In the order in which they are planned.
pub fn campaign_batch(org: OrgId, id: CampaignId, (revision, first, step): (u32, u32, u16)) -> Key {
    let place = format!("{BATCH_PREFIX}{revision:06}/{first:06}/{step:03}");
    key(campaign_partition(org, id), place)
}

/// A moment as it sorts as text.
fn in_order(at: Timestamp) -> String {
    format!("{:013}", at.as_millisecond().max(0))
}

/// `scope` is the kind of request; keys are the caller's words, so only their
/// hash stands here.
pub fn idempotency(org: OrgId, scope: &str, key_: &str) -> Key {
    let hash = carillon_domain::ids::hash(&[scope.as_bytes(), key_.as_bytes()]);
    let name = carillon_domain::ids::encode(&hash[..20]);
    key(format!("{}/idem/{name}", org_part(org)), "idem")
}

/// The audit log of a month.
pub fn audit_month(org: OrgId, month: &str) -> String {
    format!("{}/audit/{month}", org_part(org))
}

/// What was noted before an action sorts before what came of it.
pub fn audit(org: OrgId, month: &str, id: AuditId, is_end: bool) -> Key {
    key(audit_month(org, month), format!("{}#{}", id.key(), u8::from(is_end)))
}

/// An address that a key or member was seen at.
pub fn caller_address(org: OrgId, caller: &str, address: &str) -> Key {
    key(format!("{}/from/{caller}", org_part(org)), address)
}

/// What a key or member may still ask.
pub fn rate(org: OrgId, caller: &str) -> Key {
    key(format!("{}/rate/{caller}", org_part(org)), "rate")
}

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

pub fn templates(org: OrgId) -> String {
    format!("{}/tpl", org_part(org))
}

pub const TEMPLATE_PREFIX: &str = "t/";

pub fn template(org: OrgId, id: TemplateId) -> Key {
    key(templates(org), format!("{TEMPLATE_PREFIX}{}", id.key()))
}

pub fn template_version(org: OrgId, id: TemplateId, version: u32) -> Key {
    key(templates(org), format!("v/{}/{version:06}", id.key()))
}

pub fn template_key(org: OrgId, name: &str) -> Key {
    key(templates(org), format!("k/{name}"))
}

/// Which sequences use a template.
pub fn template_users(org: OrgId, id: TemplateId) -> Key {
    key(templates(org), format!("u/{}", id.key()))
}

/// That the organization was given the templates it begins with.
pub fn first_templates(org: OrgId) -> Key {
    key(templates(org), "first")
}

pub fn sequences(org: OrgId) -> String {
    format!("{}/seq", org_part(org))
}

pub const SEQUENCE_PREFIX: &str = "s/";

pub fn sequence(org: OrgId, id: SequenceId) -> Key {
    key(sequences(org), format!("{SEQUENCE_PREFIX}{}", id.key()))
}

pub fn sequence_name(org: OrgId, name: &str) -> Key {
    key(sequences(org), format!("n/{}", name_part(name)))
}

/// Which tags use a sequence.
pub fn sequence_users(org: OrgId, id: SequenceId) -> Key {
    key(sequences(org), format!("u/{}", id.key()))
}

pub fn tags(org: OrgId) -> String {
    format!("{}/tag", org_part(org))
}

pub const TAG_PREFIX: &str = "g/";

pub fn tag(org: OrgId, id: TagId) -> Key {
    key(tags(org), format!("{TAG_PREFIX}{}", id.key()))
}

pub fn tag_name(org: OrgId, name: &str) -> Key {
    key(tags(org), format!("n/{}", name_part(name)))
}

/// How many workshops have a tag.
pub fn tag_users(org: OrgId, id: TagId) -> Key {
    key(tags(org), format!("u/{}", id.key()))
}

/// A name that people give, in whichever case: one key, of any length.
fn name_part(name: &str) -> String {
    let hash = carillon_domain::ids::hash(&[name.to_lowercase().as_bytes()]);
    carillon_domain::ids::encode(&hash[..20])
}

pub fn counters(org: OrgId) -> String {
    format!("{}/n", org_part(org))
}

/// `day` is `2026-11-21`, so days sort.
pub fn counter(org: OrgId, day: &str, channel: &str, shard: u8) -> Key {
    key(counters(org), format!("{day}#{channel}#{shard}"))
}

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

/// The organization and what is left of a partition key that has one.
pub fn read_org(pk: &str) -> Option<(OrgId, &str)> {
    let rest = pk.strip_prefix("o/")?;
    let (org, rest) = rest.split_once('/')?;
    Some((OrgId::from_key(org).ok()?, rest))
}

#[cfg(test)]
mod tests {
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
