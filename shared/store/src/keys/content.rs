//! Templates, sequences and tags, each with its name and its users.

use carillon_domain::{OrgId, SequenceId, TagId, TemplateId};

use super::{Key, key, org_part};

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
