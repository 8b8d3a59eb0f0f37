//! Which table this is, quickly: DescribeTable of the library counts all rows.

use rusqlite::{OptionalExtension, params};

use super::stream::StreamError;
use super::{DynamoEngine, Inner};

impl DynamoEngine {
    /// The table's id; `None` when there is no such table. A file that was copied
    /// has the same tables in another place on the disk, which is part of the id: so
    /// a folder put back from a backup is another table, and a folder that was only
    /// moved is not.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn table_id(&self, table: &str) -> Result<Option<String>, StreamError> {
        let table = table.to_owned();
        self.blocking(move |inner| {
            let id: Option<Option<String>> = inner.with_side(|side| {
                side.query_row(
                    "SELECT table_id FROM _tables WHERE table_name = ?1",
                    params![table],
                    |row| row.get(0),
                )
                .optional()
            })?;
            let place = inner.place();
            Ok(id.map(|id| format!("{}{place}", id.unwrap_or_default())))
        })
        .await
    }
}

impl Inner {
    /// The file's number on its disk.
    #[cfg(unix)]
    fn place(&self) -> String {
        use std::os::unix::fs::MetadataExt as _;
        let found = self.path.as_ref().and_then(|path| std::fs::metadata(path).ok());
        found.map_or_else(String::new, |file| format!("/{}", file.ino()))
    }

    #[cfg(not(unix))]
    fn place(&self) -> String {
        String::new()
    }
}
