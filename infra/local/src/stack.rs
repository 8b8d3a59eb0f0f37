//! One stack: engines, context, and the steps that the platform would trigger.

use std::net::SocketAddr;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::Next;
use axum::response::Response;
use carillon_admin_api::client::Peer;
use carillon_domain::message::{Message, State};
use carillon_domain::{Lane, OrgId};
use carillon_issuer::Issuer;
use carillon_queue_processor::Report;
use carillon_runtime::config::{Config, QueueUrls};
use carillon_runtime::mail::Mail;
use carillon_runtime::{Context, random};
use carillon_simulator as simulator;
use carillon_store::{DueEntry, DueKind, StoreError, keys, schema};
use jiff::{SignedDuration, Timestamp};

use crate::bucket::{self, Bucket};
use crate::engines::kms::FILE_KEY;
use crate::engines::{Engines, REGION};
use crate::first_visit::FirstVisit;
use crate::options::{Options, People};
use crate::poller::Mapping;
use crate::{issuer, queues, rollup_feed};

pub const TABLE: &str = "carillon";
/// One person's machine: limits are there, and seldom met.
const API_REQUESTS_PER_SECOND: u32 = 10_000;
const FAILED_KEYS_PER_MINUTE: u32 = 1_000;
/// The queue processor's time, as in the template.
const PROCESSOR_SECONDS: i64 = 55;
/// Leases that a killed process left behind end within this time.
const LONGEST_LEASE: SignedDuration = SignedDuration::from_mins(60);
/// Rows that are looked at each minute, whether they are over.
const EXPIRED_A_TICK: usize = 500;
/// Rounds of [`Stack::settle`]; a stack that is busy after as many never rests.
const ROUNDS: usize = 100_000;

/// Tells the API where a request came from, as API Gateway does on AWS.
async fn seen_by(mut request: Request, next: Next) -> Response {
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
        let peer = Peer(peer.ip());
        request.extensions_mut().insert(peer);
    }
    next.run(request).await
}

/// Cheap to clone; all clones are the same stack.
#[derive(Clone)]
pub struct Stack {
    pub ctx: Arc<Context>,
    pub engines: Engines,
    pub sqs: aws_sdk_sqs::Client,
    pub org: OrgId,
    /// The built-in one, where it is used.
    pub issuer: Option<Issuer>,
    /// The link that is printed at the start.
    pub first_visit: FirstVisit,
    /// Large files.
    pub bucket: Bucket,
}

impl Stack {
    /// Opens the engines, makes what is missing (table, queues, the first
    /// organization) and takes back what an earlier process had begun.
    ///
    /// # Errors
    /// When the folder is in use or cannot be read.
    pub async fn open(options: Options) -> anyhow::Result<Self> {
        let clock = options.clock.clone();
        let engines = Engines::open(options.folder.as_deref(), Arc::new(move || clock.now()))?;
        // In memory there is no earlier process.
        if options.folder.is_none() {
            return Self::first(engines, options).await;
        }
        Self::on(engines, options).await
    }

    /// A stack on engines that are there: a new process on an old table.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn on(engines: Engines, options: Options) -> anyhow::Result<Self> {
        Self::on_table(engines, options, TABLE).await
    }

    /// A stack on a table of another name, such as a restored one.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn on_table(engines: Engines, options: Options, table: &str) -> anyhow::Result<Self> {
        let born = options.clock.now();
        let stack = Self::assemble(engines, options, table).await?;
        // The first start marks the table; a copy is left as it is.
        if !stack.ctx.is_held().await? {
            stack.take_back(born).await?;
        }
        Ok(stack)
    }

    /// A stack on engines that nobody used before.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn first(engines: Engines, options: Options) -> anyhow::Result<Self> {
        let stack = Self::assemble(engines, options, TABLE).await?;
        // The first start marks the table as its own.
        anyhow::ensure!(!stack.ctx.is_held().await?, "the table is not new");
        Ok(stack)
    }

    async fn assemble(engines: Engines, options: Options, table: &str) -> anyhow::Result<Self> {
        let dynamodb = engines.dynamodb();
        schema::create_table(&dynamodb, table).await?;
        let sqs = engines.sqs();
        let queues: QueueUrls = queues::create(&sqs).await?;
        let (issuer, sign_in) = match options.people {
            People::Keys => (None, None),
            People::Issuer(sign_in) => (None, Some(sign_in)),
            People::BuiltIn => {
                let clock = options.clock.clone();
                let clock = Arc::new(move || clock.now());
                let (issuer, sign_in) = issuer::at(&options.console_url, clock);
                (Some(issuer), Some(sign_in))
            }
        };
        let config = Config {
            table: table.to_owned(),
            queues,
            kms_key: FILE_KEY.to_owned(),
            kms_keys_before: Vec::new(),
            pages_url: Some(options.public_url.clone()),
            public_url: Some(options.public_url),
            files_bucket: None,
            mail_from: options.mail_url.is_some().then(|| simulator::MAIL_FROM.to_owned()),
            admin_key_sha256: None,
            provider_urls: options.provider_urls,
            sign_in,
            console_url: Some(options.console_url),
            cors_origins: options.cors_origins,
            api_requests_per_second: API_REQUESTS_PER_SECOND,
            failed_keys_per_minute: FAILED_KEYS_PER_MINUTE,
            installation_account: options.installation_account,
            tuning: options.tuning,
        };
        let born = options.clock.now();
        let console_url = config.console_url.clone().unwrap_or_default();
        let bucket = Bucket::open(options.folder.as_deref(), &console_url, options.clock.clone())?;
        let mut ctx = Context::new(config, dynamodb, sqs.clone(), engines.kms(), options.clock)?;
        ctx.files = Some(bucket.files(ctx.providers.clone()));
        ctx.mail = options.mail_url.zip(ctx.config.mail_from.clone()).map(|(url, from)| {
            let (id, secret) = (simulator::MAIL_KEY_ID, simulator::MAIL_SECRET_KEY);
            let credentials = Credentials::new(id, secret, None, None, "simulator");
            let credentials = SharedCredentialsProvider::new(credentials);
            Mail::new(url, REGION, from, credentials, ctx.providers.clone())
        });
        ctx.sole_worker_since = Some(born);
        ctx.table_id = engines.tables().table_id(table).await?;
        let ctx = Arc::new(ctx);
        let hash = carillon_admin_api::first_organization::hash(&options.admin_key);
        let org = carillon_admin_api::first_organization::ensure(&ctx, &hash).await?;
        if issuer.is_some() {
            issuer::invite_everybody(&ctx, org).await?;
        }
        Ok(Self { ctx, engines, sqs, org, issuer, first_visit: FirstVisit::default(), bucket })
    }

    /// The HTTP face: API, webhooks and console.
    pub fn router(&self) -> Router {
        let router = carillon_admin_api::router(Arc::clone(&self.ctx))
            .merge(carillon_webhook::router(Arc::clone(&self.ctx)))
            .merge(carillon_console::router(Arc::clone(&self.ctx)))
            .merge(self.first_visit.router(Arc::clone(&self.ctx)))
            .nest(bucket::PATH, self.bucket.router());
        let router = match &self.issuer {
            Some(issuer) => router.nest(issuer::PATH, issuer.router()),
            None => router,
        };
        router.layer(axum::middleware::from_fn(seen_by))
    }

    /// One firing of the minute schedule.
    pub async fn tick(&self) -> Report {
        let deadline = self.ctx.clock.now() + SignedDuration::from_secs(PROCESSOR_SECONDS);
        let report = Box::pin(carillon_queue_processor::run(&self.ctx, deadline)).await;
        // What DynamoDB does by itself, within days.
        if let Err(error) = self.expire(EXPIRED_A_TICK).await {
            tracing::warn!(%error, "rows that are over stay for now");
        }
        report
    }

    /// Lets rows go whose time to live is over, of the next `looked_at` rows. Answers how many,
    /// and whether the end of the table was reached.
    ///
    /// # Errors
    /// When the table's file cannot be read.
    pub async fn expire(&self, looked_at: usize) -> anyhow::Result<(usize, bool)> {
        let (tables, table) = (self.engines.tables(), self.ctx.store.table_name());
        Ok(tables.expire(table, self.ctx.clock.now(), looked_at).await?)
    }

    /// Works off what is on the queues and in the stream, until there is
    /// nothing more to do now. Answers how many events were handled.
    ///
    /// # Errors
    /// When an engine does not answer, or it never comes to rest.
    pub async fn settle(&self) -> anyhow::Result<usize> {
        let mut handled = 0;
        for _ in 0..ROUNDS {
            let mut round = 0;
            for mapping in Mapping::ALL {
                round += mapping.poll(&self.ctx, &self.sqs, 0).await?;
            }
            round += rollup_feed::feed(&self.ctx, &self.engines).await?;
            if round == 0 {
                return Ok(handled);
            }
            handled += round;
        }
        anyhow::bail!("the stack does not come to rest")
    }

    /// This process is the only worker: what an earlier one had leased or was
    /// calling when it ended is due now instead of when its lease runs out.
    async fn take_back(&self, now: Timestamp) -> anyhow::Result<()> {
        let store = &self.ctx.store;
        for lane in Lane::ALL {
            for shard in 0..keys::DUE_SHARDS {
                let until = now + LONGEST_LEASE;
                for entry in store.due(lane, shard, until, i32::from(i16::MAX)).await?.entries {
                    if entry.at > now
                        && let Some(due) = self.due_without_lease(&entry, now).await?
                    {
                        store.lease(&entry, due, &random::token()).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// When an entry is due that an earlier process had leased; `None` where it
    /// had not.
    async fn due_without_lease(
        &self,
        entry: &DueEntry,
        now: Timestamp,
    ) -> anyhow::Result<Option<Timestamp>> {
        match entry.kind {
            // Generation 0 still waits for its own time.
            DueKind::Pack(_)
            | DueKind::Import(_)
            | DueKind::ContactImport(_)
            | DueKind::ContactExport(_)
            | DueKind::Workshop(_) => Ok((entry.generation > 0).then_some(now)),
            // What was done of it is saved; the rest can wait.
            DueKind::Erasure(_) | DueKind::Booking(_) => Ok(None),
            DueKind::Message(id) => match self.ctx.store.message(entry.org, id).await {
                Ok(Some(m)) => Ok(self.due_message(&m, entry, now)),
                // What cannot be read is given up by whoever leases it in its time.
                Ok(None) | Err(StoreError::Corrupt { .. }) => Ok(None),
                Err(error) => Err(error.into()),
            },
        }
    }

    fn due_message(&self, m: &Message, entry: &DueEntry, now: Timestamp) -> Option<Timestamp> {
        match m.state {
            State::Sending { .. } => Some(now),
            // Born on its way to a queue that is gone.
            State::Scheduled if m.attempts.is_empty() && m.scheduled_for <= now => Some(now),
            // Leased by the dispatcher, up to a minute before its time: that time
            // counts, since a look-up that comes early may find nothing yet.
            State::Scheduled | State::Unknown { .. } if m.idle > 0 => {
                let tuning = &self.ctx.config.tuning;
                // So near, it may be its own time, set by an earlier start.
                if entry.at <= now + tuning.look_ahead() {
                    return None;
                }
                let lease = tuning.queue_lease(entry.at).duration_since(entry.at);
                Some((entry.at - lease).max(now))
            }
            // A retry, a schedule, the next look-up waits for its own time.
            State::Scheduled
            | State::Unknown { .. }
            | State::Accepted { .. }
            | State::Delivered { .. }
            | State::Read { .. }
            | State::Failed { .. }
            | State::Cancelled { .. }
            | State::Suppressed { .. }
            | State::Received => None,
        }
    }
}
