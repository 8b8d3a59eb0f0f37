//! Messages: insert once, change under a condition on the version.

use std::collections::HashMap;

use carillon_domain::message::State;
use carillon_domain::{AddressKey, Message, MessageId, OrgId};
use jiff::Timestamp;

use crate::attributes::{Item, n, s};
use crate::{Mechanism, Result, Store, StoreError, keys, message_row, retention, unavailable};

/// Rounds of a change against concurrent ones before it is given up.
const ROUNDS: usize = 8;

/// What came of an insert.
#[derive(Debug, Clone, PartialEq)]
pub enum Inserted {
    New,
    /// The row was there: a repeat, or another cause with the same id.
    Exists(Box<Message>),
}

/// What came of a conditional change.
#[derive(Debug, Clone, PartialEq)]
pub enum Saved {
    Done,
    /// Someone changed it first; the row as it is now (`None`: gone).
    Lost(Option<Box<Message>>),
}

impl Store {
    /// Puts a new message. `m.token` tells a repeat of our own put (the SDK
    /// retries lost answers) from someone else's row.
    pub async fn insert_message(&self, m: &Message) -> Result<Inserted> {
        let (mut item, mut sibling) = message_row::write(m);
        // One that comes in is at rest from the beginning.
        if let Some(end) = self.end_of(m, m.created_at).await {
            retention::set(&mut item, Some(retention::seconds(end)));
            if let Some(text) = &mut sibling {
                retention::set(text, self.end_beside(m.org, end, m.created_at).await);
            }
        }
        // The long content first: a message whose text is missing must not exist.
        // Only the first counts: another line with the same number has the same
        // id and must not change what was promised.
        if let Some(sibling) = sibling {
            self.put_if(sibling, "attribute_not_exists(pk)", None).await?;
        }
        match self.put_if(item, "attribute_not_exists(pk)", None).await? {
            None => Ok(Inserted::New),
            Some(old) => {
                let old = message_row::read(&old)?;
                if old.token == m.token && old.version == m.version {
                    return Ok(Inserted::New);
                }
                Ok(Inserted::Exists(Box::new(old)))
            }
        }
    }

    /// Stores a changed message, if it is still at the version it was read at.
    /// Raises `m.version`. `token` is this caller's and of this write alone.
    pub async fn save_message(
        &self,
        m: &mut Message,
        token: &str,
        now: Timestamp,
    ) -> Result<Saved> {
        let seen = m.version;
        m.version += 1;
        token.clone_into(&mut m.token);
        m.updated_at = now;
        m.stay_erased();
        // Content never changes after the insert: a long one is not written again.
        let (mut item, _) = message_row::write(m);
        let end = self.end_of(m, now).await;
        retention::set(&mut item, end.map(retention::seconds));
        if message_row::has_sibling(&item) {
            // First: a text without an end would stay behind.
            self.keep_text(m, end).await?;
        }
        if self.lacks(Mechanism::SettleKey) && matches!(m.state, State::Unknown { .. }) {
            item.retain(|name, _| name != "due" && name != "due_at");
        }
        match self.put_if(item, "ver = :seen", Some((":seen", n(seen)))).await? {
            None => Ok(Saved::Done),
            Some(old) if old.is_empty() => Ok(Saved::Lost(None)),
            Some(old) => {
                let old = message_row::read(&old)?;
                let ours = old.token == *token && old.version == m.version;
                if ours && !self.lacks(Mechanism::Token) {
                    return Ok(Saved::Done);
                }
                Ok(Saved::Lost(Some(Box::new(old))))
            }
        }
    }

    /// Reads a message, applies `change`, stores it; reads again when someone
    /// else was first. `change` answers `None` to leave the row as it is.
    ///
    /// Answers the message as it now stands and what `change` answered last.
    pub async fn change_message<T>(
        &self,
        org: OrgId,
        id: MessageId,
        token: &str,
        now: Timestamp,
        mut change: impl FnMut(&mut Message) -> Option<T>,
    ) -> Result<Option<(Message, Option<T>)>> {
        let Some(current) = self.message(org, id).await? else { return Ok(None) };
        self.change_from(current, token, now, &mut change).await
    }

    /// As [`Self::change_message`], for changes that do not need the long
    /// content: begins with the row as some replica has it, at half the price.
    pub async fn change_glanced<T>(
        &self,
        org: OrgId,
        id: MessageId,
        token: &str,
        now: Timestamp,
        mut change: impl FnMut(&mut Message) -> Option<T>,
    ) -> Result<Option<(Message, Option<T>)>> {
        match self.message_glance(org, id).await? {
            Some(current) => self.change_from(current, token, now, &mut change).await,
            // Not on this replica yet, or nowhere.
            None => self.change_message(org, id, token, now, change).await,
        }
    }

    async fn change_from<T>(
        &self,
        mut current: Message,
        token: &str,
        now: Timestamp,
        change: &mut impl FnMut(&mut Message) -> Option<T>,
    ) -> Result<Option<(Message, Option<T>)>> {
        for _ in 0..ROUNDS {
            let mut changed = current.clone();
            let Some(answer) = change(&mut changed) else { return Ok(Some((current, None))) };
            match self.save_message(&mut changed, token, now).await? {
                Saved::Done => return Ok(Some((changed, Some(answer)))),
                Saved::Lost(None) => return Ok(None),
                // The row as the condition met it lacks a long content, which
                // never changes.
                Saved::Lost(Some(now_there)) => {
                    let content = std::mem::take(&mut current.content);
                    current = Message { content, ..*now_there };
                }
            }
        }
        Err(StoreError::Contended("a message"))
    }

    /// One message, whole, as of now (consistent read).
    pub async fn message(&self, org: OrgId, id: MessageId) -> Result<Option<Message>> {
        let Some(item) = self.get(&keys::message(org, id), true).await? else { return Ok(None) };
        let mut m = message_row::read(&item)?;
        if message_row::has_sibling(&item) {
            let body = self.get(&keys::message_body(org, id), true).await?;
            let body = body.ok_or_else(|| StoreError::Corrupt {
                kind: "message",
                detail: "its body is missing".to_owned(),
            })?;
            message_row::read_sibling(&mut m, &body)?;
        }
        Ok(Some(m))
    }

    /// One message as some replica has it, without long content: half the price.
    pub async fn message_glance(&self, org: OrgId, id: MessageId) -> Result<Option<Message>> {
        self.get(&keys::message(org, id), false).await?.as_ref().map(message_row::read).transpose()
    }

    /// Many messages, in the order asked for; those that do not exist are left
    /// out. Long contents are read where `whole`.
    pub async fn messages(
        &self,
        org: OrgId,
        ids: &[MessageId],
        consistent: bool,
        whole: bool,
    ) -> Result<Vec<Message>> {
        let wanted: Vec<_> = ids.iter().map(|id| keys::message(org, *id)).collect();
        let mut found = HashMap::new();
        let mut long = Vec::new();
        for item in self.get_many(&wanted, consistent).await? {
            let m = match message_row::read(&item) {
                Ok(m) => m,
                // One row that cannot be read is "not yet" to who counts, and
                // holds up nobody else.
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "a row is skipped");
                    continue;
                }
            };
            if whole && message_row::has_sibling(&item) {
                long.push(m.id);
            }
            found.insert(m.id, m);
        }
        let bodies: Vec<_> = long.iter().map(|id| keys::message_body(org, *id)).collect();
        // By both keys: messages of one import share their sort key.
        let bodies: HashMap<(String, String), Item> = self
            .get_many(&bodies, consistent)
            .await?
            .into_iter()
            .filter_map(|item| {
                let text = |name: &str| item.get(name).and_then(|v| v.as_s().ok()).cloned();
                Some(((text("pk")?, text("sk")?), item))
            })
            .collect();
        for id in long {
            let Some(m) = found.get_mut(&id) else { continue };
            let key = keys::message_body(org, id);
            match bodies.get(&(key.pk, key.sk)) {
                Some(body) => message_row::read_sibling(m, body)?,
                // The row was seen by this replica, its content not yet.
                None => *m = self.message(org, id).await?.unwrap_or_else(|| m.clone()),
            }
        }
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    /// The messages with one address, newest first, at most `limit`; `before`
    /// is the sort part of the last one seen.
    pub async fn messages_with(
        &self,
        org: OrgId,
        address: AddressKey,
        before: Option<MessageId>,
        limit: i32,
    ) -> Result<Vec<MessageId>> {
        let low = keys::MESSAGE_PREFIX.to_owned();
        let high = before
            .map_or_else(|| format!("{}~", keys::MESSAGE_PREFIX), |id| keys::message(org, id).sk);
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :low AND :high")
            .expression_attribute_values(":pk", s(keys::address(org, address)))
            .expression_attribute_values(":low", s(low))
            .expression_attribute_values(":high", s(high))
            .projection_expression("pk, sk")
            .scan_index_forward(false)
            .limit(limit + 1)
            .send()
            .await
            .map_err(unavailable("query messages of an address"))?;
        let mut ids = Vec::new();
        for item in answer.items() {
            let id = message_id(item)?;
            if Some(id) != before && ids.len() < usize::try_from(limit).unwrap_or(0) {
                ids.push(id);
            }
        }
        Ok(ids)
    }
}

/// The id in a message row's keys.
pub fn message_id(item: &Item) -> Result<MessageId> {
    let corrupt = || StoreError::Corrupt { kind: "message", detail: "keys".to_owned() };
    let text = |name: &str| item.get(name).and_then(|v| v.as_s().ok());
    let (_, rest) = text("pk").and_then(|pk| keys::read_org(pk)).ok_or_else(corrupt)?;
    let address = rest.strip_prefix("a/").ok_or_else(corrupt)?;
    let sort =
        text("sk").and_then(|sk| sk.strip_prefix(keys::MESSAGE_PREFIX)).ok_or_else(corrupt)?;
    MessageId::from_parts(address, sort).map_err(|_| corrupt())
}
