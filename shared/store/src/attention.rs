//! The index of what a person looks at, newest first. It answers keys; the rows
//! behind them say the rest.

use crate::attributes::{Reader, s};
use crate::{Result, Store, keys, unavailable};

/// A list's place behind an entry.
pub type AttentionPlace = String;

impl Store {
    /// Entries of some partitions as one list, each with its place; `before` is
    /// the place to go on behind.
    pub(crate) async fn attention(
        &self,
        partitions: &[String],
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(AttentionPlace, keys::Key)>> {
        let mut entries = Vec::new();
        for partition in partitions {
            entries.extend(self.attention_of(partition, before, limit).await?);
        }
        entries.sort_by(|(one, _), (other, _)| other.cmp(one));
        entries.truncate(limit);
        Ok(entries)
    }

    async fn attention_of(
        &self,
        partition: &str,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(AttentionPlace, keys::Key)>> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(keys::ATTENTION_INDEX)
            .key_condition_expression("attn = :attn AND attn_at < :before")
            .expression_attribute_values(":attn", s(partition))
            .expression_attribute_values(":before", s(before.unwrap_or("~")))
            .scan_index_forward(false)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(unavailable("query attention"))?;
        let entry = |item| {
            let r = Reader::new("attention", item);
            let key = keys::Key { pk: r.text("pk")?.to_owned(), sk: r.text("sk")?.to_owned() };
            Ok((r.text("attn_at")?.to_owned(), key))
        };
        answer.items().iter().map(entry).collect()
    }
}
