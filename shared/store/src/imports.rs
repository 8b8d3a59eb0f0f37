//! Imports: the file in pieces, the frozen pages, the cursor.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use carillon_domain::import::{Import, Page, Progress};
use carillon_domain::{ImportId, OrgId};
use jiff::Timestamp;

use crate::attributes::{Item, Reader, n, s};
use crate::{Result, Store, StoreError, import_row, keys, retention, unavailable};

impl Store {
    /// Stores the file, then the import that makes it count: a crash between
    /// leaves pieces that nothing refers to.
    pub async fn insert_import(&self, import: &Import, chunks: &[String]) -> Result<()> {
        let end = self.end_of_file(import.org, import.created_at).await;
        for (number, text) in (0..).zip(chunks) {
            let mut chunk = import_row::write_chunk(import.org, import.id, number, text);
            retention::set(&mut chunk, end.clone());
            self.put(chunk).await?;
        }
        let item = import_row::write(import);
        self.put_if(item, "attribute_not_exists(pk)", None).await.map(drop)
    }

    /// Freezes the recipients of a step's source. A repeat gets those that were
    /// frozen first.
    pub async fn freeze_source(
        &self,
        org: OrgId,
        id: ImportId,
        piece: String,
        now: Timestamp,
    ) -> Result<String> {
        let mut chunk = import_row::write_chunk(org, id, 0, &piece);
        retention::set(&mut chunk, self.end_of_file(org, now).await);
        match self.put_if(chunk, "attribute_not_exists(pk)", None).await? {
            None => Ok(piece),
            Some(first) => Reader::new("import chunk", &first).text("b").map(str::to_owned),
        }
    }

    /// From now on a step's source, whose recipients are frozen, is planned.
    pub async fn begin_source(&self, import: &Import) -> Result<()> {
        let item = import_row::write(import);
        self.put_if(item, "attribute_not_exists(pk)", None).await.map(drop)
    }

    /// Nothing of it is planned any more; who plans at this moment finds out when
    /// he moves the cursor.
    pub async fn withdraw_source(&self, org: OrgId, id: ImportId, reason: &str) -> Result<()> {
        let values = [(":er", s(reason)), (":one", n(1))];
        let change = "SET er = :er ADD ver :one REMOVE due, due_at";
        self.update_if(&keys::import(org, id), change, "attribute_exists(pk)", &values)
            .await
            .map(drop)
    }

    pub async fn import(&self, org: OrgId, id: ImportId) -> Result<Option<Import>> {
        self.get(&keys::import(org, id), true).await?.as_ref().map(import_row::read).transpose()
    }

    /// A piece of the file, as text.
    pub async fn import_chunk(&self, org: OrgId, id: ImportId, chunk: u32) -> Result<String> {
        let item = self.get(&keys::import_chunk(org, id, chunk), true).await?;
        let item = item.ok_or_else(|| StoreError::Corrupt {
            kind: "import",
            detail: format!("piece {chunk} of the file is missing"),
        })?;
        Reader::new("import chunk", &item).text("b").map(str::to_owned)
    }

    /// As [`Self::import_chunk`]; `None` once the file is not kept any more.
    pub async fn import_chunk_if_kept(
        &self,
        org: OrgId,
        id: ImportId,
        chunk: u32,
    ) -> Result<Option<String>> {
        let item = self.get(&keys::import_chunk(org, id, chunk), true).await?;
        item.map(|item| Reader::new("import chunk", &item).text("b").map(str::to_owned)).transpose()
    }

    pub async fn page(&self, org: OrgId, id: ImportId, number: u32) -> Result<Option<Page>> {
        let item = self.get(&keys::page(org, id, number), true).await?;
        item.as_ref().map(import_row::read_page).transpose()
    }

    /// Freezes a page. A repeat gets the page that was frozen first. `until` is
    /// when its messages are due.
    pub async fn freeze_page(
        &self,
        org: OrgId,
        id: ImportId,
        number: u32,
        page: Page,
        (until, now): (Timestamp, Timestamp),
    ) -> Result<Page> {
        let mut item = import_row::write_page(org, id, number, &page);
        retention::set(&mut item, self.end_beside(org, until, now).await);
        match self.put_if(item, "attribute_not_exists(pk)", None).await? {
            None => Ok(page),
            Some(first) => import_row::read_page(&first),
        }
    }

    /// All messages and packs of the page exist. `doubles` are the places of
    /// entries whose number another line had first.
    pub async fn seal_page(
        &self,
        org: OrgId,
        id: ImportId,
        number: u32,
        doubles: &[u32],
    ) -> Result<()> {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::page(org, id, number).item()))
            .update_expression("SET se = :se")
            .expression_attribute_values(":se", s(serde_json::json!(doubles).to_string()))
            .send()
            .await
            .map(drop)
            .map_err(unavailable("seal page"))
    }

    /// Moves the cursor from `from` to `to`; only who saw it at `from` can, so
    /// a page is counted once. When the file is done it is no longer due.
    /// False when someone else moved it.
    pub async fn advance_import(
        &self,
        import: &Import,
        to: &Progress,
        token: &str,
    ) -> Result<bool> {
        let done = to.chunk >= import.chunks;
        let names: Vec<String> =
            import_row::progress(to).iter().map(|(name, _)| format!("{name} = :{name}")).collect();
        let mut expression = format!("SET {}, tk = :tk ADD ver :one", names.join(", "));
        if done {
            expression.push_str(" REMOVE due, due_at");
        }
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::import(import.org, import.id).item()))
            .condition_expression(
                "cp = :scp AND cc = :scc AND cr = :scr AND attribute_not_exists(er)",
            )
            .update_expression(expression)
            .expression_attribute_values(":tk", s(token))
            .expression_attribute_values(":one", n(1))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        for (name, value) in import_row::progress(to) {
            update = update.expression_attribute_values(format!(":{name}"), n(value));
        }
        for (name, value) in import_row::seen(&import.progress) {
            update = update.expression_attribute_values(name, value);
        }
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(e)) => {
                    let old = e.item.as_ref();
                    Ok(old
                        .is_some_and(|i| Reader::new("import", i).maybe_text("tk") == Some(token)))
                }
                _ => Err(unavailable("advance import")(error)),
            },
        }
    }

    /// Gives planning up: what was planned stays, the rest of the file is not.
    pub async fn fail_import(&self, org: OrgId, id: ImportId, reason: &str) -> Result<()> {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::import(org, id).item()))
            .condition_expression("attribute_exists(due)")
            .update_expression("SET er = :er ADD ver :one REMOVE due, due_at")
            .expression_attribute_values(":er", s(reason))
            .expression_attribute_values(":one", n(1))
            .send()
            .await
            .map(drop)
            .map_err(unavailable("fail import"))
    }

    /// Pages from `from` on, at most `limit`, with their numbers.
    pub async fn pages(
        &self,
        org: OrgId,
        id: ImportId,
        from: u32,
        limit: i32,
    ) -> Result<Vec<(u32, Page)>> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :low AND :high")
            .expression_attribute_values(":pk", s(keys::source_partition(org, id)))
            .expression_attribute_values(":low", s(keys::page(org, id, from).sk))
            .expression_attribute_values(":high", s(format!("{}~", keys::PAGE_PREFIX)))
            .limit(limit)
            .send()
            .await
            .map_err(unavailable("query pages"))?;
        answer.items().iter().map(numbered).collect()
    }
}

fn numbered(item: &Item) -> Result<(u32, Page)> {
    let r = Reader::new("page", item);
    let number = r.parsed("sk", |sk| sk.strip_prefix(keys::PAGE_PREFIX)?.parse().ok())?;
    Ok((number, import_row::read_page(item)?))
}
