//! What the stream mapping does on AWS: hands changes of the table to rollup,
//! in order, and again from the same place when it fails.

use std::sync::Arc;

use aws_lambda_events::dynamodb::Event;
use carillon_runtime::Context;
use serde_json::json;

use crate::engines::Engines;

/// Records in one invocation.
const BATCH: usize = 1_000;

/// Feeds one batch; answers how many records it had.
///
/// # Errors
/// When rollup failed: the batch comes again.
pub async fn feed(ctx: &Arc<Context>, engines: &Engines) -> anyhow::Result<usize> {
    let (tables, table) = (engines.tables(), ctx.store.table_name());
    let cursor = tables.stream_cursor(table).await?;
    let records = tables.read_stream(table, cursor, BATCH).await?;
    let Some(last) = records.last().map(|r| r.sequence.clone()) else { return Ok(0) };
    let count = records.len();
    let events: Vec<_> = records.into_iter().map(|r| r.event).collect();
    let event: Event = serde_json::from_value(json!({"Records": events}))?;
    carillon_rollup::handle(ctx, event).await?;
    // Applied first, then remembered, then deleted: a crash between repeats a
    // batch, which rollup takes as it should.
    tables.set_stream_cursor(table, last.clone()).await?;
    tables.trim_stream(table, last).await?;
    Ok(count)
}
