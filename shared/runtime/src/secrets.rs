//! Encryption by AWS KMS. The encryption context names whose secret it is, so
//! a ciphertext moved to another organization's row does not decrypt.
//!
//! What was decrypted is kept for minutes, in memory alone, and wiped when it
//! goes. While secrets move to another key, the keys before it still decrypt
//! (`docs/guides/rotation.md`).

use std::collections::HashMap;
use std::sync::Mutex;

use aws_sdk_kms::Client;
use aws_sdk_kms::operation::decrypt::DecryptError;
use aws_sdk_kms::primitives::Blob;
use carillon_domain::{OrgId, ProviderName};
use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use crate::clock::Clock;

/// Decrypted values kept at most; then the cache begins anew.
const CACHED: usize = 1000;
/// How long a decrypted value is kept, by our clock.
const KEPT_FOR: SignedDuration = SignedDuration::from_mins(5);

/// Whose secret a ciphertext is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    Installation,
    Integration(OrgId, ProviderName),
}

impl Owner {
    fn context(self) -> HashMap<String, String> {
        match self {
            Self::Installation => {
                HashMap::from([("carillon".to_owned(), "installation".to_owned())])
            }
            Self::Integration(org, provider) => HashMap::from([
                ("organization".to_owned(), org.to_string()),
                ("integration".to_owned(), provider.as_str().to_owned()),
            ]),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the secret could not be {0}")]
pub struct SecretError(&'static str, #[source] Box<dyn std::error::Error + Send + Sync>);

/// What was encrypted. Cannot be printed; wiped when it goes.
#[derive(Clone)]
pub struct Plaintext(Zeroizing<Vec<u8>>);

impl Plaintext {
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

/// What came of moving a ciphertext to the configured key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    To(Vec<u8>),
    /// It is under that key.
    Already,
}

struct Kept {
    plaintext: Plaintext,
    until: Timestamp,
}

/// By ciphertext: a changed credential has another one, so nothing stale is
/// ever read.
type Cache = HashMap<(Owner, Vec<u8>), Kept>;

pub struct Secrets {
    client: Client,
    /// The first encrypts; all of them decrypt.
    keys: Vec<String>,
    clock: Clock,
    cache: Mutex<Cache>,
}

impl Secrets {
    /// `keys`: what encrypts, then what had encrypted before.
    #[must_use]
    pub fn new(client: Client, keys: Vec<String>, clock: Clock) -> Self {
        Self { client, keys, clock, cache: Mutex::default() }
    }

    fn key(&self) -> &str {
        self.keys.first().map_or("", String::as_str)
    }

    /// # Errors
    /// When KMS refuses or does not answer.
    pub async fn encrypt(&self, owner: Owner, plaintext: &[u8]) -> Result<Vec<u8>, SecretError> {
        let answer = self
            .client
            .encrypt()
            .key_id(self.key())
            .plaintext(Blob::new(plaintext))
            .set_encryption_context(Some(owner.context()))
            .send()
            .await
            .map_err(|e| SecretError("encrypted", e.into()))?;
        let blob =
            answer.ciphertext_blob.ok_or_else(|| SecretError("encrypted", "no answer".into()))?;
        Ok(blob.into_inner())
    }

    /// # Errors
    /// When KMS refuses (another owner, another key, tampering) or does not
    /// answer.
    pub async fn decrypt(&self, owner: Owner, ciphertext: &[u8]) -> Result<Plaintext, SecretError> {
        let name = (owner, ciphertext.to_vec());
        let now = self.clock.now();
        let known = self.cached(|cache| {
            cache.retain(|_, kept| now < kept.until);
            cache.get(&name).map(|kept| kept.plaintext.clone())
        });
        if let Some(known) = known {
            return Ok(known);
        }
        let plaintext = self.ask(owner, ciphertext).await?;
        self.cached(|cache| {
            if cache.len() >= CACHED {
                cache.clear();
            }
            cache.insert(name, Kept { plaintext: plaintext.clone(), until: now + KEPT_FOR });
        });
        Ok(plaintext)
    }

    /// Of KMS, with each key that it may be under.
    async fn ask(&self, owner: Owner, ciphertext: &[u8]) -> Result<Plaintext, SecretError> {
        let mut refused = SecretError("decrypted", "no key is configured".into());
        for key in &self.keys {
            let answer = self
                .client
                .decrypt()
                .key_id(key)
                .ciphertext_blob(Blob::new(ciphertext))
                .set_encryption_context(Some(owner.context()))
                .send()
                .await;
            match answer {
                Ok(answer) => {
                    let blob = answer.plaintext;
                    let blob = blob.ok_or_else(|| SecretError("decrypted", "no answer".into()))?;
                    return Ok(Plaintext(Zeroizing::new(blob.into_inner())));
                }
                Err(error) => {
                    let is_of_another = error.as_service_error().is_some_and(is_of_another);
                    refused = SecretError("decrypted", error.into());
                    if !is_of_another {
                        break;
                    }
                }
            }
        }
        Err(refused)
    }

    /// Moves a ciphertext to the key that encrypts, inside KMS: the secret is
    /// not seen here.
    ///
    /// # Errors
    /// As [`Self::decrypt`].
    pub async fn move_to_key(&self, owner: Owner, ciphertext: &[u8]) -> Result<Moved, SecretError> {
        let answer = self
            .client
            .re_encrypt()
            .ciphertext_blob(Blob::new(ciphertext))
            .set_source_encryption_context(Some(owner.context()))
            .destination_key_id(self.key())
            .set_destination_encryption_context(Some(owner.context()))
            .send()
            .await
            .map_err(|e| SecretError("moved to another key", e.into()))?;
        if answer.key_id.is_some() && answer.key_id == answer.source_key_id {
            return Ok(Moved::Already);
        }
        let blob = answer.ciphertext_blob;
        let blob = blob.ok_or_else(|| SecretError("moved to another key", "no answer".into()))?;
        Ok(Moved::To(blob.into_inner()))
    }

    /// Decrypted values in memory.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.cached(|cache| cache.len())
    }

    fn cached<T>(&self, with: impl FnOnce(&mut Cache) -> T) -> T {
        // A panic while the lock was held cannot leave the map half-written.
        with(&mut self.cache.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// KMS says that this is not the key that it was encrypted with.
fn is_of_another(error: &DecryptError) -> bool {
    error.is_incorrect_key_exception() || error.is_invalid_ciphertext_exception()
}
