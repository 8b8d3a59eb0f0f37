//! API keys. The row is found by the hash of the key's secret, as each request
//! needs it; a pointer under the organization finds it by its id. A revoked key
//! keeps its row, so that nothing that makes keys makes it anew.

use carillon_domain::{KeyId, OrgId, Role};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::attributes::{Item, Reader, Writer, ms};
use crate::{Result, Store, keys};

/// How exactly a key's last use is known: one write in this time, not one a request.
const USE_NOTED: SignedDuration = SignedDuration::from_mins(5);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    pub id: KeyId,
    pub org: OrgId,
    pub role: Role,
    pub name: String,
    /// The first characters of the secret, to tell keys apart by.
    pub prefix: String,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// To five minutes.
    pub last_used_at: Option<Timestamp>,
    pub created_by: String,
    pub created_at: Timestamp,
}

impl ApiKey {
    /// One that does not expire.
    pub fn new(id: KeyId, org: OrgId, role: Role, name: impl Into<String>, at: Timestamp) -> Self {
        Self {
            id,
            org,
            role,
            name: name.into(),
            prefix: String::new(),
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
            created_by: "installation".to_owned(),
            created_at: at,
        }
    }
}

impl ApiKey {
    /// Whether it lets anybody in.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| end > now)
    }
}

/// How a key's secret is stored.
#[must_use]
pub fn secret_hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

impl Store {
    /// The key, if it is not there yet. False when one with this secret is.
    pub async fn ensure_api_key(&self, key: &ApiKey, secret_hash: &str) -> Result<bool> {
        // The pointer first: without its key it is passed over.
        let mut w = Writer::new(&keys::api_key_of(key.org, key.id));
        w.text("h", secret_hash);
        self.put(w.done()).await?;
        let row = write(key, secret_hash);
        Ok(self.put_if(row, "attribute_not_exists(pk)", None).await?.is_none())
    }

    /// Whoever has this secret; revoked and expired ones too.
    pub async fn api_key(&self, secret_hash: &str) -> Result<Option<ApiKey>> {
        self.get(&keys::api_key(secret_hash), false).await?.as_ref().map(read).transpose()
    }

    /// Remembers that a key was used, unless it was a few minutes ago.
    pub async fn note_key_use(
        &self,
        key: &ApiKey,
        secret_hash: &str,
        now: Timestamp,
    ) -> Result<()> {
        let before = now - USE_NOTED;
        if key.last_used_at.is_some_and(|last| last > before) {
            return Ok(());
        }
        let change = "SET lu = :now";
        let condition = "attribute_exists(pk) AND (attribute_not_exists(lu) OR lu < :now)";
        let key = keys::api_key(secret_hash);
        self.update_if(&key, change, condition, &[(":now", ms(now))]).await.map(drop)
    }

    pub async fn api_key_by_id(&self, org: OrgId, id: KeyId) -> Result<Option<ApiKey>> {
        match self.hash_of(org, id).await? {
            Some(hash) => self.api_key(&hash).await,
            None => Ok(None),
        }
    }

    /// By id, from behind `after`; revoked ones too.
    pub async fn api_keys(
        &self,
        org: OrgId,
        after: Option<KeyId>,
        limit: i32,
    ) -> Result<Vec<ApiKey>> {
        let prefix = keys::API_KEY_PREFIX;
        let after = after.map_or_else(String::new, |id| keys::api_key_of(org, id).sk);
        let pk = keys::organization(org).pk;
        let pointers = self.range(&pk, &after, Some(prefix), limit).await?;
        let mut found = Vec::new();
        for pointer in &pointers {
            let hash = Reader::new("api key pointer", pointer).text("h")?;
            found.extend(self.api_key(hash).await?);
        }
        Ok(found)
    }

    /// From now on nobody is let in with it. False when there is no such key,
    /// or it was revoked before.
    pub async fn revoke_api_key(&self, org: OrgId, id: KeyId, now: Timestamp) -> Result<bool> {
        let Some(hash) = self.hash_of(org, id).await? else { return Ok(false) };
        let condition = "attribute_exists(pk) AND attribute_not_exists(rv)";
        let key = keys::api_key(&hash);
        self.update_if(&key, "SET rv = :now", condition, &[(":now", ms(now))]).await
    }

    async fn hash_of(&self, org: OrgId, id: KeyId) -> Result<Option<String>> {
        let Some(pointer) = self.get(&keys::api_key_of(org, id), true).await? else {
            return Ok(None);
        };
        Ok(Some(Reader::new("api key pointer", &pointer).text("h")?.to_owned()))
    }
}

fn write(key: &ApiKey, secret_hash: &str) -> Item {
    let mut w = Writer::new(&keys::api_key(secret_hash));
    w.text("id", key.id.key()).text("org", key.org.key()).text("ro", key.role.as_str());
    w.text("nm", &key.name).text("pf", &key.prefix).text("by", &key.created_by);
    w.time("ca", key.created_at).some("ex", key.expires_at, ms).some("rv", key.revoked_at, ms);
    w.done()
}

fn read(item: &Item) -> Result<ApiKey> {
    let r = Reader::new("api key", item);
    Ok(ApiKey {
        id: KeyId::from_key(r.text("id")?)?,
        org: OrgId::from_key(r.text("org")?)?,
        role: r.parsed("ro", Role::parse)?,
        // The first releases wrote the three above, of the installation's key.
        name: r.maybe_text("nm").unwrap_or("Installation").to_owned(),
        prefix: r.maybe_text("pf").unwrap_or_default().to_owned(),
        expires_at: r.maybe_time("ex")?,
        revoked_at: r.maybe_time("rv")?,
        last_used_at: r.maybe_time("lu")?,
        created_by: r.maybe_text("by").unwrap_or("installation").to_owned(),
        created_at: r.maybe_time("ca")?.unwrap_or(Timestamp::UNIX_EPOCH),
    })
}
