//! Organizations and their settings.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use carillon_domain::OrgId;
use carillon_domain::settings::{Settings, Trouble};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::attributes::{Item, Reader, Writer, s};
use crate::{Result, Store, keys, unavailable};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    pub id: OrgId,
    pub name: String,
    pub status: OrganizationStatus,
    /// Without a Twilio account of its own it sends with the installation's.
    pub installation_account: bool,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Organization {
    /// One that is active from now on.
    pub fn new(id: OrgId, name: impl Into<String>, by: impl Into<String>, at: Timestamp) -> Self {
        Self {
            id,
            name: name.into(),
            status: OrganizationStatus::Active,
            installation_account: false,
            created_by: by.into(),
            created_at: at,
            updated_at: at,
        }
    }
}

/// Whether its keys and members are let in, and its messages sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum OrganizationStatus {
    Active,
    Suspended,
}

impl OrganizationStatus {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Suspended].into_iter().find(|s| s.as_str() == text)
    }
}

fn write(org: &Organization) -> Item {
    let mut w = Writer::new(&keys::organization(org.id));
    w.text("nm", &org.name).text("st", org.status.as_str()).text("by", &org.created_by);
    w.time("ca", org.created_at).time("ua", org.updated_at);
    if org.installation_account {
        w.number("ia", 1);
    }
    w.done()
}

fn read(id: OrgId, item: &Item) -> Result<Organization> {
    let r = Reader::new("organization", item);
    let created_at = r.time("ca")?;
    Ok(Organization {
        id,
        name: r.text("nm")?.to_owned(),
        installation_account: item.contains_key("ia"),
        // The first releases wrote neither of these three.
        status: r
            .maybe_parsed("st", OrganizationStatus::parse)?
            .unwrap_or(OrganizationStatus::Active),
        created_by: r.maybe_text("by").unwrap_or("installation").to_owned(),
        created_at,
        updated_at: r.maybe_time("ua")?.unwrap_or(created_at),
    })
}

impl Store {
    /// The organization, if it is not there yet. False when it is.
    pub async fn ensure_organization(&self, org: &Organization) -> Result<bool> {
        // Listed first: an entry without its row is passed over, a row without an
        // entry would never be found.
        let mut w = Writer::new(&keys::organization_listed(org.id));
        w.time("ca", org.created_at);
        self.put_if(w.done(), "attribute_not_exists(pk)", None).await?;
        let met = self.put_if(write(org), "attribute_not_exists(pk)", None).await?;
        Ok(met.is_none())
    }

    pub async fn organization(&self, org: OrgId) -> Result<Option<Organization>> {
        let item = self.get(&keys::organization(org), false).await?;
        item.as_ref().map(|item| read(org, item)).transpose()
    }

    /// Another name or status. False when it is not any more as it was seen.
    pub async fn replace_organization(
        &self,
        seen: &Organization,
        changed: &Organization,
    ) -> Result<bool> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(write(changed)))
            .condition_expression("nm = :name AND (attribute_not_exists(st) OR st = :status)")
            .expression_attribute_values(":name", s(&seen.name))
            .expression_attribute_values(":status", s(seen.status.as_str()));
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(unavailable("change organization")(error)),
            },
        }
    }

    /// By id, from behind `after`.
    pub async fn organizations(
        &self,
        after: Option<OrgId>,
        limit: i32,
    ) -> Result<Vec<Organization>> {
        let after = after.map_or_else(String::new, |org| org.key());
        let entries = self.range(keys::ORGANIZATIONS, &after, None, limit).await?;
        let mut found = Vec::new();
        for entry in &entries {
            let id = OrgId::from_key(Reader::new("organization entry", entry).text("sk")?)?;
            found.extend(self.organization(id).await?);
        }
        Ok(found)
    }

    /// An organization that has set nothing has the defaults.
    pub async fn settings(&self, org: OrgId) -> Result<Settings> {
        let Some(item) = self.get(&keys::settings(org), false).await? else {
            return Ok(Settings::default());
        };
        read_settings(&item)
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
        Ok((read_settings(&item)?, SeenSettings(item.get("j").cloned())))
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

impl SeenSettings {
    /// Nobody has set any yet.
    #[must_use]
    pub const fn are_new(&self) -> bool {
        self.0.is_none()
    }
}

/// What members may be told of that the release before does not know: it stands
/// in a field of its own, which that release passes over. A release that reads it
/// passes over what it does not know itself.
const TOLD_SINCE: [Trouble; 1] = [Trouble::CampaignFinished];
const ABOUT: &str = "about";
const ALSO: &str = "also";

fn settings_row(org: OrgId, settings: &Settings) -> Item {
    let mut json = json!(settings);
    for entry in notified(&mut json) {
        let Some(Value::Array(about)) = entry.get_mut(ABOUT) else { continue };
        let is_new = |word: &Value| TOLD_SINCE.iter().any(|t| word == t.as_str());
        let also: Vec<_> = about.iter().filter(|word| is_new(word)).cloned().collect();
        about.retain(|word| !is_new(word));
        if !also.is_empty() {
            entry.insert(ALSO.to_owned(), json!(also));
        }
    }
    let mut w = Writer::new(&keys::settings(org));
    w.text("j", json.to_string());
    w.done()
}

fn read_settings(item: &Item) -> Result<Settings> {
    let r = Reader::new("settings", item);
    let mut json: Value = r.json("j")?.ok_or_else(|| r.corrupt("j"))?;
    for entry in notified(&mut json) {
        let also = entry.remove(ALSO);
        let Some(Value::Array(about)) = entry.get_mut(ABOUT) else { continue };
        about.extend(also.as_ref().and_then(Value::as_array).into_iter().flatten().cloned());
        about.retain(|word| word.as_str().is_none_or(|word| Trouble::parse(word).is_some()));
    }
    serde_json::from_value(json).map_err(|_| r.corrupt("j"))
}

/// Who is told of trouble, and how.
fn notified(settings: &mut Value) -> impl Iterator<Item = &mut Map<String, Value>> {
    let entries = settings.get_mut("notify").and_then(Value::as_array_mut);
    entries.into_iter().flatten().filter_map(Value::as_object_mut)
}
