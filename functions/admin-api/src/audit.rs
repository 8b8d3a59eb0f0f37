//! The audit log, written by the door: no handler can forget it.
//!
//! A request that changes something is noted before it is worked on, and its end
//! behind it: what took effect is in the log, whatever breaks in between. What
//! was denied leaves an entry too, also where it only wanted to look. A message
//! sent leaves none: its own row says who sent it and when
//! ([decision 15](docs/decisions/0015-the-audit-log-is-written-by-the-door.md)).

mod deed;
pub(crate) mod export;
pub(crate) mod list;
mod names;
pub(crate) mod note;
mod sighting;

pub(crate) use deed::Deed;
pub(crate) use sighting::sighted;
