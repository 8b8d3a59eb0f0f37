//! An organization's integrations, ready to be used.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use carillon_domain::integration::IntegrationSettings;
use carillon_domain::{AddressKey, Channel, OrgId, PhoneNumber, ProviderName, ids, keyed_hash};
use carillon_providers::{Account, Credentials, provider};
use carillon_store::{Integration, StoreError};
use jiff::{SignedDuration, Timestamp};

use crate::Context;
use crate::config::InstallationAccount;
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
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    enabled: Vec<(ProviderName, Account)>,
    disabled: Vec<ProviderName>,
}

impl Accounts {
    /// Those that serve this number, in the order in which they are tried; only
    /// the one asked for, if one was.
    pub fn serving(
        &self,
        channel: Channel,
        to: &PhoneNumber,
        asked: Option<ProviderName>,
    ) -> impl Iterator<Item = (ProviderName, &Account)> {
        let serves = move |name| serves(name, channel, to, asked);
        self.enabled.iter().map(|(name, account)| (*name, account)).filter(move |(n, _)| serves(*n))
    }

    /// Whether there is one for this channel at all; only the one asked for, if
    /// one was.
    #[must_use]
    pub fn has(&self, channel: Channel, asked: Option<ProviderName>) -> bool {
        let mut names = self.enabled.iter().map(|(name, _)| *name);
        names.any(|n| n.channel() == channel && asked.is_none_or(|asked| asked == n))
    }

    /// One that would serve this number if it were not switched off.
    #[must_use]
    pub fn switched_off(
        &self,
        channel: Channel,
        to: &PhoneNumber,
        asked: Option<ProviderName>,
    ) -> Option<ProviderName> {
        self.disabled.iter().copied().find(|name| serves(*name, channel, to, asked))
    }

    #[must_use]
    pub fn get(&self, name: ProviderName) -> Option<&Account> {
        self.enabled.iter().find(|(n, _)| *n == name).map(|(_, account)| account)
    }
}

fn serves(
    name: ProviderName,
    channel: Channel,
    to: &PhoneNumber,
    asked: Option<ProviderName>,
) -> bool {
    name.channel() == channel
        && asked.is_none_or(|asked| asked == name)
        && provider(name).serves(to)
}

/// How long a row that verifies callbacks is used without reading it again.
const USED_FOR: SignedDuration = SignedDuration::from_secs(60);

/// Integrations as they were read last, for callbacks: there are two or more of
/// them for each message.
#[derive(Debug, Default)]
pub struct Lately(Mutex<HashMap<(OrgId, ProviderName), (Timestamp, Integration)>>);

impl InstallationAccount {
    /// With whatever the installation sends at; its price is nobody's here.
    #[must_use]
    pub fn account(&self, base_url: String) -> Account {
        let mut settings = IntegrationSettings::default();
        for (name, value) in
            [("from", &self.phone_number), ("messaging_service_sid", &self.messaging_service_sid)]
        {
            if let Some(value) = value {
                settings.provider.insert(name.to_owned(), value.clone());
            }
        }
        Account { base_url, credentials: self.credentials(), settings }
    }

    #[must_use]
    pub fn credentials(&self) -> Credentials {
        Credentials(BTreeMap::from([
            ("account_sid".to_owned(), self.account_sid.clone().into()),
            ("auth_token".to_owned(), self.auth_token.clone()),
        ]))
    }

    /// What stands for a number in the notes of who wrote to it with this account:
    /// no organization's key of it. Needs no secret, so the webhook can make it; it
    /// stays the same when the token is changed.
    #[must_use]
    pub fn key_of(&self, number: &str) -> AddressKey {
        let secret = ids::hash(&[b"shared number", self.account_sid.as_bytes()]);
        let whole = keyed_hash(&secret, &[number.as_bytes()]);
        let mut key = [0; 10];
        key.copy_from_slice(&whole[..10]);
        AddressKey::from_bytes(key)
    }

    /// Whether this is the account that something is sent with.
    #[must_use]
    pub fn is(&self, account: &Account) -> bool {
        account.credentials.get("account_sid") == Some(&self.account_sid)
    }

    /// Whether this is one of its senders.
    #[must_use]
    pub fn has_address(&self, address: &str) -> bool {
        [&self.phone_number, &self.messaging_service_sid]
            .into_iter()
            .any(|own| own.as_deref() == Some(address))
    }
}

impl Context {
    /// The integration as it was up to a minute ago.
    #[must_use]
    pub fn integration_lately(&self, org: OrgId, name: ProviderName) -> Option<Integration> {
        let lately = self.lately.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_at, integration) = lately.get(&(org, name))?;
        (self.clock.now() < *read_at + USED_FOR).then(|| integration.clone())
    }

    /// The integration as it is now, for [`Self::integration_lately`] too.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn integration_now(
        &self,
        org: OrgId,
        name: ProviderName,
    ) -> Result<Option<Integration>, StoreError> {
        let read_at = self.clock.now();
        let found = self.store.integration(org, name).await?;
        let mut lately = self.lately.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &found {
            Some(integration) => {
                lately.insert((org, name), (read_at, integration.clone()));
            }
            None => {
                lately.remove(&(org, name));
            }
        }
        Ok(found)
    }

    /// # Errors
    /// When the table or KMS does not answer.
    pub async fn accounts(&self, org: OrgId) -> Result<Accounts, AccountError> {
        let mut integrations = self.store.integrations(org).await?;
        integrations.sort_by_key(|i| (i.settings.priority, i.provider));
        let mut accounts = Accounts::default();
        for integration in &integrations {
            if integration.enabled {
                let account = self.account(integration).await?;
                accounts.enabled.push((integration.provider, account));
            } else {
                accounts.disabled.push(integration.provider);
            }
        }
        let has_own = integrations.iter().any(|i| i.provider == ProviderName::Twilio);
        if let Some(shared) = self.config.installation_account.as_ref().filter(|_| !has_own) {
            let organization = self.store.organization(org).await?;
            if organization.is_some_and(|o| o.installation_account) {
                let name = ProviderName::Twilio;
                accounts.enabled.push((name, shared.account(self.base_url(name))));
            }
        }
        Ok(accounts)
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
        Ok(serde_json::from_slice(plaintext.reveal())?)
    }

    /// Where the provider's API is.
    #[must_use]
    pub fn base_url(&self, name: ProviderName) -> String {
        let own = provider(name).default_base_url();
        self.config.provider_urls.get(&name).map_or(own, String::as_str).to_owned()
    }
}
