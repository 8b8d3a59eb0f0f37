//! Packs that were given up: they wait for a person, not for a time. They have
//! no due keys, so nothing works on them, also not an older release; the index
//! of what needs attention finds them.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use carillon_domain::OrgId;
use carillon_domain::pack::{Pack, Stage};
use jiff::Timestamp;

use crate::attributes::{Reader, ms, n, s};
use crate::{Result, Store, keys, packs, unavailable};

/// In the index of what needs attention.
const DEAD: &str = "dead";

/// A list's place behind an entry.
pub type DeadPlace = String;

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
            (":attn", s(keys::attention(pack.org, DEAD, &keys::month(now)))),
            (":at", s(keys::dead_letter_at(now, pack.id))),
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

    /// The packs that were given up in a month, newest first, each with its
    /// place; `before` is the place to go on behind. One that was just redriven
    /// or dropped is left out.
    pub async fn dead_packs(
        &self,
        org: OrgId,
        month: &str,
        before: Option<&str>,
        limit: i32,
    ) -> Result<Vec<(DeadPlace, Option<Pack>)>> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(keys::ATTENTION_INDEX)
            .key_condition_expression("attn = :attn AND attn_at < :before")
            .expression_attribute_values(":attn", s(keys::attention(org, DEAD, month)))
            .expression_attribute_values(":before", s(before.unwrap_or("~")))
            .scan_index_forward(false)
            .limit(limit)
            .send()
            .await
            .map_err(unavailable("query dead letters"))?;
        let mut places = Vec::new();
        let mut wanted = Vec::new();
        for item in answer.items() {
            let r = Reader::new("dead letter", item);
            places.push((r.text("pk")?.to_owned(), r.text("attn_at")?.to_owned()));
            wanted.push(keys::Key { pk: r.text("pk")?.to_owned(), sk: r.text("sk")?.to_owned() });
        }
        let rows = self.get_many(&wanted, true).await?;
        let mut found = Vec::with_capacity(places.len());
        for (pk, place) in places {
            let row =
                rows.iter().find(|row| Reader::new("pack", row).maybe_text("pk") == Some(&pk));
            let pack = row.map(packs::read).transpose()?.filter(|pack| pack.given_up.is_some());
            found.push((place, pack));
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
