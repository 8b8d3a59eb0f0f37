//! A workshop and who is registered for it.

use carillon_domain::workshop::{self as domain};
use carillon_domain::{ContactId, TagId, WorkshopId};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// A dated event with registrants.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Workshop {
    pub id: WorkshopId,
    pub title: String,
    pub tag_id: TagId,
    pub starts_at: Timestamp,
    /// IANA name.
    pub time_zone: String,
    pub whatsapp_group_ids: Vec<String>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Workshop {
    #[must_use]
    pub fn of(w: &domain::Workshop) -> Self {
        Self {
            id: w.id,
            title: w.title.clone(),
            tag_id: w.tag,
            starts_at: w.starts_at,
            time_zone: w.time_zone.clone(),
            whatsapp_group_ids: w.whatsapp_group_ids.clone(),
            created_by: w.created_by.clone(),
            created_at: w.created_at,
            updated_at: w.updated_at,
        }
    }
}

/// Somebody who is registered.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Registration {
    pub contact_id: ContactId,
    /// Unlike that of anybody else, and of an earlier registration.
    pub number: u32,
    pub registered_at: Timestamp,
}

impl Registration {
    #[must_use]
    pub fn of(r: &domain::Registration) -> Self {
        Self { contact_id: r.contact, number: r.number, registered_at: r.at }
    }
}

/// Who can be reached by a channel.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Recipients {
    pub total: u32,
    pub reachable: u32,
    /// At most 1000 are named.
    pub unreachable: Vec<Unreachable>,
    pub with_email: u32,
    pub missing_email: u32,
}

/// Somebody who cannot be reached, and why.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Unreachable {
    pub contact_id: ContactId,
    /// `no_phone`, or a code of what is wrong with the number.
    pub reason: String,
}
