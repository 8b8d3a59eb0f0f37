//! Organizations, their settings and their API keys.

use carillon_domain::settings::Settings;
use carillon_domain::{KeyId, OrgId};
use jiff::Timestamp;

use crate::attributes::{Reader, Writer};
use crate::{Result, Store, keys};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    pub id: OrgId,
    pub name: String,
    pub created_at: Timestamp,
}

/// What a key's holder may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Viewer,
    Manager,
    Admin,
    SuperAdmin,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Manager, Self::Admin, Self::SuperAdmin];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Manager => "manager",
            Self::Admin => "admin",
            Self::SuperAdmin => "super_admin",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == text)
    }
}

/// Who calls: an API key, known by the hash of its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    pub id: KeyId,
    pub org: OrgId,
    pub role: Role,
}

impl Store {
    /// The organization and its first key, if they are not there yet.
    pub async fn ensure_organization(
        &self,
        org: &Organization,
        key: &ApiKey,
        secret_hash: &str,
    ) -> Result<()> {
        let mut w = Writer::new(&keys::organization(org.id));
        w.text("nm", &org.name).time("ca", org.created_at);
        self.put_if(w.done(), "attribute_not_exists(pk)", None).await?;
        let mut w = Writer::new(&keys::api_key(secret_hash));
        w.text("id", key.id.key()).text("org", key.org.key()).text("ro", key.role.as_str());
        self.put_if(w.done(), "attribute_not_exists(pk)", None).await.map(drop)
    }

    pub async fn api_key(&self, secret_hash: &str) -> Result<Option<ApiKey>> {
        let Some(item) = self.get(&keys::api_key(secret_hash), false).await? else {
            return Ok(None);
        };
        let r = Reader::new("api key", &item);
        Ok(Some(ApiKey {
            id: KeyId::from_key(r.text("id")?)?,
            org: OrgId::from_key(r.text("org")?)?,
            role: r.parsed("ro", Role::parse)?,
        }))
    }

    /// An organization that has set nothing has the defaults.
    pub async fn settings(&self, org: OrgId) -> Result<Settings> {
        let Some(item) = self.get(&keys::settings(org), false).await? else {
            return Ok(Settings::default());
        };
        let r = Reader::new("settings", &item);
        r.json("j")?.ok_or_else(|| r.corrupt("j"))
    }

    pub async fn put_settings(&self, org: OrgId, settings: &Settings) -> Result<()> {
        let mut w = Writer::new(&keys::settings(org));
        w.text("j", serde_json::json!(settings).to_string());
        self.put(w.done()).await
    }
}
