//! The audit log: a partition a month and organization, entries in the order of
//! their time. Rows are only ever added, never changed: what is noted before an
//! action and what came of it are two rows, of which a list shows the second,
//! or the first where there is none.

use carillon_domain::audit::{Entry, Outcome};
use carillon_domain::{AuditId, OrgId, Role};
use jiff::{SignedDuration, Timestamp};

use crate::attributes::{Item, Reader, Writer, n, s};
use crate::{Result, Store, StoreError, keys, unavailable};

/// Longer than a year, so that last year's same day is there.
const KEPT: SignedDuration = SignedDuration::from_hours(400 * 24);
/// How long an address is known of which a key was used; then it is new again.
const ADDRESS_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

impl Store {
    /// Adds one row of an entry.
    pub async fn add_audit(&self, entry: &Entry) -> Result<()> {
        let is_end = entry.outcome != Outcome::Begun;
        let mut w = Writer::new(&keys::audit(entry.org, &keys::month(entry.at), entry.id, is_end));
        w.number("v", 1).time("at", entry.at).text("ac", &entry.actor);
        w.text("ro", entry.role.as_str()).text("do", &entry.action);
        w.text("rt", &entry.resource_type).some("ri", entry.resource_id.as_deref(), s);
        w.text("oc", entry.outcome.as_str()).some("st", entry.status, n);
        w.some("co", entry.code.as_deref(), s).some("cl", entry.client.as_deref(), s);
        w.text("rq", &entry.request_id);
        w.some("be", entry.before.as_ref(), |map| s(serde_json::json!(map).to_string()));
        w.some("af", entry.after.as_ref(), |map| s(serde_json::json!(map).to_string()));
        w.number("ttl", (entry.at + KEPT).as_second());
        // A row that is there is this one: the id is drawn for it.
        self.put_if(w.done(), "attribute_not_exists(pk)", None).await.map(drop)
    }

    /// Rows of a month, newest first, from before `before`: an entry's end comes
    /// before its beginning.
    pub async fn audit(
        &self,
        org: OrgId,
        month: &str,
        before: Option<AuditId>,
        limit: i32,
    ) -> Result<Vec<Entry>> {
        let high = before.map_or_else(|| "~".to_owned(), |id| id.key());
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk < :high")
            .expression_attribute_values(":pk", s(keys::audit_month(org, month)))
            .expression_attribute_values(":high", s(high))
            .scan_index_forward(false)
            .limit(limit)
            .send()
            .await
            .map_err(unavailable("query audit log"))?;
        answer.items().iter().map(|item| read(org, item)).collect()
    }

    /// Whether this caller was seen at this address lately.
    pub async fn knows_address(&self, org: OrgId, caller: &str, address: &str) -> Result<bool> {
        Ok(self.get(&keys::caller_address(org, caller, address), false).await?.is_some())
    }

    /// The caller is known at this address from now on.
    pub async fn note_address(
        &self,
        org: OrgId,
        caller: &str,
        address: &str,
        now: Timestamp,
    ) -> Result<()> {
        let mut w = Writer::new(&keys::caller_address(org, caller, address));
        w.time("ca", now).number("ttl", (now + ADDRESS_KEPT).as_second());
        self.put(w.done()).await
    }
}

fn read(org: OrgId, item: &Item) -> Result<Entry> {
    let r = Reader::new("audit entry", item);
    let (id, _) = r.parsed("sk", |sk| sk.split_once('#'))?;
    Ok(Entry {
        id: AuditId::from_key(id).map_err(StoreError::from)?,
        org,
        at: r.time("at")?,
        actor: r.text("ac")?.to_owned(),
        role: r.parsed("ro", Role::parse)?,
        action: r.text("do")?.to_owned(),
        resource_type: r.text("rt")?.to_owned(),
        resource_id: r.maybe_text("ri").map(str::to_owned),
        outcome: r.parsed("oc", Outcome::parse)?,
        status: r.maybe_number("st")?,
        code: r.maybe_text("co").map(str::to_owned),
        client: r.maybe_text("cl").map(str::to_owned),
        request_id: r.text("rq")?.to_owned(),
        before: r.json("be")?,
        after: r.json("af")?,
    })
}
