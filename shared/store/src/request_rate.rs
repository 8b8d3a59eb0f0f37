//! Requests that a key may still make: a bucket in one row, from which each
//! instance leases a few at a time. Virtual scheduling as in GCRA: the row holds
//! the time at which the bucket would be full again.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use carillon_domain::OrgId;
use jiff::{SignedDuration, Timestamp};

use crate::attributes::{Item, Reader, n};
use crate::{Result, Store, StoreError, keys, unavailable};

/// Rounds against other instances.
const ROUNDS: usize = 20;
/// A bucket that was full so long ago need not be remembered.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leased {
    Granted,
    /// There is room for so many again at that time.
    Later(Timestamp),
}

impl Store {
    /// Takes `wanted` requests from the bucket of a caller, which holds `burst`
    /// and gets one more each `interval` microseconds. All of them or none.
    pub async fn lease_requests(
        &self,
        org: OrgId,
        caller: &str,
        wanted: u32,
        interval: i64,
        burst: u32,
        now: Timestamp,
    ) -> Result<Leased> {
        let now_micros = now.as_microsecond();
        let step = i64::from(wanted) * interval;
        let highest = now_micros + i64::from(burst) * interval - step;
        // A bucket that is not full moves on from where it is, a full one from now.
        let mut is_full = true;
        for _ in 0..ROUNDS {
            let update = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(keys::rate(org, caller).item()))
                .expression_attribute_names("#ttl", "ttl")
                .expression_attribute_values(":now", n(now_micros))
                .expression_attribute_values(":ttl", n((now + KEPT).as_second()))
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                );
            let update = if is_full {
                update
                    .update_expression("SET ta = :next, #ttl = :ttl")
                    .condition_expression("attribute_not_exists(ta) OR ta <= :now")
                    .expression_attribute_values(":next", n(now_micros + step))
            } else {
                update
                    .update_expression("SET ta = ta + :step, #ttl = :ttl")
                    .condition_expression("ta > :now AND ta <= :highest")
                    .expression_attribute_values(":step", n(step))
                    .expression_attribute_values(":highest", n(highest))
            };
            let error = match update.send().await {
                Ok(_) => return Ok(Leased::Granted),
                Err(error) => error,
            };
            let Some(UpdateItemError::ConditionalCheckFailedException(met)) =
                error.as_service_error()
            else {
                return Err(unavailable("lease requests")(error));
            };
            let found = at(met.item.as_ref())?;
            if found > highest {
                let when = Timestamp::from_microsecond(now_micros + found - highest);
                return Ok(Leased::Later(when.unwrap_or(Timestamp::MAX)));
            }
            is_full = found <= now_micros;
        }
        Err(StoreError::Contended("the requests of a key"))
    }
}

fn at(item: Option<&Item>) -> Result<i64> {
    let empty = Item::new();
    let r = Reader::new("request rate", item.unwrap_or(&empty));
    Ok(r.maybe_number("ta")?.unwrap_or(i64::MIN))
}
