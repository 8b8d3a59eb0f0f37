//! Packs that were given up: they wait for a person, not for a time. They have
//! no due keys, so nothing works on them, also not an older release; the index
//! of what needs attention finds them, and letters beside them.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use carillon_domain::OrgId;
use carillon_domain::pack::{Pack, Stage};
use jiff::Timestamp;

use crate::attention::AttentionPlace;
use crate::attributes::{Item, Reader, ms, n, s};
use crate::letters::{self, Letter};
use crate::{Result, Store, keys, packs, unavailable};

/// What waits for a person.
#[derive(Debug, Clone, PartialEq)]
pub enum DeadLetter {
    Pack(Box<Pack>),
    Letter(Letter),
}

impl Store {
    /// Nothing works on the pack any more until a person says so. `reason` is
    /// shown to people. False when someone else has changed the pack.
    pub async fn give_up_pack(
        &self,
        pack: &Pack,
        reason: &str,
        now: Timestamp,
        token: &str,
    ) -> Result<bool> {
        let change = "SET gn = :next, tk = :tk, dd = :dd, dr = :dr, attn = :attn, attn_at = :at \
                      ADD ver :one REMOVE due, due_at";
        let values = [
            (":dd", ms(now)),
            (":dr", s(reason)),
            (":attn", s(keys::dead_letters(Some(pack.org), &keys::month(now)))),
            (":at", s(keys::dead_letter_at(now, &pack.id.key()))),
        ];
        self.change_pack(pack, "gn = :seen AND attribute_exists(due)", change, values, token).await
    }

    /// Due again now, as if it had not been tried. False when someone else has
    /// changed the pack, or it is not given up.
    pub async fn redrive_pack(&self, pack: &Pack, now: Timestamp, token: &str) -> Result<bool> {
        let change = "SET gn = :next, tk = :tk, idle = :zero, due = :due, due_at = :at \
                      ADD ver :one REMOVE dd, dr, attn, attn_at";
        let shard = keys::due_shard(pack.id.as_bytes());
        let values = [
            (":zero", n(0)),
            (":due", s(keys::due_partition(pack.lane, shard))),
            (":at", s(keys::due_at(now, pack.generation + 1))),
        ];
        self.change_pack(pack, "gn = :seen AND attribute_exists(dd)", change, values, token).await
    }

    /// Done with: its messages are settled or wait by themselves. False as for
    /// [`Self::redrive_pack`].
    pub async fn drop_pack(&self, pack: &Pack, token: &str) -> Result<bool> {
        let change = "SET gn = :next, tk = :tk, sg = :sg \
                      ADD ver :one REMOVE dd, dr, attn, attn_at";
        let values = [(":sg", s(Stage::Done.as_str()))];
        self.change_pack(pack, "gn = :seen AND attribute_exists(dd)", change, values, token).await
    }

    /// What was given up in a month, newest first, each with its place; `of` are
    /// the organizations asked for (`None`: what names none), `before` is the
    /// place to go on behind. One that was just redriven or dropped is left out.
    pub async fn dead_letters(
        &self,
        of: &[Option<OrgId>],
        month: &str,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(AttentionPlace, Option<DeadLetter>)>> {
        let partitions: Vec<_> = of.iter().map(|org| keys::dead_letters(*org, month)).collect();
        let entries = self.attention(&partitions, before, limit).await?;
        let wanted: Vec<_> = entries.iter().map(|(_, key)| key.clone()).collect();
        let rows = self.get_many(&wanted, true).await?;
        let mut found = Vec::with_capacity(entries.len());
        for (place, key) in entries {
            let has_key =
                |row: &&Item| Reader::new("dead letter", row).maybe_text("pk") == Some(&key.pk);
            let letter = rows.iter().find(has_key).map(read).transpose();
            // One row that cannot be read must not hide the others.
            let letter = letter.unwrap_or_else(|error| {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a dead letter is skipped"
                );
                None
            });
            found.push((place, letter.flatten()));
        }
        Ok(found)
    }

    /// One write on the pack as it was read; it raises the generation, so
    /// whatever is on a queue for it is stale.
    async fn change_pack<const N: usize>(
        &self,
        pack: &Pack,
        condition: &str,
        change: &str,
        values: [(&str, AttributeValue); N],
        token: &str,
    ) -> Result<bool> {
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::pack(pack.org, pack.id).item()))
            .condition_expression(condition)
            .update_expression(change)
            .expression_attribute_values(":seen", n(pack.generation))
            .expression_attribute_values(":next", n(pack.generation + 1))
            .expression_attribute_values(":tk", s(token))
            .expression_attribute_values(":one", n(1))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        for (name, value) in values {
            update = update.expression_attribute_values(name, value);
        }
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(e)) => {
                    let ours = |item| Reader::new("pack", item).maybe_text("tk") == Some(token);
                    Ok(e.item.as_ref().is_some_and(ours))
                }
                _ => Err(unavailable("change pack")(error)),
            },
        }
    }
}

/// `None`: a pack that is at work again.
fn read(row: &Item) -> Result<Option<DeadLetter>> {
    if Reader::new("dead letter", row).text("sk")? == keys::LETTER {
        return Ok(Some(DeadLetter::Letter(letters::read(row)?)));
    }
    let pack = packs::read(row)?;
    Ok(pack.given_up.is_some().then(|| DeadLetter::Pack(Box::new(pack))))
}
