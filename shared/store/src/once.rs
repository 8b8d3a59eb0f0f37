//! Requests that are done once under an idempotency key: claimed before they are
//! worked on, answered from the row when they come again. Who holds the claim
//! and is cut off loses it when its lease ends.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use carillon_domain::OrgId;
use jiff::{SignedDuration, Timestamp};

use crate::attributes::{Item, Reader, Writer, ms, s};
use crate::{Result, Store, keys, unavailable};

/// How long an answer is given again.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
const RUNNING: &str = "running";
const DONE: &str = "done";

/// A request under a key.
#[derive(Debug, Clone)]
pub struct Once {
    pub org: OrgId,
    /// The kind of request: keys of different ones do not meet.
    pub scope: String,
    /// The caller's words; stored is only a hash.
    pub key: String,
    /// The same hash is the same request.
    pub request_hash: String,
    /// Of this try alone.
    pub token: String,
}

impl Once {
    fn row(&self) -> keys::Key {
        keys::idempotency(self.org, &self.scope, &self.key)
    }

    /// Names the row, so that an answer is good nowhere else.
    #[must_use]
    pub fn place(&self) -> String {
        self.row().pk
    }
}

/// The first answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    pub status: u16,
    pub content_type: Option<String>,
    /// As it was handed in: the caller encrypts it.
    pub body: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Ours to do.
    Taken,
    /// Somebody is at it.
    Running,
    Answered(Answered),
    /// The key was used for another request.
    Reused,
}

impl Store {
    /// Claims a request until `until`.
    pub async fn claim_once(&self, once: &Once, now: Timestamp, until: Timestamp) -> Result<Claim> {
        let mut w = Writer::new(&once.row());
        w.number("v", 1).text("rh", &once.request_hash).text("tk", &once.token);
        w.text("st", RUNNING).time("lu", until).time("xa", now + KEPT).time("ca", now);
        w.number("ttl", (now + KEPT).as_second());
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(w.done()))
            // What is out of time may be there still: deletion takes a while.
            .condition_expression(
                "attribute_not_exists(pk) OR xa <= :now \
                 OR (st = :running AND lu <= :now AND rh = :hash)",
            )
            .expression_attribute_values(":now", ms(now))
            .expression_attribute_values(":running", s(RUNNING))
            .expression_attribute_values(":hash", s(&once.request_hash))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match put {
            Ok(_) => Ok(Claim::Taken),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(e)) => {
                    met(once, e.item.as_ref().unwrap_or(&Item::new()))
                }
                _ => Err(unavailable("claim a request")(error)),
            },
        }
    }

    /// Keeps the answer. False when the claim was lost.
    pub async fn finish_once(
        &self,
        once: &Once,
        answer: &Answered,
        now: Timestamp,
    ) -> Result<bool> {
        let mut w = Writer::new(&once.row());
        w.number("v", 1).text("rh", &once.request_hash).text("tk", &once.token).text("st", DONE);
        w.number("sc", answer.status).some("ct", answer.content_type.as_deref(), s);
        w.bytes("an", answer.body.clone()).time("xa", now + KEPT).time("ca", now);
        w.number("ttl", (now + KEPT).as_second());
        let met = self.put_if(w.done(), "tk = :token", Some((":token", s(&once.token)))).await?;
        Ok(met.is_none())
    }

    /// Nothing was done: the key is free again, if the claim is still ours.
    pub async fn release_once(&self, once: &Once) -> Result<()> {
        use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
        let deleted = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(once.row().item()))
            .condition_expression("tk = :token")
            .expression_attribute_values(":token", s(&once.token))
            .send()
            .await;
        match deleted {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(unavailable("release a request")(error)),
            },
        }
    }
}

fn met(once: &Once, item: &Item) -> Result<Claim> {
    let r = Reader::new("idempotency key", item);
    if r.text("rh")? != once.request_hash {
        return Ok(Claim::Reused);
    }
    if r.text("st")? == DONE {
        return Ok(Claim::Answered(Answered {
            status: r.number("sc")?,
            content_type: r.maybe_text("ct").map(str::to_owned),
            body: r.bytes("an").unwrap_or_default().to_vec(),
        }));
    }
    // Our own write, whose answer was lost on the way.
    let is_ours = r.text("tk")? == once.token;
    Ok(if is_ours { Claim::Taken } else { Claim::Running })
}
