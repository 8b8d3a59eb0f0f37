//! The one place that reads the environment. Errors name the variable.

use std::collections::BTreeMap;

use carillon_domain::{ProviderName, Secret};
use carillon_identity::SignIn;
use jiff::{SignedDuration, Timestamp};

/// Requests a second that a key may make.
const API_REQUESTS_PER_SECOND: u32 = 50;
/// Unknown keys that an address may try in a minute.
const FAILED_KEYS_PER_MINUTE: u32 = 30;
use crate::sign_in;

/// What a function is told by its deployment.
#[derive(Debug, Clone)]
pub struct Config {
    pub table: String,
    pub queues: QueueUrls,
    /// KMS key that encrypts credentials and the installation's secret.
    pub kms_key: String,
    /// Keys that encrypted before, while secrets move to another; they decrypt.
    pub kms_keys_before: Vec<String>,
    /// Address that providers call back, without a trailing slash. Absent: the
    /// webhook takes the host that API Gateway names.
    pub public_url: Option<String>,
    /// Bucket of large files; absent: there are none.
    pub files_bucket: Option<String>,
    /// Address that mail to members comes from, verified by SES; absent: none is sent.
    pub mail_from: Option<String>,
    /// Where the pages are that people without an account see; with the public
    /// address, where it is not said.
    pub pages_url: Option<String>,
    /// SHA-256 (hex) of the first organization's admin key.
    pub admin_key_sha256: Option<String>,
    /// Base addresses that replace the providers' own.
    pub provider_urls: BTreeMap<ProviderName, String>,
    /// Where the console is, without a trailing slash.
    pub console_url: Option<String>,
    /// The issuer that people sign in with; absent: there are only API keys.
    pub sign_in: Option<SignIn>,
    /// Origins (`https://console.example`) whose scripts may call the API from a
    /// browser. Usually none.
    pub cors_origins: Vec<String>,
    /// Requests a second that a key may make, where its organization has set
    /// nothing; four times as many at once.
    pub api_requests_per_second: u32,
    /// Keys that nobody knows, from one address in a minute and instance.
    pub failed_keys_per_minute: u32,
    /// Sends for organizations without an account of their own.
    pub installation_account: Option<InstallationAccount>,
    pub tuning: Tuning,
}

/// The installation's own account with Twilio.
#[derive(Clone)]
pub struct InstallationAccount {
    pub account_sid: String,
    pub auth_token: Secret,
    /// The sender; one of the two at least.
    pub phone_number: Option<String>,
    pub messaging_service_sid: Option<String>,
}

impl std::fmt::Debug for InstallationAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InstallationAccount({})", self.account_sid)
    }
}

/// The account in `TWILIO_…`; none where no `TWILIO_ACCOUNT_SID` is set.
///
/// # Errors
/// When something of it is missing.
pub fn installation_account() -> Result<Option<InstallationAccount>, ConfigError> {
    let Some(account_sid) = variable("TWILIO_ACCOUNT_SID") else { return Ok(None) };
    let auth_token = variable("TWILIO_AUTH_TOKEN");
    let auth_token = auth_token.ok_or(ConfigError::Missing("TWILIO_AUTH_TOKEN"))?;
    let account = InstallationAccount {
        account_sid,
        auth_token: auth_token.into(),
        phone_number: variable("TWILIO_PHONE_NUMBER"),
        messaging_service_sid: variable("TWILIO_MESSAGING_SERVICE_SID"),
    };
    if account.phone_number.is_none() && account.messaging_service_sid.is_none() {
        return Err(ConfigError::Missing("TWILIO_PHONE_NUMBER"));
    }
    Ok(Some(account))
}

/// URLs of the queues.
#[derive(Debug, Clone)]
pub struct QueueUrls {
    pub sms_transactional: String,
    pub sms_bulk: String,
    pub receive: String,
    /// What could not be applied ends here; only the API takes it up.
    pub receive_dead: String,
}

/// Sizes that tests make small, so that a dozen messages cross every boundary.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    /// Recipients a page.
    pub page_size: usize,
    /// Messages a pack.
    pub pack_size: usize,
    /// Calls in flight at a time in one sender.
    pub calls_in_flight: usize,
    /// Seconds that a provider has to answer.
    pub call_seconds: u32,
    /// Seconds that a body may stay on its queue before it is given up there.
    pub queue_lease_seconds: u32,
    /// Due entries read from a shard at a time.
    pub dispatch_batch: i32,
    /// What is due within so many seconds is queued now, with a delay: it goes at
    /// its second and not at the next minute.
    pub look_ahead_seconds: u32,
}

impl Tuning {
    /// When an entry that is on a queue until `at` is due again. The dispatcher
    /// looks ahead, so it is found that much earlier.
    #[must_use]
    pub fn queue_lease(&self, at: Timestamp) -> Timestamp {
        at + SignedDuration::from_secs(self.queue_lease_seconds.into()) + self.look_ahead()
    }

    #[must_use]
    pub fn look_ahead(&self) -> SignedDuration {
        SignedDuration::from_secs(self.look_ahead_seconds.into())
    }
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            page_size: 100,
            pack_size: 100,
            calls_in_flight: 20,
            call_seconds: 15,
            queue_lease_seconds: 120,
            dispatch_batch: 100,
            look_ahead_seconds: 60,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    #[error("the environment variable {0}: {1}")]
    Unsafe(&'static str, #[source] carillon_identity::settings::Unsafe),
}

/// A variable's value; empty counts as not set.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The variable that replaces a provider's base address.
#[must_use]
pub fn provider_url_variable(provider: ProviderName) -> String {
    format!("CARILLON_PROVIDER_URL_{}", provider.as_str().to_uppercase())
}

/// Base addresses from `CARILLON_PROVIDER_URL_<PROVIDER>`.
#[must_use]
pub fn provider_urls() -> BTreeMap<ProviderName, String> {
    ProviderName::ALL
        .into_iter()
        .filter_map(|p| {
            let url = variable(&provider_url_variable(p))?;
            Some((p, url.trim_end_matches('/').to_owned()))
        })
        .collect()
}

/// Origins from `CARILLON_CORS_ORIGINS`, separated by commas.
#[must_use]
pub fn cors_origins() -> Vec<String> {
    let all = variable("CARILLON_CORS_ORIGINS").unwrap_or_default();
    let each = all.split(',').map(|origin| origin.trim().trim_end_matches('/'));
    each.filter(|origin| !origin.is_empty()).map(str::to_owned).collect()
}

impl Config {
    /// What encrypts, then what encrypted before.
    #[must_use]
    pub fn kms_keys(&self) -> Vec<String> {
        [std::slice::from_ref(&self.kms_key), &self.kms_keys_before].concat()
    }

    /// # Errors
    /// Names the first variable that is missing, or not safe.
    pub fn from_env() -> Result<Self, ConfigError> {
        let needed = |name: &'static str| variable(name).ok_or(ConfigError::Missing(name));
        let address = |name: &str| variable(name).map(|url| url.trim_end_matches('/').to_owned());
        let console_url = sign_in::console_url();
        Ok(Self {
            table: needed("CARILLON_TABLE")?,
            queues: QueueUrls {
                // A function that never sends to a queue is not told of it.
                sms_transactional: variable("CARILLON_QUEUE_SMS_TRANSACTIONAL").unwrap_or_default(),
                sms_bulk: variable("CARILLON_QUEUE_SMS_BULK").unwrap_or_default(),
                receive: variable("CARILLON_QUEUE_RECEIVE").unwrap_or_default(),
                receive_dead: variable("CARILLON_QUEUE_RECEIVE_DEAD").unwrap_or_default(),
            },
            kms_key: needed("CARILLON_KMS_KEY")?,
            kms_keys_before: variable("CARILLON_KMS_KEYS_BEFORE")
                .map(|keys| keys.split(',').map(|key| key.trim().to_owned()).collect())
                .unwrap_or_default(),
            public_url: address("CARILLON_PUBLIC_URL"),
            pages_url: address("CARILLON_PAGES_URL").or_else(|| address("CARILLON_PUBLIC_URL")),
            files_bucket: variable("CARILLON_FILES_BUCKET"),
            mail_from: variable("CARILLON_MAIL_FROM"),
            admin_key_sha256: variable("CARILLON_ADMIN_KEY_SHA256"),
            provider_urls: provider_urls(),
            sign_in: sign_in::from_env(console_url.as_deref())?,
            console_url,
            cors_origins: cors_origins(),
            api_requests_per_second: API_REQUESTS_PER_SECOND,
            failed_keys_per_minute: FAILED_KEYS_PER_MINUTE,
            installation_account: installation_account()?,
            tuning: Tuning::default(),
        })
    }
}
