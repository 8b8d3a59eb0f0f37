//! An account with a provider, without its secrets.

use std::collections::BTreeMap;

use carillon_domain::integration::{IntegrationSettings, Money};
use carillon_domain::{Channel, Failure, ProviderName};
use carillon_store as store;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// The organization's account with a provider.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Integration {
    pub provider: ProviderName,
    pub channel: Channel,
    pub configured: bool,
    pub enabled: bool,
    pub status: IntegrationStatus,
    /// As of the last test.
    pub balance: Option<Money>,
    pub last_error: Option<String>,
    pub last_tested_at: Option<Timestamp>,
    pub settings: ShownSettings,
    /// By name, masked: `••••1234`.
    pub credentials: BTreeMap<String, String>,
    /// What to enter with the provider; null where this installation has no
    /// public address.
    pub callback_urls: Option<CallbackUrls>,
    /// Absent while it is not configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntegrationStatus {
    NotConfigured,
    Disabled,
    /// The last test failed.
    Failing,
    /// The last test went well.
    Working,
    Untested,
}

/// Empty while it is not configured.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ShownSettings {
    Set(IntegrationSettings),
    NotConfigured {},
}

/// Addresses that the provider calls.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CallbackUrls {
    /// Null for who may not see its secret part.
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inbound: Option<String>,
}

/// What the provider said when it was asked.
#[derive(Debug, Serialize, JsonSchema)]
pub struct IntegrationTest {
    pub ok: bool,
    pub balance: Option<Money>,
    pub error: Option<Failure>,
    pub tested_at: Option<Timestamp>,
}

impl Integration {
    #[must_use]
    pub fn not_configured(provider: ProviderName, callback_urls: Option<CallbackUrls>) -> Self {
        Self {
            provider,
            channel: provider.channel(),
            configured: false,
            enabled: false,
            status: IntegrationStatus::NotConfigured,
            balance: None,
            last_error: None,
            last_tested_at: None,
            settings: ShownSettings::NotConfigured {},
            credentials: BTreeMap::new(),
            callback_urls,
            created_at: None,
            updated_at: None,
        }
    }

    #[must_use]
    pub fn of(i: &store::Integration, callback_urls: Option<CallbackUrls>) -> Self {
        let status = match (i.enabled, &i.status.last_error, i.status.last_tested_at) {
            (false, ..) => IntegrationStatus::Disabled,
            (true, Some(_), _) => IntegrationStatus::Failing,
            (true, None, Some(_)) => IntegrationStatus::Working,
            (true, None, None) => IntegrationStatus::Untested,
        };
        Self {
            provider: i.provider,
            channel: i.provider.channel(),
            configured: true,
            enabled: i.enabled,
            status,
            balance: i.status.balance.clone(),
            last_error: i.status.last_error.clone(),
            last_tested_at: i.status.last_tested_at,
            settings: ShownSettings::Set(i.settings.clone()),
            credentials: i.masked.clone(),
            callback_urls,
            created_at: Some(i.created_at),
            updated_at: Some(i.updated_at),
        }
    }
}
