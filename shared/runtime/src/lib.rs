//! What every function needs around its own rule: context, configuration,
//! telemetry, queues, secrets.

pub mod accounts;
pub mod body;
pub mod booking;
pub mod broadcast;
pub mod clock;
pub mod config;
pub mod contact;
pub mod context;
pub mod files;
pub mod mail;
pub mod outbox;
pub mod people;
pub mod person;
pub mod queues;
pub mod random;
pub mod re_encrypt;
pub mod secrets;
pub mod segment;
pub mod set_aside;
pub mod sign_in;
pub mod standing;
pub mod telemetry;
pub mod trouble;

pub use clock::Clock;
pub use config::Config;
pub use context::Context;
