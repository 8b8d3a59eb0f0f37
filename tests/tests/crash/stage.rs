//! One run of a story: a stack of its own, and the steps that the platform would
//! trigger, each of which may be cut off.

use std::collections::BTreeMap;
use std::future::Future;
use std::ops::Deref;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use carillon_domain::ProviderName;
use carillon_local::engines::Engines;
use carillon_local::options::People;
use carillon_local::poller::Mapping;
use carillon_local::{Options, Stack, rollup_feed};
use carillon_runtime::config::Tuning;
use carillon_simulator::{DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, DEFAULT_FROM, Received};
use carillon_store::Mechanism;
use carillon_tests::ADMIN_KEY;
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::sync::{Mutex as Turn, mpsc};
use tokio::task::JoinHandle;

use crate::front::Meeting;
use crate::person::Person;
use crate::plot::{Plot, WITHIN};
use crate::point::Step;
use crate::theatre::Theatre;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// Rounds of [`Stage::settle`].
const ROUNDS: usize = 300;

/// How a run is set up.
#[derive(Debug, Clone)]
pub struct Setting {
    pub tuning: Tuning,
    /// Over the defaults; without others there are no limits.
    pub settings: Value,
    /// Of the account, besides its sender.
    pub account: Value,
    /// A mechanism of safety that is taken away.
    pub without: Option<Mechanism>,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            tuning: Tuning {
                page_size: 5,
                pack_size: 3,
                call_seconds: 3,
                // One after the other, so that the n-th operation is always the same.
                calls_in_flight: 1,
                ..Tuning::default()
            },
            settings: json!({
                "quiet_hours": null, "max_per_contact_per_day": null, "max_per_hour": null,
            }),
            account: json!({}),
            without: None,
        }
    }
}

/// Cheap to clone; all clones are the same run.
#[derive(Clone)]
pub struct Stage(Arc<Inner>);

pub struct Inner {
    pub theatre: Arc<Theatre>,
    pub stack: Stack,
    pub plot: Arc<Plot>,
    pub router: Router,
    pub person: Person,
    reader: aws_sdk_dynamodb::Client,
    meetings: Turn<mpsc::UnboundedReceiver<Meeting>>,
    /// Steps that stand still.
    stalled: Mutex<Vec<JoinHandle<()>>>,
}

impl Deref for Stage {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Runs a step; `None` when it was cut off.
pub async fn within<T>(plot: &Plot, step: Step, work: impl Future<Output = T>) -> Option<T> {
    let serial = plot.begin(step);
    tokio::select! {
        biased;
        done = WITHIN.scope((step, serial), work) => Some(done),
        () = plot.hangs(serial) => None,
    }
}

impl Stage {
    /// A stack of its own, on the theatre's providers. Nothing counts yet.
    pub async fn set(
        theatre: &Arc<Theatre>,
        plot: Arc<Plot>,
        setting: &Setting,
        attempts: u32,
    ) -> Self {
        theatre.clear().await;
        let clock = theatre.clock.clone();
        let ticking = clock.clone();
        let engines = Engines::open(None, Arc::new(move || ticking.now())).expect("engines");
        let provider_urls: BTreeMap<_, _> =
            ProviderName::ALL.into_iter().map(|n| (n, theatre.front.url.clone())).collect();
        let options = Options {
            folder: None,
            clock,
            admin_key: ADMIN_KEY.to_owned(),
            public_url: theatre.url.clone(),
            console_url: theatre.url.clone(),
            people: People::Keys,
            provider_urls,
            mail_url: None,
            cors_origins: Vec::new(),
            installation_account: None,
            tuning: setting.tuning,
        };
        let mut stack =
            Stack::first(engines.with_attempts(attempts), options).await.expect("a stack");
        if let Some(mechanism) = setting.without {
            let ctx = Arc::get_mut(&mut stack.ctx).expect("nobody else has it yet");
            ctx.store.sabotage(mechanism);
        }
        let behind = theatre.simulator.url();
        let meetings = theatre.front.enter(Arc::clone(&plot), behind, theatre.http.clone());
        let (router, reader) = (stack.router(), stack.engines.dynamodb());
        theatre.enter(router.clone(), Arc::clone(&plot));
        stack.engines.faults().set(Shared(Arc::clone(&plot)));
        let stage = Self(Arc::new(Inner {
            theatre: Arc::clone(theatre),
            stack,
            plot,
            router,
            reader,
            person: Person::default(),
            meetings: Turn::new(meetings),
            stalled: Mutex::default(),
        }));
        let mut settings = json!({"from": DEFAULT_FROM, "rate_per_second": 1000});
        merge(&mut settings, &setting.account);
        let credentials =
            json!({"account_sid": DEFAULT_ACCOUNT_SID, "auth_token": DEFAULT_AUTH_TOKEN});
        let account = json!({"credentials": credentials, "settings": settings});
        let answer = stage.ask(Method::PUT, "/v1/integrations/twilio", Some(&account)).await;
        assert_eq!(answer.map(|(status, _)| status), Some(200));
        let settings = serde_json::from_value(setting.settings.clone()).expect("settings");
        let stored = stage.stack.ctx.store.put_settings(stage.stack.org, &settings).await;
        stored.expect("the table answers");
        stage
    }

    // ---- time ----

    /// So many minutes from now, as the API takes it.
    pub fn in_minutes(&self, minutes: i64) -> String {
        (self.stack.ctx.clock.now() + MINUTE * i32::try_from(minutes).expect("few")).to_string()
    }

    /// So many minutes, each with its tick and all that follows.
    pub async fn minutes(&self, minutes: i64) {
        for _ in 0..minutes {
            self.stack.ctx.clock.advance(MINUTE);
            self.tick().await;
        }
    }

    /// One firing of the schedule, and all that follows.
    pub async fn tick(&self) {
        self.fire().await;
        self.settle().await;
    }

    /// One firing of the schedule, and nothing that follows.
    pub async fn fire(&self) {
        let stack = self.stack.clone();
        self.step(Step::Tick, async move { stack.tick().await }).await;
    }

    /// Works until nothing more happens at this moment.
    pub async fn settle(&self) {
        for _ in 0..ROUNDS {
            let mut handled = 0;
            for mapping in Mapping::ALL {
                handled += self.poll(mapping).await;
            }
            handled += self.feed().await;
            handled += self.callbacks().await;
            if handled == 0 {
                return;
            }
        }
        panic!("it never gets quiet");
    }

    /// The stream's records go to rollup.
    pub async fn feed(&self) -> usize {
        let stack = self.stack.clone();
        let work = async move { rollup_feed::feed(&stack.ctx, &stack.engines).await };
        self.step(Step::Rollup, work).await.map_or(1, |fed| fed.unwrap_or(1))
    }

    /// The provider's callbacks that wait are made.
    pub async fn callbacks(&self) -> usize {
        self.theatre.simulator.flush_callbacks().await.expect("the simulator runs")
    }

    /// One event of a queue to its function.
    pub async fn poll(&self, mapping: Mapping) -> usize {
        let step = if mapping == Mapping::Receive { Step::Receiver } else { Step::Sender };
        let stack = self.stack.clone();
        let work = async move { mapping.poll(&stack.ctx, &stack.sqs, 0).await };
        self.step(step, work).await.map_or(1, |polled| polled.unwrap_or(1))
    }

    /// Runs a step to its end, or until it is cut off. One that stands still is
    /// kept until [`Self::release`].
    pub async fn step<T: Send + 'static>(
        &self,
        step: Step,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let serial = self.plot.begin(step);
        let work = WITHIN.scope((step, serial), work);
        if self.plot.point().is_some_and(|point| point.fault.is_stall()) {
            return self.may_stall(serial, work).await;
        }
        let mut work = pin!(work);
        let mut hangs = pin!(self.plot.hangs(serial));
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Some(done),
                () = &mut hangs => return None,
                (action, over) = self.meeting(step) => {
                    action(self.clone()).await;
                    let _ = over.send(());
                }
            }
        }
    }

    async fn may_stall<T: Send + 'static>(
        &self,
        serial: u64,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let mut work = tokio::spawn(work);
        let mut hangs = pin!(self.plot.hangs(serial));
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Some(done.expect("no panic")),
                () = &mut hangs => break,
                (action, over) = self.meeting(Step::Sender) => {
                    action(self.clone()).await;
                    let _ = over.send(());
                }
            }
        }
        let rest = tokio::spawn(async move {
            // Whatever comes of it, nobody waits for it any more.
            let _ = work.await;
        });
        self.stalled.lock().unwrap_or_else(PoisonError::into_inner).push(rest);
        None
    }

    async fn meeting(&self, step: Step) -> Meeting {
        if step != Step::Sender {
            return std::future::pending().await;
        }
        let meeting = self.meetings.lock().await.recv().await;
        match meeting {
            Some(meeting) => meeting,
            None => std::future::pending().await,
        }
    }

    /// Steps that stood still go on to their end.
    pub async fn release(&self) {
        self.plot.release();
        let stalled =
            std::mem::take(&mut *self.stalled.lock().unwrap_or_else(PoisonError::into_inner));
        for step in stalled {
            step.await.expect("no panic");
        }
    }

    // ---- what came of it ----

    /// For looking at the table from outside.
    pub fn reader(&self) -> &aws_sdk_dynamodb::Client {
        &self.reader
    }

    /// All that the providers were sent.
    pub async fn received(&self) -> Vec<Received> {
        self.theatre.simulator.received().await.expect("the simulator runs")
    }
}

/// The plot as the engines' layer takes it.
struct Shared(Arc<Plot>);

impl carillon_local::engines::Faults for Shared {
    fn before(
        &self,
        operation: &carillon_local::engines::Operation<'_>,
    ) -> carillon_local::engines::Verdict {
        self.0.before(operation)
    }

    fn hang(&self) -> futures::future::BoxFuture<'static, ()> {
        self.0.hang()
    }
}

pub fn merge(target: &mut Value, more: &Value) {
    for (name, value) in more.as_object().into_iter().flatten() {
        target[name] = value.clone();
    }
}
