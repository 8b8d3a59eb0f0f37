//! The two sends, step by step, and what each step cost.

use anyhow::{Result, ensure};
use carillon_local::engines::Snapshot;
use carillon_local::poller::Mapping;
use carillon_runtime::config::Tuning;
use carillon_tests::{Setup, World};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::formula::Change;
use crate::rollup::{self, Stream};

/// Recipients of the bulk send.
pub const MESSAGES: usize = 1_000;
const TEXT: &str =
    "Hi {{ name }}, your class with {{ coach }} begins at {{ time }}. Reply STOP to opt out.";

/// A step: what the engines counted, and what changed in the table.
pub struct Step {
    pub name: &'static str,
    pub counted: Snapshot,
    pub changes: Vec<Change>,
    /// Invocations by function.
    pub invocations: Vec<(&'static str, usize)>,
    /// Receives that found nothing; on AWS the pollers' own pace decides how many there are.
    pub empty_receives: u64,
    /// Its writes are in transactions.
    pub in_transactions: bool,
}

impl Step {
    pub fn formula(&self) -> f64 {
        self.factor() * self.changes.iter().map(Change::units).sum::<f64>()
    }

    /// What a transaction makes of a unit.
    pub fn factor(&self) -> f64 {
        if self.in_transactions { 2.0 } else { 1.0 }
    }

    /// Requests as billed, without receives that found nothing.
    pub fn queue_requests(&self) -> u64 {
        self.counted.billed_requests() - kms(&self.counted) - self.empty_receives
    }
}

/// Calls of KMS, which the meter counts as requests too.
pub fn kms(counted: &Snapshot) -> u64 {
    let calls = counted.operations.iter().filter(|(name, _)| name.starts_with("kms:"));
    calls.map(|(_, count)| count.calls).sum()
}

pub struct Run {
    pub steps: Vec<Step>,
    pub messages: usize,
    /// Of firings of the schedule that found nothing: they are the month's, not the message's.
    pub idle_reads: f64,
    /// Seconds that senders waited for slots: each costs its function's time.
    pub held: f64,
}

/// What a run begins with, over what the stories have.
#[derive(Default)]
pub struct Setting {
    /// Of the integration.
    pub integration: Value,
    /// Of the organization.
    pub settings: Value,
}

impl Run {
    /// Write units a message, as counted by the engine.
    pub fn writes(&self) -> f64 {
        self.a_message(self.steps.iter().map(|step| step.counted.units().write).sum())
    }

    pub fn reads(&self) -> f64 {
        let all: f64 = self.steps.iter().map(|step| step.counted.units().read).sum();
        self.a_message(all - self.idle_reads)
    }

    #[expect(clippy::cast_precision_loss, reason = "a thousand")]
    pub fn a_message(&self, total: f64) -> f64 {
        total / self.messages as f64
    }

    /// The engine's figures and the formula's are the same, step by step.
    pub fn agrees(&self) -> Result<()> {
        for step in &self.steps {
            let (counted, formula) = (step.counted.units().write, step.formula());
            let failed: u64 = step.counted.operations.values().map(|c| c.failed_conditions).sum();
            ensure!(
                failed > 0 || (counted - formula).abs() < 0.01,
                "{}: the engine counted {counted} write units, the formula says {formula}",
                step.name
            );
        }
        Ok(())
    }
}

/// Takes the measurements of one run.
pub struct Measured {
    pub world: World,
    stream: Stream,
    shards: usize,
    steps: Vec<Step>,
    webhooks: usize,
    pub held: f64,
    pub idle_reads: f64,
}

impl Measured {
    pub async fn start(shards: usize, setting: &Setting) -> Result<Self> {
        let mut setup = Setup { tuning: Tuning::default(), ..Setup::default() };
        for (name, value) in setting.settings.as_object().into_iter().flatten() {
            setup.settings[name] = value.clone();
        }
        let world = World::with(setup).await;
        if !setting.integration.is_null() {
            world.set_up_twilio(setting.integration.clone()).await;
        }
        // What is read once a start (secrets) is read before anything is counted.
        world.stack.ctx.address_secret().await?;
        world.stack.ctx.accounts(world.stack.org).await?;
        let mut stream = Stream::default();
        stream.read(&world).await?;
        world.stack.engines.meter().reset();
        Ok(Self {
            world,
            stream,
            shards,
            steps: Vec::new(),
            webhooks: 0,
            held: 0.0,
            idle_reads: 0.0,
        })
    }

    /// Ends a step, and feeds rollup with what it changed: one batching window.
    pub async fn ended(
        &mut self,
        name: &'static str,
        rollup: &'static str,
        invocations: Vec<(&'static str, usize)>,
        empty_receives: u64,
    ) -> Result<()> {
        let counted = self.world.stack.engines.meter().reset();
        let records = self.stream.read(&self.world).await?;
        let changes =
            records.iter().filter(Change::is_written).map(Change::read).collect::<Result<_>>()?;
        let in_transactions = false;
        self.steps.push(Step {
            name,
            counted,
            changes,
            invocations,
            empty_receives,
            in_transactions,
        });
        let (invoked, changes) =
            rollup::window(&self.world, &mut self.stream, records, self.shards).await?;
        if invoked > 0 {
            let counted = self.world.stack.engines.meter().reset();
            let invocations = vec![("rollup", invoked)];
            let (empty_receives, in_transactions) = (0, true);
            let name = rollup;
            self.steps.push(Step {
                name,
                counted,
                changes,
                invocations,
                empty_receives,
                in_transactions,
            });
        }
        Ok(())
    }

    /// Polls until nothing comes; answers invocations and receives that found nothing.
    async fn poll(&self, mapping: Mapping) -> Result<(usize, u64)> {
        let mut invocations = 0;
        while mapping.poll(&self.world.stack.ctx, &self.world.stack.sqs, 0).await? > 0 {
            invocations += 1;
        }
        Ok((invocations, 1))
    }

    pub async fn receipts(&mut self) -> Result<()> {
        self.webhooks = self.world.simulator.flush_callbacks().await?;
        let (received, empty) = self.poll(Mapping::Receive).await?;
        let invocations = vec![("webhook", self.webhooks), ("receiver", received)];
        self.ended("receipts", "rollup after receipts", invocations, empty).await
    }

    /// Every message is delivered, each was received once, and the counters say so.
    pub async fn finished(self, messages: usize) -> Result<Run> {
        let stats = self.world.simulator.stats().await?;
        ensure!(
            stats.accepted == messages as u64 && stats.duplicates.is_empty(),
            "not each was received once"
        );
        let counted = self.world.get("/v1/stats").await.ok(200);
        ensure!(counted["total_delivered"] == messages as u64, "{counted}");
        let Self { steps, held, idle_reads, .. } = self;
        Ok(Run { steps, messages, held, idle_reads })
    }
}

impl Measured {
    /// A file of [`MESSAGES`].
    pub async fn upload(&mut self) -> Result<()> {
        let mut file = "phone,name,coach,time\n".to_owned();
        for row in 0..MESSAGES {
            let number = 345_000 + row;
            file.push_str(&format!("+61412{number:06},Ada Lovelace {row},Grace Hopper,7:30 PM\n"));
        }
        self.world.import(file.as_bytes(), TEXT, &[]).await;
        self.ended("upload", "", vec![("admin-api", 1)], 0).await
    }

    /// A day later the packs are closed.
    pub async fn reconcile(&mut self) -> Result<()> {
        self.world.stack.ctx.clock.advance(SignedDuration::from_hours(25));
        self.world.stack.tick().await;
        let (closed, empty) = self.poll(Mapping::SmsBulk).await?;
        let invocations = vec![("queue-processor", 1), ("sender", closed)];
        self.ended("reconcile, a day later", "", invocations, empty).await
    }

    pub async fn accept_single(&mut self, name: &'static str, rollup: &'static str) -> Result<()> {
        let variables = json!({"name": "Ada Lovelace", "coach": "Grace Hopper", "time": "7:30 PM"});
        self.world.send("+61412345678", TEXT, json!({"variables": variables})).await;
        self.ended(name, rollup, vec![("admin-api", 1)], 0).await
    }
}

pub async fn bulk(shards: usize, setting: &Setting) -> Result<Run> {
    let mut m = Measured::start(shards, setting).await?;
    m.upload().await?;
    let report = m.world.stack.tick().await;
    ensure!(report.errors == 0, "{report:?}");
    m.ended("plan and dispatch", "rollup after planning", vec![("queue-processor", 1)], 0).await?;

    let (sent, empty) = m.poll(Mapping::SmsBulk).await?;
    m.ended("send", "rollup after sending", vec![("sender", sent)], empty).await?;
    m.receipts().await?;
    m.reconcile().await?;
    m.finished(MESSAGES).await
}

pub async fn single(setting: &Setting) -> Result<Run> {
    let mut m = Measured::start(crate::SHARDS, setting).await?;
    m.accept_single("accept", "rollup after accepting").await?;
    let (sent, empty) = m.poll(Mapping::SmsTransactional).await?;
    m.ended("send", "rollup after sending", vec![("sender", sent)], empty).await?;
    m.receipts().await?;
    m.finished(1).await
}
