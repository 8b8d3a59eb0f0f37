//! Resources as JSON, with the names of the contract. Each type here is what a
//! client gets, and what the OpenAPI document says that it gets. Times are RFC
//! 3339 in UTC.

pub mod booking;
pub mod campaign;
pub mod consent;
pub mod contact;
pub mod counts;
pub mod dead_letter;
pub mod import;
pub mod installation;
pub mod integration;
pub mod message;
pub mod preview;
pub mod sequence;
pub mod statistics;
pub mod suppression;
pub mod template;
pub mod workshop;
