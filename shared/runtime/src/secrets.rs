//! Encryption by AWS KMS. The encryption context names whose secret it is, so
//! a ciphertext moved to another organization's row does not decrypt.

use std::collections::HashMap;
use std::sync::Mutex;

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use carillon_domain::{OrgId, ProviderName};
use zeroize::Zeroizing;

/// Decrypted values kept at most; then the cache begins anew.
const CACHED: usize = 1000;

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

type Plaintexts = HashMap<(Owner, Vec<u8>), Zeroizing<Vec<u8>>>;

pub struct Secrets {
    client: Client,
    key: String,
    /// By ciphertext: a changed credential has another one, so nothing stale
    /// is ever read.
    cache: Mutex<Plaintexts>,
}

impl Secrets {
    #[must_use]
    pub fn new(client: Client, key: impl Into<String>) -> Self {
        Self { client, key: key.into(), cache: Mutex::default() }
    }

    /// # Errors
    /// When KMS refuses or does not answer.
    pub async fn encrypt(&self, owner: Owner, plaintext: &[u8]) -> Result<Vec<u8>, SecretError> {
        let answer = self
            .client
            .encrypt()
            .key_id(&self.key)
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
    /// When KMS refuses (another owner, tampering) or does not answer.
    pub async fn decrypt(
        &self,
        owner: Owner,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        let name = (owner, ciphertext.to_vec());
        if let Some(known) = self.cached(|cache| cache.get(&name).cloned()) {
            return Ok(known);
        }
        let answer = self
            .client
            .decrypt()
            .key_id(&self.key)
            .ciphertext_blob(Blob::new(ciphertext))
            .set_encryption_context(Some(owner.context()))
            .send()
            .await
            .map_err(|e| SecretError("decrypted", e.into()))?;
        let blob = answer.plaintext.ok_or_else(|| SecretError("decrypted", "no answer".into()))?;
        let plaintext = Zeroizing::new(blob.into_inner());
        self.cached(|cache| {
            if cache.len() >= CACHED {
                cache.clear();
            }
            cache.insert(name, plaintext.clone());
        });
        Ok(plaintext)
    }

    fn cached<T>(&self, with: impl FnOnce(&mut Plaintexts) -> T) -> T {
        // A panic while the lock was held cannot leave the map half-written.
        with(&mut self.cache.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}
