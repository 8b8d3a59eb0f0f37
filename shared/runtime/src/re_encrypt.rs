//! Moving every secret of an installation to the KMS key that is configured.
//!
//! An operator's command, not a function: it reads the whole table. It may run
//! beside everything else, be stopped anywhere and be started again: what is
//! under the key already is left as it is, and what somebody changes meanwhile
//! is encrypted with that key by whoever changes it.

use carillon_store::{SealedFor, Store, StoreError};
use futures::{StreamExt, TryStreamExt, stream};

use crate::secrets::{Moved, Owner, SecretError, Secrets};

/// Ciphertexts moved side by side.
const IN_FLIGHT: usize = 10;

#[derive(Debug, thiserror::Error)]
pub enum ReEncryptError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// What was found and done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReEncrypted {
    /// Moved to the key by this run.
    pub moved: u64,
    /// Were under it.
    pub already: u64,
    /// Changed or removed by somebody else meanwhile; the next run has a look.
    pub changed: u64,
}

/// # Errors
/// When the table or KMS does not answer, or KMS refuses a ciphertext; what was
/// moved before stays moved.
pub async fn re_encrypt(store: &Store, secrets: &Secrets) -> Result<ReEncrypted, ReEncryptError> {
    let mut done = ReEncrypted::default();
    let mut start = None;
    loop {
        let (page, next) = store.sealed(start).await?;
        let moved: Vec<Option<bool>> = stream::iter(page)
            .map(|sealed| async move {
                let owner = match sealed.owner {
                    SealedFor::Installation => Owner::Installation,
                    SealedFor::Integration(org, provider) => Owner::Integration(org, provider),
                };
                match secrets.move_to_key(owner, &sealed.ciphertext).await? {
                    Moved::Already => Ok::<_, ReEncryptError>(None),
                    Moved::To(new) => Ok(Some(store.replace_sealed(&sealed, new).await?)),
                }
            })
            .buffer_unordered(IN_FLIGHT)
            .try_collect()
            .await?;
        for one in moved {
            match one {
                None => done.already += 1,
                Some(true) => done.moved += 1,
                Some(false) => done.changed += 1,
            }
        }
        start = next;
        if start.is_none() {
            return Ok(done);
        }
    }
}
