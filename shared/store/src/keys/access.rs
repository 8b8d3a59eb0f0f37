//! Whoever calls, and what the organization has: its keys, members, sessions, settings, accounts.

use carillon_domain::{AddressKey, AuditId, KeyId, MemberId, OrgId, ProviderName};
use jiff::Timestamp;

use super::{Key, key, org_part};

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
