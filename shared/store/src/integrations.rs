//! Integrations: settings in the clear, credentials as ciphertext only.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use carillon_domain::integration::{IntegrationSettings, Money};
use carillon_domain::{OrgId, ProviderName, ids};
use jiff::Timestamp;

use crate::attributes::{Item, Reader, Writer, s};
use crate::{Result, Store, keys, unavailable};

/// Attribute with the ciphertext.
pub(crate) const CREDENTIALS: &str = "cr";

#[derive(Debug, Clone, PartialEq)]
pub struct Integration {
    pub org: OrgId,
    pub provider: ProviderName,
    pub enabled: bool,
    pub settings: IntegrationSettings,
    /// Encrypted by KMS under this organization and provider.
    pub credentials: Vec<u8>,
    /// What may be shown: names and last characters.
    pub masked: BTreeMap<String, String>,
    /// The provider's name of the account, for callbacks that carry it.
    pub account: Option<String>,
    /// Since when it has been this account: what was sent before is in another
    /// account's list.
    pub account_since: Timestamp,
    /// Hash of the secret part of the callback's path.
    pub callback_token_hash: Option<String>,
    pub status: IntegrationStatus,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What the last test found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IntegrationStatus {
    pub balance: Option<Money>,
    pub last_error: Option<String>,
    pub last_tested_at: Option<Timestamp>,
}

/// The secret part of a callback's path as it is stored and looked up.
#[must_use]
pub fn callback_token_hash(token: &str) -> String {
    ids::encode(&ids::hash(&[b"callback", token.as_bytes()]))
}

impl Store {
    /// Stores the integration and the rows that lead callbacks to it. The ways
    /// in come first: they lead to an organization whose secret decides.
    pub async fn put_integration(&self, i: &Integration) -> Result<()> {
        self.put_ways_in(i).await?;
        self.put(write(i)).await
    }

    /// As [`Self::put_integration`], unless somebody has changed it since its
    /// credentials were `seen`; `None`: there was none.
    pub async fn replace_integration(
        &self,
        i: &Integration,
        seen: Option<Vec<u8>>,
    ) -> Result<bool> {
        self.put_ways_in(i).await?;
        let met = match seen {
            Some(seen) => {
                let seen = AttributeValue::B(Blob::new(seen));
                self.put_if(write(i), "cr = :seen", Some((":seen", seen))).await?
            }
            None => self.put_if(write(i), "attribute_not_exists(pk)", None).await?,
        };
        Ok(met.is_none())
    }

    async fn put_ways_in(&self, i: &Integration) -> Result<()> {
        if let Some(account) = &i.account {
            let mut w = Writer::new(&keys::callback_account_of(i.provider, account, i.org));
            w.text("pr", i.provider.as_str());
            self.put(w.done()).await?;
        }
        if let Some(hash) = &i.callback_token_hash {
            let mut w = Writer::new(&keys::callback_token(hash));
            w.text("org", i.org.key()).text("pr", i.provider.as_str());
            self.put(w.done()).await?;
        }
        Ok(())
    }

    pub async fn integration(
        &self,
        org: OrgId,
        provider: ProviderName,
    ) -> Result<Option<Integration>> {
        let item = self.get(&keys::integration(org, provider), true).await?;
        item.as_ref().map(read).transpose()
    }

    /// Remembers what a test found, unless the integration was changed since it
    /// was read as `tested`.
    pub async fn put_integration_status(
        &self,
        tested: &Integration,
        status: &IntegrationStatus,
    ) -> Result<()> {
        let now_there = self.integration(tested.org, tested.provider).await?;
        let Some(mut now_there) = now_there else { return Ok(()) };
        if now_there.updated_at != tested.updated_at {
            return Ok(());
        }
        now_there.status = status.clone();
        let seen = crate::attributes::ms(tested.updated_at);
        self.put_if(write(&now_there), "ua = :seen", Some((":seen", seen))).await.map(drop)
    }

    /// All of an organization's integrations; there are few.
    pub async fn integrations(&self, org: OrgId) -> Result<Vec<Integration>> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :int)")
            .expression_attribute_values(":pk", s(keys::organization(org).pk))
            .expression_attribute_values(":int", s(keys::INTEGRATION_PREFIX))
            .send()
            .await
            .map_err(unavailable("query integrations"))?;
        answer.items().iter().map(read).collect()
    }

    /// Organizations that have this account with the provider.
    pub async fn organizations_of_account(
        &self,
        provider: ProviderName,
        account: &str,
    ) -> Result<Vec<OrgId>> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", s(keys::callback_account(provider, account)))
            .limit(100)
            .send()
            .await
            .map_err(unavailable("query account"))?;
        let mut orgs = Vec::new();
        for item in answer.items() {
            orgs.push(OrgId::from_key(Reader::new("account", item).text("sk")?)?);
        }
        Ok(orgs)
    }

    pub async fn organization_of_token(
        &self,
        provider: ProviderName,
        token_hash: &str,
    ) -> Result<Option<OrgId>> {
        let Some(item) = self.get(&keys::callback_token(token_hash), false).await? else {
            return Ok(None);
        };
        let r = Reader::new("callback token", &item);
        if r.parsed("pr", ProviderName::parse)? != provider {
            return Ok(None);
        }
        Ok(Some(OrgId::from_key(r.text("org")?)?))
    }
}

fn write(i: &Integration) -> Item {
    let mut w = Writer::new(&keys::integration(i.org, i.provider));
    write_fields(&mut w, i);
    w.done()
}

pub fn write_fields(w: &mut Writer, i: &Integration) {
    w.number("v", 1).text("se", serde_json::json!(i.settings).to_string());
    w.number("on", u8::from(i.enabled)).bytes(CREDENTIALS, i.credentials.clone());
    w.text("mk", serde_json::json!(i.masked).to_string());
    w.some("ac", i.account.as_ref(), s).some("th", i.callback_token_hash.as_ref(), s);
    w.some("ba", i.status.balance.as_ref(), |m| s(serde_json::json!(m).to_string()));
    w.some("le", i.status.last_error.as_ref(), s);
    w.some("lt", i.status.last_tested_at, crate::attributes::ms);
    w.time("as", i.account_since).time("ca", i.created_at).time("ua", i.updated_at);
}

fn read(item: &Item) -> Result<Integration> {
    let r = Reader::new("integration", item);
    let provider =
        r.parsed("sk", |sk| ProviderName::parse(sk.strip_prefix(keys::INTEGRATION_PREFIX)?))?;
    read_fields(&r, provider)
}

pub fn read_fields(r: &Reader<'_>, provider: ProviderName) -> Result<Integration> {
    let (org, _) = keys::read_org(&format!("{}/", r.text("pk")?)).ok_or_else(|| r.corrupt("pk"))?;
    Ok(Integration {
        org,
        provider,
        enabled: r.number::<u8>("on")? == 1,
        settings: r.json("se")?.ok_or_else(|| r.corrupt("se"))?,
        credentials: r.bytes(CREDENTIALS).ok_or_else(|| r.corrupt(CREDENTIALS))?.to_vec(),
        masked: r.json("mk")?.unwrap_or_default(),
        account: r.maybe_text("ac").map(str::to_owned),
        account_since: r.time("as")?,
        callback_token_hash: r.maybe_text("th").map(str::to_owned),
        status: IntegrationStatus {
            balance: r.json("ba")?,
            last_error: r.maybe_text("le").map(str::to_owned),
            last_tested_at: r.maybe_time("lt")?,
        },
        created_at: r.time("ca")?,
        updated_at: r.time("ua")?,
    })
}
