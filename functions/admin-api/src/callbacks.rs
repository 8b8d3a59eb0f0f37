//! The addresses that an admin enters with a provider.

use carillon_domain::{ProviderName, Secret, ids};
use carillon_providers::{CallbackTrust, provider};
use carillon_runtime::{Context, random};

use crate::view::integration::CallbackUrls;

/// Name of the credential that is the secret part of a callback path.
pub const TOKEN: &str = "callback_token";

pub fn new_token() -> Secret {
    ids::encode(&random::bytes::<20>()).into()
}

/// What to enter where; `null` where this installation has no public address.
pub fn addresses(ctx: &Context, name: ProviderName, token: Option<&str>) -> Option<CallbackUrls> {
    let base = ctx.config.public_url.as_ref()?;
    let base = format!("{base}/webhooks/{}", name.as_str());
    Some(match provider(name).capabilities().callback_trust {
        CallbackTrust::Signature => CallbackUrls {
            status: Some(format!("{base}/status")),
            inbound: Some(format!("{base}/inbound")),
        },
        CallbackTrust::PathToken => {
            CallbackUrls { status: token.map(|t| format!("{base}/{t}")), inbound: None }
        }
    })
}
