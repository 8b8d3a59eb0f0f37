//! KMS with one symmetric key in a file, behind the real SDK client: Encrypt and Decrypt with
//! encryption context.
//!
//! AES-256-GCM. The encryption context is authenticated, not stored: what was encrypted for one
//! organization does not decrypt for another. Every key id, alias or ARN a caller names means the
//! one key.
//!
//! Ciphertext: version (1 byte, `1`) · key id (16) · nonce (12) · ciphertext and tag. Nonces are
//! random; at 2³² encryptions with one key (NIST SP 800-38D, 8.3) a local stack never arrives.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::connector::{Call, Reply, Service};
use super::fault::ServiceName;
use super::meter::Usage;
use super::{ACCOUNT, REGION};

const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
const KEY_ID_BYTES: usize = 16;
const NONCE_BYTES: usize = 12;
/// KMS encrypts up to 4 KiB; more is what data keys are for.
const MAX_PLAINTEXT: usize = 4_096;

/// Why the key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KmsOpenError {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "{path} holds {found} bytes, a key has {KEY_BYTES}; restore it, for \
         without it nothing can be decrypted"
    )]
    Length { path: PathBuf, found: usize },
    #[error("the system has no randomness to give")]
    Random(#[from] getrandom::Error),
}

/// A KMS-compatible engine with one key. Cheap to clone.
#[derive(Clone)]
pub struct KmsEngine {
    cipher: Arc<Aes256Gcm>,
    key_id: [u8; KEY_ID_BYTES],
}

impl std::fmt::Debug for KmsEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KmsEngine")
            .field("key_id", &hex::encode(self.key_id))
            .finish_non_exhaustive()
    }
}

impl KmsEngine {
    /// Reads the key file, or writes a new one (mode 0600, synced) when there is none. Without a
    /// path: a key that lives as long as this engine.
    ///
    /// # Errors
    /// A file of another length is never overwritten.
    pub fn open(path: Option<&Path>) -> Result<Self, KmsOpenError> {
        let key = match path {
            Some(path) => key_file(path)?,
            None => new_key()?,
        };
        let digest =
            Sha256::new().chain_update("carillon local kms key id").chain_update(key).finalize();
        let mut key_id = [0; KEY_ID_BYTES];
        key_id.copy_from_slice(&digest[..KEY_ID_BYTES]);
        Ok(Self { cipher: Arc::new(Aes256Gcm::new(&Key::<Aes256Gcm>::from(key))), key_id })
    }

    fn arn(&self) -> String {
        format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{}", hex::encode(self.key_id))
    }

    fn run(&self, operation: &str, body: &Value) -> Result<Value, KmsError> {
        match operation {
            "Encrypt" => self.encrypt(&read(body)?),
            "Decrypt" => self.decrypt(&read(body)?),
            _ => Err(KmsError::Unsupported),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the edge where a nonce comes from")]
    fn encrypt(&self, input: &Encrypt) -> Result<Value, KmsError> {
        let plaintext = STANDARD
            .decode(&input.plaintext)
            .map_err(|_| KmsError::Invalid("plaintext is not base64"))?;
        if !(1..=MAX_PLAINTEXT).contains(&plaintext.len()) {
            return Err(KmsError::Invalid("plaintext must be 1 to 4096 bytes long"));
        }
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| KmsError::Internal)?;
        let mut blob = vec![VERSION];
        blob.extend(self.key_id);
        blob.extend(nonce);
        let aad = authenticated(&blob, &input.encryption_context);
        let payload = Payload { msg: &plaintext, aad: &aad };
        blob.extend(
            self.cipher.encrypt(&Nonce::from(nonce), payload).map_err(|_| KmsError::Internal)?,
        );
        Ok(json!({
            "CiphertextBlob": STANDARD.encode(&blob),
            "KeyId": self.arn(),
            "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        }))
    }

    fn decrypt(&self, input: &Decrypt) -> Result<Value, KmsError> {
        let blob = STANDARD.decode(&input.ciphertext_blob).map_err(|_| KmsError::Ciphertext)?;
        let (header, ciphertext) =
            blob.split_at_checked(1 + KEY_ID_BYTES + NONCE_BYTES).ok_or(KmsError::Ciphertext)?;
        let (start, nonce) = header.split_at(1 + KEY_ID_BYTES);
        if start[0] != VERSION || start[1..] != self.key_id {
            return Err(KmsError::Ciphertext);
        }
        let nonce = <[u8; NONCE_BYTES]>::try_from(nonce).map_err(|_| KmsError::Ciphertext)?;
        let aad = authenticated(header, &input.encryption_context);
        let payload = Payload { msg: ciphertext, aad: &aad };
        let plaintext =
            self.cipher.decrypt(&Nonce::from(nonce), payload).map_err(|_| KmsError::Ciphertext)?;
        Ok(json!({
            "Plaintext": STANDARD.encode(&plaintext),
            "KeyId": self.arn(),
            "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        }))
    }
}

/// The header and the context in one form for all orders of its pairs: JSON with sorted keys.
fn authenticated(header: &[u8], context: &BTreeMap<String, String>) -> Vec<u8> {
    let mut aad = header.to_vec();
    aad.extend(json!(context).to_string().into_bytes());
    aad
}

// No Debug: one holds a secret, the other what it is made from.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypt {
    plaintext: String,
    #[serde(default)]
    encryption_context: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypt {
    ciphertext_blob: String,
    #[serde(default)]
    encryption_context: BTreeMap<String, String>,
}

#[derive(Debug)]
enum KmsError {
    Ciphertext,
    Invalid(&'static str),
    Unsupported,
    Internal,
}

impl KmsError {
    fn reply(&self) -> Reply {
        match self {
            // No message, as from KMS: it does not say which of key, context or bytes was wrong.
            Self::Ciphertext => Reply::error(400, "InvalidCiphertextException", ""),
            Self::Invalid(message) => Reply::error(400, "ValidationException", message),
            Self::Unsupported => Reply::error(
                400,
                "UnsupportedOperationException",
                "The embedded engine only encrypts and decrypts.",
            ),
            Self::Internal => {
                Reply::error(500, "KMSInternalException", "The embedded engine could not encrypt.")
            }
        }
    }
}

fn read<T: DeserializeOwned>(body: &Value) -> Result<T, KmsError> {
    T::deserialize(body)
        .map_err(|_| KmsError::Invalid("a parameter is missing or has another type"))
}

impl Service for KmsEngine {
    const NAME: ServiceName = ServiceName::Kms;

    fn call(self: Arc<Self>, call: Call) -> BoxFuture<'static, Reply> {
        let answer = self.run(&call.operation, &call.body);
        let usage = Usage { error: answer.is_err(), billed_requests: 1, ..Usage::default() };
        call.meter.record(Self::NAME, &call.operation, usage);
        let reply = match answer {
            Ok(answer) => Reply::ok(&answer),
            Err(error) => error.reply(),
        };
        std::future::ready(reply).boxed()
    }

    fn throttled() -> Reply {
        Reply::error(
            400,
            "ThrottlingException",
            "You have exceeded the rate at which you may call KMS (injected).",
        )
    }
}

#[expect(clippy::disallowed_methods, reason = "the edge where a key comes from")]
fn new_key() -> Result<[u8; KEY_BYTES], getrandom::Error> {
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key)?;
    Ok(key)
}

fn key_file(path: &Path) -> Result<[u8; KEY_BYTES], KmsOpenError> {
    let io = |source| KmsOpenError::Io { path: path.into(), source };
    match fs::read(path) {
        Ok(bytes) => {
            let found = bytes.len();
            bytes.try_into().map_err(|_| KmsOpenError::Length { path: path.into(), found })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = new_key()?;
            create(path, &key).map_err(io)?;
            // Read back: had another process been quicker, its key is the one.
            let bytes = fs::read(path).map_err(io)?;
            let found = bytes.len();
            bytes.try_into().map_err(|_| KmsOpenError::Length { path: path.into(), found })
        }
        Err(error) => Err(io(error)),
    }
}

/// Under another name first, then linked into place: the key file is whole or absent, also after a
/// crash.
fn create(path: &Path, key: &[u8; KEY_BYTES]) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}", std::process::id()));
    let unfinished = PathBuf::from(unfinished);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(key)?;
    file.sync_all()?;
    let linked = fs::hard_link(&unfinished, path);
    fs::remove_file(&unfinished)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
