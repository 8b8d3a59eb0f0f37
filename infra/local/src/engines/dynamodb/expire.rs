//! What DynamoDB does by itself: rows whose time to live is over go. By the stack's
//! clock, a piece of the table at a time, and free of charge.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::stream::StreamError;
use super::{DynamoEngine, Inner, PoisonError, dispatch};

impl DynamoEngine {
    /// Looks at up to `limit` more rows of the table, from where it was, and deletes those
    /// whose `ttl` is over. Answers how many, and whether the end of the table was reached.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn expire(
        &self,
        table: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<(usize, bool), StreamError> {
        let table = table.to_owned();
        self.blocking(move |inner| {
            let _gate = inner.gate.read().unwrap_or_else(PoisonError::into_inner);
            inner.expire(&table, now.as_second(), limit)
        })
        .await
    }
}

impl Inner {
    fn expire(&self, table: &str, now: i64, limit: usize) -> Result<(usize, bool), StreamError> {
        let mut place = self.expired_to.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scan = json!({
            "TableName": table,
            "Limit": limit,
            "FilterExpression": "#ttl < :now",
            "ProjectionExpression": "pk, sk, #ttl",
            "ExpressionAttributeNames": {"#ttl": "ttl"},
            "ExpressionAttributeValues": {":now": {"N": now.to_string()}},
        });
        if let Some(start) = place.take() {
            scan["ExclusiveStartKey"] = start;
        }
        let page = dispatch::run(&self.database, "Scan", &scan.to_string())?;
        let mut gone = 0;
        for row in page["Items"].as_array().into_iter().flatten() {
            let delete = json!({
                "TableName": table,
                "Key": {"pk": row["pk"], "sk": row["sk"]},
                // Its end may have moved since.
                "ConditionExpression": "#ttl = :seen",
                "ExpressionAttributeNames": {"#ttl": "ttl"},
                "ExpressionAttributeValues": {":seen": row["ttl"]},
            });
            match dispatch::run(&self.database, "DeleteItem", &delete.to_string()) {
                Ok(_) => gone += 1,
                Err(dynoxide::DynoxideError::ConditionalCheckFailedException(..)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        *place = page.get("LastEvaluatedKey").filter(|key| !Value::is_null(key)).cloned();
        Ok((gone, place.is_none()))
    }
}
