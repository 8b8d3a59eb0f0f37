//! Secrets of API keys: 256 bits behind a prefix that scanners of leaked secrets
//! can look for. Stored is only the hash.

use carillon_domain::{OrgId, ids};
use carillon_runtime::context::InstallationError;
use carillon_runtime::{Context, random};
use zeroize::Zeroizing;

const PREFIX: &str = "crl_";
/// Characters that are shown of a key, its prefix among them.
const SHOWN: usize = 10;

/// A new secret. A request that carries an idempotency key gets the same one
/// again when it is repeated, though nobody stored it: it is derived from the
/// installation's secret.
///
/// # Errors
/// When the installation's secret cannot be read.
pub async fn new(
    ctx: &Context,
    org: OrgId,
    purpose: &str,
    idempotency_key: Option<&str>,
) -> Result<Zeroizing<String>, InstallationError> {
    let bytes = Zeroizing::new(match idempotency_key {
        None => random::bytes::<32>(),
        Some(key) => {
            let secret = ctx.address_secret().await?;
            // Hashed first: the parts cannot run into each other, nor into what
            // else this secret is used for.
            secret.mac(&ids::hash(&[
                b"api key",
                purpose.as_bytes(),
                org.as_bytes(),
                key.as_bytes(),
            ]))
        }
    });
    Ok(Zeroizing::new(format!("{PREFIX}{}", ids::encode(bytes.as_slice()))))
}

/// What is shown of it for good.
pub fn shown(secret: &str) -> String {
    secret.chars().take(SHOWN).collect()
}
