//! The addresses that an admin enters with a provider.

use carillon_domain::{ProviderName, Secret, ids};
use carillon_providers::{CallbackTrust, provider};
use carillon_runtime::{Context, random};
use serde_json::{Value, json};

/// Name of the credential that is the secret part of a callback path.
pub const TOKEN: &str = "callback_token";

pub fn new_token() -> Secret {
    ids::encode(&random::bytes::<20>()).into()
}

/// What to enter where; `null` where this installation has no public address.
pub fn addresses(ctx: &Context, name: ProviderName, token: Option<&str>) -> Value {
    let Some(base) = &ctx.config.public_url else { return Value::Null };
    let base = format!("{base}/webhooks/{}", name.as_str());
    match provider(name).capabilities().callback_trust {
        CallbackTrust::Signature => {
            json!({"status": format!("{base}/status"), "inbound": format!("{base}/inbound")})
        }
        CallbackTrust::PathToken => json!({"status": token.map(|t| format!("{base}/{t}"))}),
    }
}
