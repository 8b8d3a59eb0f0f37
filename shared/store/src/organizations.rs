//! Organizations, their settings and their API keys.

use aws_sdk_dynamodb::types::AttributeValue;
use carillon_domain::settings::Settings;
use carillon_domain::{KeyId, OrgId, Role};
use jiff::Timestamp;

use crate::attributes::{Item, Reader, Writer};
use crate::{Result, Store, keys};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    pub id: OrgId,
    pub name: String,
    pub created_at: Timestamp,
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

    /// As written, whatever was there before.
    pub async fn put_settings(&self, org: OrgId, settings: &Settings) -> Result<()> {
        self.put(settings_row(org, settings)).await
    }

    /// As they are at this moment, to be changed and given back to
    /// [`Self::replace_settings`].
    pub async fn settings_to_change(&self, org: OrgId) -> Result<(Settings, SeenSettings)> {
        let Some(item) = self.get(&keys::settings(org), true).await? else {
            return Ok((Settings::default(), SeenSettings(None)));
        };
        let r = Reader::new("settings", &item);
        let settings = r.json("j")?.ok_or_else(|| r.corrupt("j"))?;
        Ok((settings, SeenSettings(item.get("j").cloned())))
    }

    /// False when somebody else has changed them since they were seen: a
    /// change of one field must not take back another's.
    pub async fn replace_settings(
        &self,
        org: OrgId,
        seen: SeenSettings,
        settings: &Settings,
    ) -> Result<bool> {
        let row = settings_row(org, settings);
        let met = match seen.0 {
            Some(seen) => self.put_if(row, "j = :seen", Some((":seen", seen))).await?,
            None => self.put_if(row, "attribute_not_exists(pk)", None).await?,
        };
        Ok(met.is_none())
    }
}

/// What settings were when they were read.
#[derive(Debug, Clone)]
pub struct SeenSettings(Option<AttributeValue>);

fn settings_row(org: OrgId, settings: &Settings) -> Item {
    let mut w = Writer::new(&keys::settings(org));
    w.text("j", serde_json::json!(settings).to_string());
    w.done()
}
