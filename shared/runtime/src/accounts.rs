//! An organization's integrations, ready to be used.

use carillon_domain::{Channel, OrgId, PhoneNumber, ProviderName};
use carillon_providers::{Account, Credentials, provider};
use carillon_store::{Integration, StoreError};

use crate::Context;
use crate::secrets::{Owner, SecretError};

#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the stored credentials cannot be read")]
    Unreadable(#[from] serde_json::Error),
}

/// The integrations of one organization that are enabled, by priority, with
/// their credentials. Read anew for each run; decryption is cached.
#[derive(Debug, Clone)]
pub struct Accounts(Vec<(ProviderName, Account)>);

impl Accounts {
    /// The first that serves this number, or the one asked for.
    #[must_use]
    pub fn choose(
        &self,
        channel: Channel,
        to: &PhoneNumber,
        asked: Option<ProviderName>,
    ) -> Option<&(ProviderName, Account)> {
        self.0.iter().find(|(name, _)| {
            name.channel() == channel
                && asked.is_none_or(|asked| asked == *name)
                && provider(*name).serves(to)
        })
    }

    #[must_use]
    pub fn get(&self, name: ProviderName) -> Option<&Account> {
        self.0.iter().find(|(n, _)| *n == name).map(|(_, account)| account)
    }
}

impl Context {
    /// # Errors
    /// When the table or KMS does not answer.
    pub async fn accounts(&self, org: OrgId) -> Result<Accounts, AccountError> {
        let mut integrations = self.store.integrations(org).await?;
        integrations.retain(|i| i.enabled);
        integrations.sort_by_key(|i| (i.settings.priority, i.provider));
        let mut accounts = Vec::with_capacity(integrations.len());
        for integration in &integrations {
            accounts.push((integration.provider, self.account(integration).await?));
        }
        Ok(Accounts(accounts))
    }

    /// # Errors
    /// When KMS does not answer, or the credentials are not this row's.
    pub async fn account(&self, integration: &Integration) -> Result<Account, AccountError> {
        Ok(Account {
            base_url: self.base_url(integration.provider),
            credentials: self.credentials(integration).await?,
            settings: integration.settings.clone(),
        })
    }

    /// # Errors
    /// As [`Self::account`].
    pub async fn credentials(
        &self,
        integration: &Integration,
    ) -> Result<Credentials, AccountError> {
        let owner = Owner::Integration(integration.org, integration.provider);
        let plaintext = self.secrets.decrypt(owner, &integration.credentials).await?;
        Ok(serde_json::from_slice(&plaintext)?)
    }

    /// Where the provider's API is.
    #[must_use]
    pub fn base_url(&self, name: ProviderName) -> String {
        let own = provider(name).default_base_url();
        self.config.provider_urls.get(&name).map_or(own, String::as_str).to_owned()
    }
}
