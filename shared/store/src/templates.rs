//! Stored templates: a head row that moves, versions that never change.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use carillon_domain::{Channel, OrgId, TemplateId};
use jiff::Timestamp;

use crate::attributes::{Item, Reader, Writer};
use crate::{Result, Store, StoreError, keys, unavailable};

#[derive(Clone, PartialEq, Debug)]
pub struct StoredTemplate {
    pub id: TemplateId,
    pub key: String,
    pub version: u32,
    pub channel: Channel,
    pub body: String,
    /// The rest of the resource as the API has it (labels, DLT ids), by name.
    pub details: serde_json::Map<String, serde_json::Value>,
    pub is_active: bool,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What came of storing a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewTemplate {
    Stored,
    /// Another template has this key, or someone stored this version first.
    Taken,
}

impl Store {
    /// Version 1 takes the key; a later version only if it is the next one.
    pub async fn put_template(&self, org: OrgId, t: &StoredTemplate) -> Result<NewTemplate> {
        let put = |item: Item, condition: Option<&str>| {
            let mut put = Put::builder().table_name(&self.table).set_item(Some(item));
            if let Some(condition) = condition {
                put = put.condition_expression(condition);
            }
            put.build().map(|p| TransactWriteItem::builder().put(p).build()).map_err(|e| {
                StoreError::Unavailable { operation: "put template", source: Box::new(e) }
            })
        };
        let absent = Some("attribute_not_exists(pk)");
        let version = keys::template_version(org, t.id, t.version);
        let mut writes = vec![
            put(write(&keys::template(org, t.id), t), None)?,
            put(write(&version, t), absent)?,
        ];
        if t.version == 1 {
            let mut w = Writer::new(&keys::template_key(org, &t.key));
            w.text("id", t.id.key());
            writes.push(put(w.done(), absent)?);
        }
        let sent = self.client.transact_write_items().set_transact_items(Some(writes)).send().await;
        match sent {
            Ok(_) => Ok(NewTemplate::Stored),
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(e))
                    if e.cancellation_reasons()
                        .iter()
                        .any(|r| r.code() == Some("ConditionalCheckFailed")) =>
                {
                    Ok(NewTemplate::Taken)
                }
                _ => Err(unavailable("put template")(error)),
            },
        }
    }

    pub async fn template(&self, org: OrgId, id: TemplateId) -> Result<Option<StoredTemplate>> {
        self.get(&keys::template(org, id), true).await?.as_ref().map(read).transpose()
    }

    pub async fn template_version(
        &self,
        org: OrgId,
        id: TemplateId,
        version: u32,
    ) -> Result<Option<StoredTemplate>> {
        let item = self.get(&keys::template_version(org, id, version), false).await?;
        item.as_ref().map(read).transpose()
    }

    pub async fn template_by_key(&self, org: OrgId, key: &str) -> Result<Option<StoredTemplate>> {
        let Some(item) = self.get(&keys::template_key(org, key), true).await? else {
            return Ok(None);
        };
        let id = TemplateId::from_key(Reader::new("template key", &item).text("id")?)?;
        self.template(org, id).await
    }

    pub async fn templates(
        &self,
        org: OrgId,
        after: Option<TemplateId>,
        limit: i32,
    ) -> Result<Vec<StoredTemplate>> {
        let after = after.map_or_else(String::new, |id| keys::template(org, id).sk);
        let pk = keys::templates(org);
        let items = self.range(&pk, &after, Some(keys::TEMPLATE_PREFIX), limit).await?;
        items.iter().map(read).collect()
    }
}

fn write(key: &keys::Key, t: &StoredTemplate) -> Item {
    let mut w = Writer::new(key);
    w.text("id", t.id.key()).text("ky", &t.key).number("vn", t.version);
    w.text("ch", t.channel.as_str()).text("b", &t.body);
    w.text("dt", serde_json::json!(t.details).to_string()).number("on", u8::from(t.is_active));
    w.text("by", &t.created_by).time("ca", t.created_at).time("ua", t.updated_at);
    w.done()
}

fn read(item: &Item) -> Result<StoredTemplate> {
    let r = Reader::new("template", item);
    Ok(StoredTemplate {
        id: TemplateId::from_key(r.text("id")?)?,
        key: r.text("ky")?.to_owned(),
        version: r.number("vn")?,
        channel: r.parsed("ch", Channel::parse)?,
        body: r.text("b")?.to_owned(),
        details: r.json("dt")?.unwrap_or_default(),
        is_active: r.number::<u8>("on")? == 1,
        created_by: r.text("by")?.to_owned(),
        created_at: r.time("ca")?,
        updated_at: r.time("ua")?,
    })
}
