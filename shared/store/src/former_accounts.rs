//! Accounts as they were before they were changed. Callbacks that are signed
//! with the secret before are still believed for a while, and what was sent
//! through another account is looked up there.

use carillon_domain::{OrgId, ProviderName};
use jiff::Timestamp;

use crate::attributes::{Item, Reader, Writer, n, s};
use crate::integrations::{self, Integration};
use crate::{Result, Store, keys, unavailable};

/// Changes that are remembered at most; who changes more often at a time loses
/// the oldest.
const MOST: i32 = 20;

/// An integration as it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Former {
    pub integration: Integration,
    pub replaced_at: Timestamp,
    /// Used no more from then on; its row goes by itself.
    pub until: Timestamp,
}

impl Store {
    /// Remembers what is about to be changed. A repeat is the same row.
    pub async fn keep_former(&self, former: &Former) -> Result<()> {
        let i = &former.integration;
        let mut w = Writer::new(&keys::former(i.org, i.provider, i.updated_at, &i.credentials));
        integrations::write_fields(&mut w, i);
        w.time("ra", former.replaced_at).time("un", former.until);
        w.put("ttl", n(former.until.as_second()));
        self.put(w.done()).await
    }

    /// Those that still count, the latest first.
    pub async fn formers(
        &self,
        org: OrgId,
        provider: ProviderName,
        now: Timestamp,
    ) -> Result<Vec<Former>> {
        let rows = self.former_rows(org, provider).await?;
        let mut formers = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        formers.retain(|former| now < former.until);
        Ok(formers)
    }

    /// None of them counts any more.
    pub async fn forget_formers(&self, org: OrgId, provider: ProviderName) -> Result<()> {
        loop {
            let rows = self.former_rows(org, provider).await?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in rows {
                let r = Reader::new("former account", &row);
                let key = keys::Key { pk: r.text("pk")?.to_owned(), sk: r.text("sk")?.to_owned() };
                self.client
                    .delete_item()
                    .table_name(&self.table)
                    .set_key(Some(key.item()))
                    .send()
                    .await
                    .map_err(unavailable("forget a former account"))?;
            }
        }
    }

    async fn former_rows(&self, org: OrgId, provider: ProviderName) -> Result<Vec<Item>> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :was)")
            .expression_attribute_values(":pk", s(keys::organization(org).pk))
            .expression_attribute_values(":was", s(keys::formers(provider)))
            .scan_index_forward(false)
            .limit(MOST)
            .send()
            .await
            .map_err(unavailable("query former accounts"))?;
        Ok(answer.items.unwrap_or_default())
    }
}

fn read(item: &Item) -> Result<Former> {
    let r = Reader::new("former account", item);
    let provider = r.parsed("sk", |sk| {
        ProviderName::parse(sk.strip_prefix(keys::FORMER_PREFIX)?.split('/').next()?)
    })?;
    let integration = integrations::read_fields(&r, provider)?;
    Ok(Former { integration, replaced_at: r.time("ra")?, until: r.time("un")? })
}
