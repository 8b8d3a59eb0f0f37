//! What Carillon remembers: one DynamoDB table and two sparse indexes.
//!
//! The methods of [`Store`] are the questions the functions ask. Every key is
//! made in [`keys`], every row is written and read in a `*_row` module, and
//! nothing outside this crate knows an attribute's name. `docs/data-model.md`
//! has the table of access patterns, keys, methods and units.
//!
//! Contention is a value, not an error: a conditional write answers whether it
//! won and what it met. Errors are throttling and outages (the caller's queue
//! retries those) and rows that cannot be read.

mod api_keys;
mod attention;
mod attributes;
mod audit;
mod bookings;
mod campaigns;
mod census;
mod consents;
mod contact_exports;
mod contact_import_row;
mod contact_imports;
mod contact_lists;
mod contact_row;
mod contact_writes;
mod contacts;
mod counted;
mod dead_letters;
mod due;
mod erasures;
mod former_accounts;
mod gate_lists;
mod idempotency;
mod import_row;
mod imports;
mod installation;
mod integrations;
mod kept;
pub mod keys;
mod ledger;
mod letters;
mod lists;
mod members;
mod message_row;
mod messages;
mod once;
mod organizations;
mod packs;
mod provider_ids;
mod registrations;
mod request_rate;
mod retention;
mod sabotage;
pub mod schema;
mod sealed;
mod segments;
mod sequences;
mod sessions;
mod set_aside;
mod shared_numbers;
mod statistics;
mod suppressions;
mod table;
mod table_mark;
mod tags;
mod templates;
mod timeline;
mod transaction;
mod uses;
mod workshops;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;

pub use api_keys::{ApiKey, secret_hash};
pub use attributes::Item;
pub use bookings::BookingPlace;
pub use census::{Counted as Census, Scanned};
pub use consents::GateRows;
pub use contact_writes::{ContactDeleted, ContactSaved};
pub use contacts::FoundContact;
pub use dead_letters::DeadLetter;
pub use due::{Due, DueEntry, DueKind};
pub use former_accounts::Former;
pub use idempotency::Remembered;
pub use integrations::{Integration, IntegrationStatus, callback_token_hash};
pub use kept::{Deleted, Kept, Stored};
pub use letters::{Cause, DueKeys, Letter};
pub use lists::{ListChanged, StoredList};
pub use members::{Member, MemberStatus, identity, member_id};
pub use message_row::read as read_message;
pub use messages::{Inserted, Saved};
pub use once::{Answered, Claim, Once};
pub use organizations::{Organization, OrganizationStatus, SeenSettings};
pub use registrations::{Place as RegistrationPlace, TOGETHER};
pub use request_rate::Leased;
pub use sabotage::Mechanism;
pub use sealed::{Sealed, SealedFor};
pub use segments::StoredSegment;
pub use sessions::StoredSession;
pub use statistics::{Counted, Counters, DayCounters, Group};
pub use suppressions::{Lifted, Suppression};
pub use table_mark::{Copied, TableIdentity, TableMark};
pub use templates::{NewTemplate, StoredTemplate};
pub use timeline::{Place, TimelineEntry};
pub use uses::Users;
pub use workshops::{Edited, TagGone};

/// The table, and the client that reaches it.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    table: String,
    retention: retention::Lately,
    #[cfg(feature = "sabotage")]
    without: Option<Mechanism>,
}

impl Store {
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
            retention: retention::Lately::default(),
            #[cfg(feature = "sabotage")]
            without: None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The table did not answer, or refused for now. Whoever has a queue
    /// behind it lets the message come again.
    #[error("{operation} failed")]
    Unavailable {
        operation: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A row that this release cannot read. Never repaired silently.
    #[error("a row of kind {kind} cannot be read: {detail}")]
    Corrupt { kind: &'static str, detail: String },
    /// Too many others changed the same row at the same time.
    #[error("{0} was changed by others at the same time, again and again")]
    Contended(&'static str),
}

pub type Result<T> = std::result::Result<T, StoreError>;

/// An answer of the SDK that says nothing about the data.
fn unavailable<E>(operation: &'static str) -> impl Fn(SdkError<E>) -> StoreError
where
    E: std::error::Error + Send + Sync + 'static,
{
    move |source| StoreError::Unavailable { operation, source: Box::new(source) }
}
