//! Packs: put with their due keys, leased, finished.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use carillon_domain::pack::{GivenUp, Pack, Stage};
use carillon_domain::{Channel, ImportId, Lane, OrgId, PackId};
use jiff::Timestamp;

use crate::attributes::{Item, Reader, Writer, n, s};
use crate::{Result, Store, keys, unavailable};

/// Version of this row shape.
const VERSION: u8 = 1;

impl Store {
    /// Put-if-absent: a repeat of planning leaves a pack that has moved alone.
    pub async fn insert_pack(&self, pack: &Pack, now: Timestamp) -> Result<()> {
        let mut w = Writer::new(&keys::pack(pack.org, pack.id));
        w.number("v", VERSION).number("ver", 1).number("gn", pack.generation);
        w.text("src", pack.source.key()).number("pg", pack.page);
        w.number("fr", pack.from).number("t", pack.to);
        w.text("ch", pack.channel.as_str()).text("ln", pack.lane.as_str());
        w.text("sg", pack.stage.as_str()).time("ca", now);
        if let Some(due) = pack.due {
            w.text("due", keys::due_partition(pack.lane, keys::due_shard(pack.id.as_bytes())));
            w.text("due_at", keys::due_at(due, pack.generation));
        }
        self.put_if(w.done(), "attribute_not_exists(pk)", None).await.map(drop)
    }

    pub async fn pack(&self, org: OrgId, id: PackId) -> Result<Option<Pack>> {
        self.get(&keys::pack(org, id), true).await?.as_ref().map(read).transpose()
    }

    /// The work lease: only the holder of generation `seen` gets it, and from
    /// then on the queue body that carried `seen` is stale. A run that settles
    /// nothing is counted by it.
    pub async fn begin_pack(
        &self,
        org: OrgId,
        id: PackId,
        seen: u32,
        until: Timestamp,
        token: &str,
    ) -> Result<Option<Pack>> {
        let next = seen + 1;
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::pack(org, id).item()))
            .condition_expression("gn = :seen AND attribute_exists(due)")
            .update_expression("SET due_at = :at, gn = :next, tk = :tk ADD ver :one, idle :one")
            .expression_attribute_values(":seen", n(seen))
            .expression_attribute_values(":next", n(next))
            .expression_attribute_values(":at", s(keys::due_at(until, next)))
            .expression_attribute_values(":tk", s(token))
            .expression_attribute_values(":one", n(1))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match update {
            Ok(answer) => answer.attributes.as_ref().map(read).transpose(),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(e)) => match &e.item {
                    Some(item) if Reader::new("pack", item).maybe_text("tk") == Some(token) => {
                        read(item).map(Some)
                    }
                    _ => Ok(None),
                },
                _ => Err(unavailable("begin pack")(error)),
            },
        }
    }

    /// What the holder of the work lease leaves: done, due again for the next
    /// stage, or due again for the rest. False when the lease was lost.
    pub async fn leave_pack(
        &self,
        pack: &Pack,
        stage: Stage,
        due: Option<Timestamp>,
        progressed: bool,
        token: &str,
    ) -> Result<bool> {
        let next = pack.generation + 1;
        let idle = if progressed { 0 } else { pack.idle_runs };
        let mut set = "SET gn = :next, sg = :sg, tk = :tk, idle = :idle".to_owned();
        set.push_str(if due.is_some() { ", due_at = :at" } else { "" });
        set.push_str(" ADD ver :one");
        set.push_str(if due.is_some() { "" } else { " REMOVE due, due_at" });
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::pack(pack.org, pack.id).item()))
            .condition_expression("gn = :seen")
            .update_expression(set)
            .expression_attribute_values(":seen", n(pack.generation))
            .expression_attribute_values(":next", n(next))
            .expression_attribute_values(":sg", s(stage.as_str()))
            .expression_attribute_values(":tk", s(token))
            .expression_attribute_values(":idle", n(idle))
            .expression_attribute_values(":one", n(1))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if let Some(due) = due {
            update = update.expression_attribute_values(":at", s(keys::due_at(due, next)));
        }
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(e)) => {
                    let old = e.item.as_ref();
                    Ok(old.is_some_and(|i| Reader::new("pack", i).maybe_text("tk") == Some(token)))
                }
                _ => Err(unavailable("leave pack")(error)),
            },
        }
    }
}

pub fn read(item: &Item) -> Result<Pack> {
    let r = Reader::new("pack", item);
    if r.number::<u8>("v")? > VERSION + 1 {
        return Err(r.corrupt("v"));
    }
    let (org, rest) = r.parsed("pk", keys::read_org)?;
    let id = rest.strip_prefix("k/").ok_or_else(|| r.corrupt("pk"))?;
    Ok(Pack {
        org,
        id: PackId::from_key(id)?,
        source: ImportId::from_key(r.text("src")?)?,
        page: r.number("pg")?,
        from: r.number("fr")?,
        to: r.number("t")?,
        channel: r.parsed("ch", Channel::parse)?,
        lane: r.parsed("ln", Lane::parse)?,
        stage: r.parsed("sg", Stage::parse)?,
        due: r.maybe_parsed("due_at", keys::read_due_at)?.map(|(at, _)| at),
        generation: r.number("gn")?,
        idle_runs: r.maybe_number("idle")?.unwrap_or(0),
        given_up: match r.maybe_time("dd")? {
            Some(at) => Some(GivenUp { at, reason: r.text("dr")?.to_owned() }),
            None => None,
        },
    })
}
