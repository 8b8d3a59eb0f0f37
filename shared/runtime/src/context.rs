//! What a function has at hand: made once a cold start, shared by its steps.

use std::sync::{Mutex, OnceLock, PoisonError};

use carillon_domain::{AddressKey, AddressSecret, OrgId};
use carillon_identity::Issuer;
use carillon_providers::client::{Client, SetUpError};
use carillon_store::{Store, StoreError};
use jiff::Timestamp;

use crate::accounts::Lately;
use crate::clock::Clock;
use crate::config::Config;
use crate::files::{Files, FilesError};
use crate::mail::Mail;
use crate::queues::Queues;
use crate::secrets::{Owner, SecretError, Secrets};
use crate::standing::Kept;
use crate::telemetry::Counters;
use crate::{random, trouble};

pub struct Context {
    pub config: Config,
    pub store: Store,
    pub queues: Queues,
    pub secrets: Secrets,
    /// The one HTTP client that reaches providers.
    pub providers: Client,
    /// Whom people sign in with.
    pub issuer: Option<Issuer>,
    /// Large files; none where there is no bucket.
    pub files: Option<Files>,
    /// Mail to members; none where there is no sender's address.
    pub mail: Option<Mail>,
    pub clock: Clock,
    pub counters: Counters,
    /// Set where this process is the only worker there is (the local stack):
    /// claims from before it are lost, whatever their lease says.
    pub sole_worker_since: Option<Timestamp>,
    /// Set where the table's id is known without asking DynamoDB (the local
    /// stack, whose folder nobody can swap under it).
    pub table_id: Option<String>,
    pub(crate) standing: Kept,
    pub(crate) lately: Lately,
    pub(crate) told: trouble::Lately,
    /// Made when somebody is called who is no provider.
    outside: OnceLock<Client>,
    /// The installation's secret as it is stored; decrypted, it is kept for
    /// minutes like any other.
    sealed: Mutex<Option<Vec<u8>>>,
}

#[derive(Debug, thiserror::Error)]
pub enum InstallationError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the installation's secret has the wrong length")]
    Length,
}

impl Context {
    /// From clients that are ready: the embedded engines' or AWS's.
    ///
    /// # Errors
    /// When the HTTP client for providers cannot be made.
    pub fn new(
        config: Config,
        dynamodb: aws_sdk_dynamodb::Client,
        sqs: aws_sdk_sqs::Client,
        kms: aws_sdk_kms::Client,
        clock: Clock,
    ) -> Result<Self, SetUpError> {
        let providers = Client::new()?;
        let issuer = config.sign_in.clone().map(|sign_in| Issuer::new(sign_in, providers.clone()));
        Ok(Self {
            store: Store::new(dynamodb, &config.table),
            queues: Queues::new(sqs, config.queues.clone()),
            secrets: Secrets::new(kms, config.kms_keys(), clock.clone()),
            providers,
            issuer,
            files: None,
            mail: None,
            clock,
            counters: Counters::default(),
            sole_worker_since: None,
            table_id: None,
            standing: Kept::default(),
            lately: Lately::default(),
            told: trouble::Lately::default(),
            outside: OnceLock::new(),
            sealed: Mutex::default(),
            config,
        })
    }

    /// From the environment, on Lambda.
    ///
    /// # Errors
    /// When a variable is missing.
    pub async fn from_env() -> anyhow::Result<Self> {
        let config = Config::from_env()?;
        let aws = aws().await;
        let mut ctx = Self::new(
            config,
            aws_sdk_dynamodb::Client::new(&aws),
            aws_sdk_sqs::Client::new(&aws),
            aws_sdk_kms::Client::new(&aws),
            Clock::System,
        )?;
        if let (Some(region), Some(credentials)) = (aws.region(), aws.credentials_provider()) {
            let region = region.as_ref();
            if let Some(bucket) = &ctx.config.files_bucket {
                let base = format!("https://{bucket}.s3.{region}.amazonaws.com");
                let http = ctx.providers.clone();
                ctx.files = Some(Files::new(base, region, credentials.clone(), http));
            }
            if let Some(from) = &ctx.config.mail_from {
                let base = format!("https://email.{region}.amazonaws.com");
                ctx.mail = Some(Mail::new(base, region, from, credentials, ctx.providers.clone()));
            }
        }
        Ok(ctx)
    }

    /// # Errors
    /// Where there is no bucket.
    pub fn files(&self) -> Result<&Files, FilesError> {
        self.files.as_ref().ok_or(FilesError::NoBucket)
    }

    /// The HTTP client for addresses that people gave us.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn outside(&self) -> Result<Client, SetUpError> {
        if let Some(client) = self.outside.get() {
            return Ok(client.clone());
        }
        let client = Client::outside()?;
        Ok(self.outside.get_or_init(|| client).clone())
    }

    /// The key of an address in this organization.
    ///
    /// # Errors
    /// When the installation's secret cannot be read (once a cold start).
    pub async fn address_key(
        &self,
        org: OrgId,
        address: &str,
    ) -> Result<AddressKey, InstallationError> {
        Ok(AddressKey::new(&self.address_secret().await?, org, address))
    }

    /// A key for one purpose, of the installation's secret: who has one of these
    /// has neither the secret nor the others.
    ///
    /// # Errors
    /// As for [`Self::address_secret`].
    pub async fn derived_key(&self, purpose: &str) -> Result<[u8; 32], InstallationError> {
        Ok(self.address_secret().await?.hash(&[b"purpose", purpose.as_bytes()]))
    }

    /// The secret that address keys are made with, drawn at the first start.
    ///
    /// # Errors
    /// When the table or KMS does not answer.
    pub async fn address_secret(&self) -> Result<AddressSecret, InstallationError> {
        let sealed = match self.sealed() {
            Some(sealed) => sealed,
            None => self.read_sealed().await?,
        };
        let secret = match self.secrets.decrypt(Owner::Installation, &sealed).await {
            Ok(secret) => secret,
            // It was moved to another key since it was read, perhaps.
            Err(error) => {
                let now_there = self.read_sealed().await?;
                if now_there == sealed {
                    return Err(error.into());
                }
                self.secrets.decrypt(Owner::Installation, &now_there).await?
            }
        };
        AddressSecret::new(secret.reveal()).ok_or(InstallationError::Length)
    }

    fn sealed(&self) -> Option<Vec<u8>> {
        self.sealed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn read_sealed(&self) -> Result<Vec<u8>, InstallationError> {
        let sealed = match self.store.installation_secret().await? {
            Some(sealed) => sealed,
            None => {
                let drawn = zeroize::Zeroizing::new(random::bytes::<32>());
                let sealed = self.secrets.encrypt(Owner::Installation, &*drawn).await?;
                self.store.ensure_installation_secret(sealed).await?
            }
        };
        *self.sealed.lock().unwrap_or_else(PoisonError::into_inner) = Some(sealed.clone());
        Ok(sealed)
    }
}

/// Credentials and region of the environment.
async fn aws() -> aws_config::SdkConfig {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(aws_smithy_http_client::tls::Provider::Rustls(
            aws_smithy_http_client::tls::rustls_provider::CryptoMode::Ring,
        ))
        .build_https();
    aws_config::defaults(aws_config::BehaviorVersion::latest()).http_client(http).load().await
}

/// As [`store_of`], and KMS of the same account and region.
pub async fn store_and_kms_of(table: &str) -> (Store, aws_sdk_kms::Client) {
    let aws = aws().await;
    let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), table);
    (store, aws_sdk_kms::Client::new(&aws))
}

/// A table on AWS by its name, for commands that operators run.
pub async fn store_of(table: &str) -> Store {
    Store::new(aws_sdk_dynamodb::Client::new(&aws().await), table)
}
