//! The vocabulary and the rules of Carillon.
//!
//! Pure: no async, no AWS, no HTTP, no clock, no environment. Time, ids and
//! randomness come in as arguments, so every rule here can be tested as a
//! table. Everything else in the workspace depends on this crate; it depends
//! on nothing of ours.

pub mod access;
pub mod address;
pub mod audit;
pub mod booking;
pub mod campaign;
pub mod channel;
pub mod consent;
pub mod contact;
pub mod content;
pub mod cursor;
pub mod dlt;
pub mod erasure;
pub mod expiry;
pub mod explain;
pub mod failure;
pub mod gates;
pub mod ids;
pub mod import;
pub mod integration;
pub mod json_limits;
pub mod keyed_hash;
pub mod keywords;
pub mod ledger;
pub mod library;
pub mod message;
pub mod outside_url;
pub mod pack;
pub mod personal;
pub mod phone;
pub mod quiet;
pub mod receipt;
pub mod restore;
pub mod retry;
pub mod rows;
#[cfg(feature = "schema")]
pub mod schema;
pub mod secret;
pub mod segment;
pub mod segments;
pub mod sequence;
pub mod session;
pub mod settings;
pub mod statistics;
pub mod template;
pub mod transition;
pub mod wall_clock;
pub mod workshop;
pub mod written_out;

pub use access::{Action, Role};
pub use address::{AddressKey, AddressSecret};
pub use booking::Booking;
pub use channel::{Channel, Lane, Purpose};
pub use contact::Contact;
pub use failure::{Failure, FailureReason};
pub use ids::{
    AuditId, BookingId, CampaignId, ContactId, ExportId, ImportId, KeyId, LetterId, ListId,
    MemberId, MessageId, OrgId, PackId, SegmentId, SequenceId, StepId, TagId, TemplateId, UploadId,
    WorkshopId,
};
pub use integration::ProviderName;
pub use keyed_hash::keyed_hash;
pub use message::Message;
pub use outside_url::OutsideUrl;
pub use phone::{Country, PhoneNumber};
pub use secret::Secret;
pub use sequence::{Sequence, Step, StepTime, Tag};
