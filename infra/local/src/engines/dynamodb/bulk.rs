//! Many rows at once, past the calls of the service: for what begins with a million of them.

use dynoxide::{DynoxideError, ImportOptions, Item};
use serde_json::Value;

use super::stream::StreamError;
use super::{DynamoEngine, PoisonError};

impl DynamoEngine {
    /// Puts rows, written as in a `PutItem`, into a table in one transaction of the file, whatever
    /// is there. The stream is not told.
    ///
    /// # Errors
    /// When one of them is not a row of this table; then none is put.
    pub async fn take_in(&self, table: &str, rows: Vec<Value>) -> Result<(), StreamError> {
        let table = table.to_owned();
        self.blocking(move |inner| {
            let rows = rows
                .into_iter()
                .map(serde_json::from_value::<Item>)
                .collect::<Result<Vec<_>, _>>()
                .map_err(|e| DynoxideError::ValidationException(e.to_string()))?;
            let _gate = inner.gate.read().unwrap_or_else(PoisonError::into_inner);
            inner.database.import_items(&table, rows, ImportOptions::default())?;
            Ok(())
        })
        .await
    }
}
