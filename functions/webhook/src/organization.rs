//! Whose callback is it? The one whose secret verifies it.

use carillon_domain::{OrgId, ProviderName};
use carillon_providers::{Callback, CallbackTrust, provider};
use carillon_runtime::Context;
use carillon_runtime::accounts::AccountError;
use carillon_store::{Integration, callback_token_hash};

/// Whom a callback belongs to.
#[derive(Debug, PartialEq, Eq)]
pub enum Owner {
    Nobody,
    One(OrgId),
    /// They share the account, and none has the address it came to.
    OneOf(Vec<OrgId>),
    /// It came to the installation's own account: whoever wrote to the person
    /// with it.
    Shared,
}

/// `rest` is the path after the provider's name.
pub async fn of(
    ctx: &Context,
    name: ProviderName,
    rest: &str,
    callback: &Callback<'_>,
) -> Result<Owner, AccountError> {
    match provider(name).capabilities().callback_trust {
        CallbackTrust::PathToken => {
            let token = rest.rsplit('/').next().unwrap_or_default();
            // Looked up by its hash: no comparison leaks how much of it fits.
            let hash = callback_token_hash(token);
            let org = ctx.store.organization_of_token(name, &hash).await?;
            Ok(org.map_or(Owner::Nobody, Owner::One))
        }
        CallbackTrust::Signature => signed(ctx, name, callback).await,
    }
}

async fn signed(
    ctx: &Context,
    name: ProviderName,
    callback: &Callback<'_>,
) -> Result<Owner, AccountError> {
    let named = provider(name).callback_account(callback);
    // Our own address carries the organization. A forged one only chooses whose
    // secret it fails against.
    let candidates = match in_query(callback.url) {
        Some(org) => vec![org],
        None => match &named {
            Some(named) => ctx.store.organizations_of_account(name, &named.account).await?,
            None => Vec::new(),
        },
    };
    let mut verified = Vec::new();
    for org in candidates {
        verified.extend(verifying(ctx, org, name, callback).await?);
    }
    // Organizations may share an account: the address it came to decides. A
    // callback of ours named its organization, and there is one candidate.
    let (account, addresses) = named.map_or_else(Default::default, |n| (n.account, n.addresses));
    let own = addresses.iter().find_map(|a| verified.iter().find(|i| has_address(i, a)));
    if own.is_none()
        && let Some(owner) = installations(ctx, name, account, &addresses, &verified, callback)
    {
        return Ok(owner);
    }
    Ok(match (own, verified.as_slice()) {
        (Some(own), _) => Owner::One(own.org),
        (None, []) => Owner::Nobody,
        (None, [only]) => Owner::One(only.org),
        (None, several) => Owner::OneOf(several.iter().map(|i| i.org).collect()),
    })
}

/// The installation's own account, where its secret verifies the callback: of an
/// organization without one, that our address names, or of who wrote last.
fn installations(
    ctx: &Context,
    name: ProviderName,
    account: String,
    addresses: &[String],
    verified: &[Integration],
    callback: &Callback<'_>,
) -> Option<Owner> {
    let shared = ctx.config.installation_account.as_ref()?;
    let is_its = name == ProviderName::Twilio
        && account == shared.account_sid
        && (verified.is_empty() || addresses.iter().any(|a| shared.has_address(a)));
    if !is_its || provider(name).verify(&shared.credentials(), callback).is_err() {
        return None;
    }
    Some(in_query(callback.url).map_or(Owner::Shared, Owner::One))
}

/// The organization's integration, if its secret verifies the callback. One that
/// was read a while ago may do; what it does not verify, the newest decides, and
/// then those that it replaced lately.
async fn verifying(
    ctx: &Context,
    org: OrgId,
    name: ProviderName,
    callback: &Callback<'_>,
) -> Result<Option<Integration>, AccountError> {
    if let Some(integration) = ctx.integration_lately(org, name)
        && verifies(ctx, &integration, callback).await?
    {
        return Ok(Some(integration));
    }
    match ctx.integration_now(org, name).await? {
        None => return Ok(None),
        Some(now) if verifies(ctx, &now, callback).await? => return Ok(Some(now)),
        Some(_) => {}
    }
    // Signed with a secret, or by an account, that was replaced a while ago: what
    // was under way then must not be lost.
    for former in ctx.store.formers(org, name, ctx.clock.now()).await? {
        if verifies(ctx, &former.integration, callback).await? {
            ctx.counters.add("callbacks_by_former_secret", 1);
            return Ok(Some(former.integration));
        }
    }
    Ok(None)
}

async fn verifies(
    ctx: &Context,
    integration: &Integration,
    callback: &Callback<'_>,
) -> Result<bool, AccountError> {
    let credentials = ctx.credentials(integration).await?;
    Ok(provider(integration.provider).verify(&credentials, callback).is_ok())
}

fn has_address(integration: &Integration, address: &str) -> bool {
    integration.settings.provider.values().any(|value| value == address)
}

fn in_query(url: &str) -> Option<OrgId> {
    let (_, query) = url.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix("o=")?.parse().ok())
}
