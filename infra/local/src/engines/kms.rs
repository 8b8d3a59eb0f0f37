//! KMS with symmetric keys behind the real SDK client: Encrypt, Decrypt and ReEncrypt with
//! encryption context, RotateKeyOnDemand, DisableKey.
//!
//! AES-256-GCM. The encryption context is authenticated, not stored: what was encrypted for one
//! organization does not decrypt for another. [`FILE_KEY`] is the key in the file; any other name
//! is a key of its own, derived from it, so that moving from one key to another can be rehearsed.
//! A rotated key has new material, also derived; what older material encrypted still decrypts.
//!
//! Ciphertext: version (1 byte, `1`) · material's id (16) · nonce (12) · ciphertext and tag. Nonces
//! are random; at 2³² encryptions with one key (NIST SP 800-38D, 8.3) a local stack never arrives.
//! Which material of a key is the newest, and which keys are disabled, is forgotten at the end of
//! the process.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

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
use zeroize::Zeroizing;

use super::connector::{Call, Reply, Service};
use super::fault::ServiceName;
use super::meter::Usage;
use super::{ACCOUNT, REGION};

const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
const KEY_ID_BYTES: usize = 16;
const NONCE_BYTES: usize = 12;
/// Name of the key in the file.
pub const FILE_KEY: &str = "embedded";
/// Rotations of a key that are looked for when something is decrypted.
const MOST_ROTATIONS: u32 = 25;
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

/// A KMS-compatible engine. Cheap to clone; all clones are the same engine.
#[derive(Clone)]
pub struct KmsEngine {
    /// What is in the file.
    root: Arc<Zeroizing<[u8; KEY_BYTES]>>,
    /// By name; a key that is not there was not touched yet.
    states: Arc<Mutex<BTreeMap<String, KeyState>>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct KeyState {
    rotations: u32,
    disabled: bool,
}

/// What a key encrypts with, for a while.
struct Material {
    id: [u8; KEY_ID_BYTES],
    cipher: Aes256Gcm,
}

impl std::fmt::Debug for KmsEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KmsEngine")
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
        Ok(Self { root: Arc::new(Zeroizing::new(key)), states: Arc::default() })
    }

    /// A key by its id, alias or ARN: the name is what they end with.
    fn name(id: &str) -> &str {
        id.rsplit('/').next().unwrap_or(id)
    }

    fn arn(name: &str) -> String {
        format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{name}")
    }

    fn state(&self, name: &str) -> KeyState {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.get(name).copied().unwrap_or_default()
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut KeyState)) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        change(states.entry(name.to_owned()).or_default());
    }

    fn material(&self, name: &str, rotation: u32) -> Material {
        let mut key = self.root.clone();
        if name != FILE_KEY || rotation > 0 {
            let derived = Sha256::new()
                .chain_update("carillon local kms derived key")
                .chain_update(**self.root)
                .chain_update(rotation.to_be_bytes())
                .chain_update(name)
                .finalize();
            key = Arc::new(Zeroizing::new(derived.into()));
        }
        let digest =
            Sha256::new().chain_update("carillon local kms key id").chain_update(**key).finalize();
        let mut id = [0; KEY_ID_BYTES];
        id.copy_from_slice(&digest[..KEY_ID_BYTES]);
        Material { id, cipher: Aes256Gcm::new(&Key::<Aes256Gcm>::from(**key)) }
    }

    fn run(&self, operation: &str, body: &Value) -> Result<Value, KmsError> {
        match operation {
            "Encrypt" => self.encrypt(&read(body)?),
            "Decrypt" => self.decrypt(&read(body)?),
            "ReEncrypt" => self.re_encrypt(&read(body)?),
            "RotateKeyOnDemand" => {
                let KeyOnly { key_id } = read(body)?;
                self.change(Self::name(&key_id), |key| key.rotations += 1);
                Ok(json!({"KeyId": key_id}))
            }
            "DisableKey" => {
                let KeyOnly { key_id } = read(body)?;
                self.change(Self::name(&key_id), |key| key.disabled = true);
                Ok(json!({}))
            }
            _ => Err(KmsError::Unsupported),
        }
    }

    fn encrypt(&self, input: &Encrypt) -> Result<Value, KmsError> {
        let plaintext = Zeroizing::new(
            STANDARD
                .decode(&input.plaintext)
                .map_err(|_| KmsError::Invalid("plaintext is not base64"))?,
        );
        let name = Self::name(&input.key_id);
        let blob = self.seal(name, &plaintext, &input.encryption_context)?;
        Ok(json!({
            "CiphertextBlob": STANDARD.encode(&blob),
            "KeyId": Self::arn(name),
            "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        }))
    }

    #[expect(clippy::disallowed_methods, reason = "the edge where a nonce comes from")]
    fn seal(
        &self,
        name: &str,
        plaintext: &[u8],
        context: &BTreeMap<String, String>,
    ) -> Result<Vec<u8>, KmsError> {
        if !(1..=MAX_PLAINTEXT).contains(&plaintext.len()) {
            return Err(KmsError::Invalid("plaintext must be 1 to 4096 bytes long"));
        }
        self.change(name, |_| {});
        let state = self.state(name);
        if state.disabled {
            return Err(KmsError::Disabled);
        }
        let material = self.material(name, state.rotations);
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| KmsError::Internal)?;
        let mut blob = vec![VERSION];
        blob.extend(material.id);
        blob.extend(nonce);
        let aad = authenticated(&blob, context);
        let payload = Payload { msg: plaintext, aad: &aad };
        let sealed = material.cipher.encrypt(&Nonce::from(nonce), payload);
        blob.extend(sealed.map_err(|_| KmsError::Internal)?);
        Ok(blob)
    }

    fn decrypt(&self, input: &Decrypt) -> Result<Value, KmsError> {
        let asked = input.key_id.as_deref().map(Self::name);
        let (name, plaintext) =
            self.open_blob(&input.ciphertext_blob, &input.encryption_context, asked)?;
        Ok(json!({
            "Plaintext": STANDARD.encode(&*plaintext),
            "KeyId": Self::arn(&name),
            "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        }))
    }

    fn re_encrypt(&self, input: &ReEncrypt) -> Result<Value, KmsError> {
        let name = Self::name(&input.destination_key_id);
        // It may have been moved before, by a process that is over.
        self.change(name, |_| {});
        let (source, plaintext) =
            self.open_blob(&input.ciphertext_blob, &input.source_encryption_context, None)?;
        let blob = self.seal(name, &plaintext, &input.destination_encryption_context)?;
        Ok(json!({
            "CiphertextBlob": STANDARD.encode(&blob),
            "SourceKeyId": Self::arn(&source),
            "KeyId": Self::arn(name),
        }))
    }

    /// What was encrypted, and the key that it is under: the one that is asked for, or any that
    /// was used in this process.
    fn open_blob(
        &self,
        blob: &str,
        context: &BTreeMap<String, String>,
        asked: Option<&str>,
    ) -> Result<(String, Zeroizing<Vec<u8>>), KmsError> {
        let blob = STANDARD.decode(blob).map_err(|_| KmsError::Ciphertext)?;
        let (header, ciphertext) =
            blob.split_at_checked(1 + KEY_ID_BYTES + NONCE_BYTES).ok_or(KmsError::Ciphertext)?;
        let (start, nonce) = header.split_at(1 + KEY_ID_BYTES);
        if start[0] != VERSION {
            return Err(KmsError::Ciphertext);
        }
        let mut names: Vec<String> = match asked {
            Some(name) => vec![name.to_owned()],
            None => {
                let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
                states.keys().cloned().collect()
            }
        };
        if asked.is_none() {
            names.push(FILE_KEY.to_owned());
        }
        let found = names.into_iter().find_map(|name| {
            let of = (0..=MOST_ROTATIONS).map(|rotation| self.material(&name, rotation));
            let material = of.into_iter().find(|material| start[1..] == material.id)?;
            Some((name, material))
        });
        let (name, material) = found.ok_or(KmsError::Ciphertext)?;
        if self.state(&name).disabled {
            return Err(KmsError::Disabled);
        }
        let nonce = <[u8; NONCE_BYTES]>::try_from(nonce).map_err(|_| KmsError::Ciphertext)?;
        let aad = authenticated(header, context);
        let payload = Payload { msg: ciphertext, aad: &aad };
        let plaintext = material.cipher.decrypt(&Nonce::from(nonce), payload);
        Ok((name, Zeroizing::new(plaintext.map_err(|_| KmsError::Ciphertext)?)))
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
    key_id: String,
    plaintext: String,
    #[serde(default)]
    encryption_context: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypt {
    key_id: Option<String>,
    ciphertext_blob: String,
    #[serde(default)]
    encryption_context: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReEncrypt {
    ciphertext_blob: String,
    #[serde(default)]
    source_encryption_context: BTreeMap<String, String>,
    destination_key_id: String,
    #[serde(default)]
    destination_encryption_context: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyOnly {
    key_id: String,
}

#[derive(Debug)]
enum KmsError {
    Ciphertext,
    Disabled,
    Invalid(&'static str),
    Unsupported,
    Internal,
}

impl KmsError {
    fn reply(&self) -> Reply {
        match self {
            // No message, as from KMS: it does not say which of key, context or bytes was wrong.
            Self::Ciphertext => Reply::error(400, "InvalidCiphertextException", ""),
            Self::Disabled => Reply::error(400, "DisabledException", "The key is disabled."),
            Self::Invalid(message) => Reply::error(400, "ValidationException", message),
            Self::Unsupported => Reply::error(
                400,
                "UnsupportedOperationException",
                "The embedded engine has no such operation.",
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
