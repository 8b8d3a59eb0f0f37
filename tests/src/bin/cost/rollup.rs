//! Feeds rollup as the template's event source mapping does: messages only, each shard by itself, up to a thousand
//! records an invocation. A window is whatever happened since the last call.

use std::hash::{DefaultHasher, Hash, Hasher};

use anyhow::Result;
use carillon_local::engines::SequenceNumber;
use carillon_local::stack::TABLE;
use carillon_store::keys::MESSAGE_PREFIX;
use carillon_tests::World;
use serde_json::{Value, json};

use crate::formula::Change;

/// As in the template.
const BATCH: usize = 1_000;
const READ: usize = 1_000;

/// Reads the stream from where it was, and remembers.
#[derive(Default)]
pub struct Stream(Option<SequenceNumber>);

impl Stream {
    /// What has changed since the last time.
    pub async fn read(&mut self, world: &World) -> Result<Vec<Value>> {
        let tables = world.stack.engines.tables();
        let mut all = Vec::new();
        loop {
            let records = tables.read_stream(TABLE, self.0.clone(), READ).await?;
            let Some(last) = records.last() else { return Ok(all) };
            self.0 = Some(last.sequence.clone());
            all.extend(records.into_iter().map(|record| record.event));
        }
    }
}

/// One batching window. Answers how often rollup was invoked, and what it wrote.
pub async fn window(
    world: &World,
    stream: &mut Stream,
    changes: Vec<Value>,
    shards: usize,
) -> Result<(usize, Vec<Change>)> {
    let mut by_shard = vec![Vec::new(); shards];
    for change in changes {
        let keys = &change["dynamodb"]["Keys"];
        if keys["sk"]["S"].as_str().is_some_and(|sort| sort.starts_with(MESSAGE_PREFIX)) {
            let mut hasher = DefaultHasher::new();
            keys["pk"]["S"].as_str().hash(&mut hasher);
            let shard = usize::try_from(hasher.finish() % shards as u64)?;
            by_shard[shard].push(change);
        }
    }
    let mut invocations = 0;
    for batch in by_shard.iter().flat_map(|records| records.chunks(BATCH)) {
        let event = serde_json::from_value(json!({"Records": batch}))?;
        carillon_rollup::handle(&world.stack.ctx, event).await?;
        invocations += 1;
    }
    let written = stream.read(world).await?;
    Ok((
        invocations,
        written.iter().filter(Change::is_written).map(Change::read).collect::<Result<_>>()?,
    ))
}
