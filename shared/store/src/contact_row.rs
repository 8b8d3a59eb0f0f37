//! A contact as a row, and what is left of one that was merged into another.

use carillon_domain::{Contact, ContactId, ImportId, OrgId, PhoneNumber};

use crate::attributes::{Item, Reader, Writer, n, s};
use crate::{Result, keys};

/// What stands at a contact's key.
pub enum Row {
    Contact(Box<Contact>),
    /// It is part of this contact now.
    MergedInto(ContactId),
}

pub fn write(c: &Contact, token: &str) -> Item {
    let mut w = Writer::new(&keys::contact(c.org, c.id));
    w.number("v", 1).number("ver", c.version).text("tk", token);
    w.some("nm", c.name.as_ref(), s).some("em", c.email.as_ref(), s);
    w.some("to", c.phone.as_ref(), |p| s(p.as_str()));
    if !c.other_phones.is_empty() {
        w.text("op", serde_json::json!(c.other_phones).to_string());
    }
    w.some("tz", c.time_zone.as_ref(), s).some("la", c.language.as_ref(), s);
    w.some("xi", c.external_id.as_ref(), s).some("st", c.status.as_ref(), s);
    w.some("sc", c.score, n);
    if !c.attributes.is_empty() {
        w.text("at", serde_json::json!(c.attributes).to_string());
    }
    if !c.labels.is_empty() {
        w.text("lb", serde_json::json!(c.labels).to_string());
    }
    w.some("im", c.imported, |(id, line)| s(format!("{}#{line}", id.key())));
    w.text("by", &c.created_by).time("ca", c.created_at).time("ua", c.updated_at);
    w.done()
}

/// In place of a contact that is part of another from now on.
pub fn write_merged(c: &Contact, into: ContactId, token: &str) -> Item {
    let mut w = Writer::new(&keys::contact(c.org, c.id));
    w.number("v", 1).number("ver", c.version + 1).text("tk", token).text("mi", into.key());
    w.done()
}

pub fn read(org: OrgId, item: &Item) -> Result<Row> {
    let r = Reader::new("contact", item);
    if let Some(into) = r.maybe_text("mi") {
        return Ok(Row::MergedInto(ContactId::from_key(into)?));
    }
    let own = |name: &str| r.maybe_text(name).map(str::to_owned);
    Ok(Row::Contact(Box::new(Contact {
        id: id(item)?,
        org,
        name: own("nm"),
        phone: r.maybe_parsed("to", phone)?,
        other_phones: r.json("op")?.unwrap_or_default(),
        email: own("em"),
        time_zone: own("tz"),
        language: own("la"),
        external_id: own("xi"),
        status: own("st"),
        score: r.maybe_number("sc")?,
        attributes: r.json("at")?.unwrap_or_default(),
        labels: r.json("lb")?.unwrap_or_default(),
        imported: r.maybe_parsed("im", imported)?,
        created_by: r.text("by")?.to_owned(),
        created_at: r.time("ca")?,
        updated_at: r.time("ua")?,
        version: r.number("ver")?,
    })))
}

/// Whose row it is.
pub fn id(item: &Item) -> Result<ContactId> {
    let r = Reader::new("contact", item);
    let (_, rest) = r.parsed("pk", keys::read_org)?;
    let id = rest.strip_prefix("c/").ok_or_else(|| r.corrupt("pk"))?;
    Ok(ContactId::from_key(id)?)
}

fn imported(text: &str) -> Option<(ImportId, u32)> {
    let (id, line) = text.split_once('#')?;
    Some((ImportId::from_key(id).ok()?, line.parse().ok()?))
}

fn phone(text: &str) -> Option<PhoneNumber> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
}
