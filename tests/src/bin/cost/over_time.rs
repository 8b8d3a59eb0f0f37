//! Sends that take their time: a slow rate, quiet hours, a cap an hour. The clock is moved by who waits for slots
//! inside a function, and to the next thing that happens where nobody does anything; the schedule fires each minute.

use anyhow::{Result, ensure};
use carillon_local::engines::ServiceName;
use carillon_local::poller::Mapping;
use jiff::{SignedDuration, Timestamp};

use crate::SHARDS;
use crate::run::{MESSAGES, Measured, Run, Setting};

const MINUTE: SignedDuration = SignedDuration::from_secs(60);
/// A send that takes longer never ends.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

/// What was done until all was sent.
#[derive(Default)]
struct Done {
    ticks: usize,
    packs: usize,
    singles: usize,
    empty: u64,
}

/// A file, until it is delivered and its packs are closed.
pub async fn bulk(setting: &Setting) -> Result<Run> {
    let mut m = Measured::start(SHARDS, setting).await?;
    m.upload().await?;
    send(&mut m, MESSAGES as u64).await?;
    m.receipts().await?;
    m.reconcile().await?;
    m.finished(MESSAGES).await
}

/// A single message that cannot go when it is accepted.
pub async fn single(setting: &Setting) -> Result<Run> {
    let mut m = Measured::start(SHARDS, setting).await?;
    m.accept_single("accept", "rollup after accepting").await?;
    send(&mut m, 1).await?;
    m.receipts().await?;
    m.finished(1).await
}

async fn send(m: &mut Measured, messages: u64) -> Result<()> {
    let start = m.world.now();
    let mut done = Done::default();
    let mut fires = start;
    let mut sent = 0;
    while sent < messages {
        ensure!(m.world.now() < start + PATIENCE, "it is not sent within a day");
        if m.world.now() >= fires {
            let before = reads(m);
            let report = m.world.stack.tick().await;
            ensure!(report.errors == 0, "{report:?}");
            if report == Default::default() {
                m.idle_reads += reads(m) - before;
            } else {
                done.ticks += 1;
            }
            fires = next_minute(fires, m.world.now());
        }
        let mut any = false;
        while poll(m, &mut done).await? {
            any = true;
        }
        if any {
            sent = m.world.simulator.stats().await?.accepted;
        }
        let next = m.world.stack.engines.queues().next_change().map_or(fires, |at| at.min(fires));
        m.world.stack.ctx.clock.sleep_until(next).await;
    }
    // The first firing plans the file.
    let plans = usize::from(messages > 1);
    let invocations = vec![
        ("queue-processor", plans),
        ("queue-processor, few", done.ticks.saturating_sub(plans)),
        ("sender", done.packs),
        ("sender, one message", done.singles),
    ];
    m.ended("send", "rollup after sending", invocations, done.empty).await
}

fn next_minute(mut fires: Timestamp, now: Timestamp) -> Timestamp {
    while fires <= now {
        fires += MINUTE;
    }
    fires
}

/// One look at both queues; false when there was nothing.
async fn poll(m: &mut Measured, done: &mut Done) -> Result<bool> {
    let mut any = false;
    for mapping in [Mapping::SmsTransactional, Mapping::SmsBulk] {
        let (before, begun) = (m.world.now(), packs_begun(m));
        let bodies = mapping.poll(&m.world.stack.ctx, &m.world.stack.sqs, 0).await?;
        m.held += m.world.now().duration_since(before).as_secs_f64();
        match (bodies, packs_begun(m) > begun) {
            (0, _) => done.empty += 1,
            (_, true) => done.packs += 1,
            (_, false) => done.singles += 1,
        }
        any |= bodies > 0;
    }
    Ok(any)
}

fn reads(m: &Measured) -> f64 {
    m.world.stack.engines.meter().snapshot().units().read
}

fn packs_begun(m: &Measured) -> u64 {
    let counted = m.world.stack.engines.meter().snapshot();
    let calls = counted.rows.get("UpdateItem k").map_or(0, |count| count.calls);
    calls.min(counted.calls(ServiceName::DynamoDb, "UpdateItem"))
}
