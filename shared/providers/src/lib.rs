//! Providers: one folder each, the same rooms in each.
//!
//! | room | what is in it |
//! |---|---|
//! | `mod.rs` | the [`Provider`] of that name: capabilities, wiring of the rooms |
//! | `account.rs` | the fields of credentials and settings, and their check |
//! | `request.rs` | builds requests: send, look-up, test (pure) |
//! | `answer.rs` | reads answers (pure) |
//! | `codes.rs` | the provider's error codes as a table |
//! | `callback.rs` | verifies and reads callbacks (pure) |
//!
//! A provider never does I/O: [`client::Client`] does, the same way for all.
//! Nothing outside a provider's folder knows its words. Adding one touches its
//! folder, its name in the domain and the match arm in [`provider`].

pub mod client;
pub mod contract;
mod fast2sms;
mod fields;
mod note;
mod twilio;

pub use contract::*;

use carillon_domain::ProviderName;

/// The one place where a name becomes a provider.
#[must_use]
pub fn provider(name: ProviderName) -> &'static dyn Provider {
    match name {
        ProviderName::Twilio => &twilio::Twilio,
        ProviderName::Fast2sms => &fast2sms::Fast2sms,
    }
}
