//! Imports of contacts: the file in pieces, how far it is, what was refused.
//! Whoever works on one holds its lease, and saves on the version of the row.

use carillon_domain::contact::import::ContactImport;
use carillon_domain::import::Rejected;
use carillon_domain::{ImportId, OrgId};
use jiff::Timestamp;

use crate::attributes::{Reader, Writer, n, s};
use crate::{Result, Store, StoreError, contact_import_row as row, keys, retention, unavailable};

impl Store {
    /// Stores a new import, whose pieces are there. A repeat finds it: false.
    pub async fn insert_contact_import(&self, i: &ContactImport) -> Result<bool> {
        // First: who looks for a person in files must find it.
        let mut listed = Writer::new(&keys::contact_import_listed(i.org, i.id)).done();
        retention::set(&mut listed, self.end_of_file(i.org, i.created_at).await);
        self.put(listed).await?;
        Ok(self.put_if(row::write(i), "attribute_not_exists(pk)", None).await?.is_none())
    }

    pub async fn contact_import(&self, org: OrgId, id: ImportId) -> Result<Option<ContactImport>> {
        self.get(&keys::contact_import(org, id), true).await?.as_ref().map(row::read).transpose()
    }

    /// Stores it, if it is still at the version it was read at; raises that.
    /// False when somebody else has gone on with it.
    pub async fn save_contact_import(&self, i: &mut ContactImport) -> Result<bool> {
        let seen = i.version;
        i.version += 1;
        let met = self.put_if(row::write(i), "ver = :seen", Some((":seen", n(seen)))).await?;
        // Our own write, whose answer was lost on the way, is done.
        Ok(met.is_none_or(|met| met == row::write(i)))
    }

    /// Stores a piece of the file; a repeat stores the same again.
    pub async fn put_contact_import_chunk(
        &self,
        (org, id): (OrgId, ImportId),
        chunk: u32,
        text: &str,
        now: Timestamp,
    ) -> Result<()> {
        let mut w = Writer::new(&keys::contact_import_chunk(org, id, chunk));
        w.text("b", text);
        let mut item = w.done();
        retention::set(&mut item, self.end_of_file(org, now).await);
        self.put(item).await
    }

    /// A piece of the file; `None` once it is not kept any more.
    pub async fn contact_import_chunk(
        &self,
        org: OrgId,
        id: ImportId,
        chunk: u32,
    ) -> Result<Option<String>> {
        let item = self.get(&keys::contact_import_chunk(org, id, chunk), true).await?;
        item.map(|item| Reader::new("import chunk", &item).text("b").map(str::to_owned)).transpose()
    }

    /// Puts `text` in the place of a piece as it was `seen`. False when somebody
    /// else has changed it, or it is gone.
    pub async fn replace_contact_import_chunk(
        &self,
        (org, id): (OrgId, ImportId),
        chunk: u32,
        seen: &str,
        text: &str,
    ) -> Result<bool> {
        let key = keys::contact_import_chunk(org, id, chunk);
        let values = [(":seen", s(seen)), (":new", s(text))];
        self.update_if(&key, "SET b = :new", "b = :seen OR b = :new", &values).await
    }

    /// Notes what was refused of a page; a repeat notes the same again.
    pub async fn put_refused(
        &self,
        i: &ContactImport,
        chunk: u32,
        rejected: &[Rejected],
        now: Timestamp,
    ) -> Result<()> {
        let mut item = row::write_page(i.org, i.id, i.progress.pages, chunk, rejected);
        retention::set(&mut item, self.end_of_file(i.org, now).await);
        self.put(item).await
    }

    /// Pages with refused rows, from the page `from` on: page, piece, rows.
    pub async fn refused(
        &self,
        org: OrgId,
        id: ImportId,
        from: u32,
        limit: i32,
    ) -> Result<Vec<(u32, u32, Vec<Rejected>)>> {
        let low = keys::contact_import_page(org, id, from);
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :low AND :high")
            .expression_attribute_values(":pk", s(low.pk))
            .expression_attribute_values(":low", s(low.sk))
            .expression_attribute_values(":high", s(format!("{}~", keys::PAGE_PREFIX)))
            .limit(limit)
            .send()
            .await
            .map_err(unavailable("query refused rows"))?;
        let page = |item| {
            let r = Reader::new("page of an import", item);
            let page = r.parsed("sk", |sk| sk.strip_prefix(keys::PAGE_PREFIX)?.parse().ok())?;
            let (chunk, rows) = row::read_page(item)?;
            Ok::<_, StoreError>((page, chunk, rows))
        };
        answer.items().iter().map(page).collect()
    }

    /// Imports of contacts whose files are kept, from behind `after`.
    pub async fn contact_imports(
        &self,
        org: OrgId,
        after: Option<ImportId>,
        limit: i32,
    ) -> Result<Vec<ImportId>> {
        let after = after.map(|id| id.key()).unwrap_or_default();
        let items = self.range(&keys::contact_imports(org), &after, None, limit).await?;
        let id = |item| Ok(ImportId::from_key(Reader::new("import", item).text("sk")?)?);
        items.iter().map(id).collect()
    }
}
