//! One run of a story: a stack of its own, the person who uses its API, and the
//! steps that the platform would trigger, each of which may be cut off.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::ops::Deref;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use carillon_domain::ProviderName;
use carillon_local::engines::Engines;
use carillon_local::poller::Mapping;
use carillon_local::{Options, Stack, rollup_feed};
use carillon_runtime::config::Tuning;
use carillon_simulator::{
    DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, DEFAULT_FROM, Inbound, Received,
};
use carillon_store::Mechanism;
use carillon_tests::people::mobile;
use carillon_tests::{ADMIN_KEY, file_form};
use http::{Method, Request, header};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::sync::{Mutex as Turn, mpsc};
use tokio::task::JoinHandle;
use tower::ServiceExt;

use crate::front::{Interlude, Meeting};
use crate::plot::{Plot, WITHIN};
use crate::point::Step;
use crate::theatre::Theatre;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// How often a client repeats a request that brought no answer.
const REPEATS: usize = 5;
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

/// What the API answered 2xx for.
#[derive(Debug, Clone)]
pub enum Promise {
    Message { id: String },
    Import { id: String, numbers: BTreeSet<String>, duplicates: u64, rejected: u64 },
}

/// Cheap to clone; all clones are the same run.
#[derive(Clone)]
pub struct Stage(Arc<Inner>);

pub struct Inner {
    pub theatre: Arc<Theatre>,
    pub stack: Stack,
    pub plot: Arc<Plot>,
    router: Router,
    reader: aws_sdk_dynamodb::Client,
    promised: Mutex<Vec<Promise>>,
    keys: Mutex<u32>,
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
            provider_urls,
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
            promised: Mutex::default(),
            keys: Mutex::default(),
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

    // ---- what a story does ----

    /// Sends an SMS to the n-th person. Answers its id, if it was promised.
    pub async fn send(&self, person: u32, more: Value) -> Option<String> {
        let mut body = json!({"channel": "sms", "to": mobile(person), "body": "Hi"});
        merge(&mut body, &more);
        let (status, answer) = self.ask(Method::POST, "/v1/messages", Some(&body)).await?;
        assert_eq!(status, 202, "{answer}");
        let id = answer["id"].as_str().expect("an id").to_owned();
        self.promise(Promise::Message { id: id.clone() });
        Some(id)
    }

    /// Uploads a file for these people; a repeated one counts as a duplicate.
    /// One row besides is no number. Answers the import, if it was promised.
    pub async fn bulk(&self, people: &[u32], more: &[(&str, &str)]) -> Option<String> {
        let mut csv = "phone,name\n".to_owned();
        for person in people {
            csv.push_str(&format!("{},Ann\n", mobile(*person)));
        }
        csv.push_str("not a number,Bob\n");
        let fields = [&[("channel", "sms"), ("body", "Hi {{ name }}")], more].concat();
        let (kind, form) = file_form(csv.as_bytes(), &fields);
        let path = "/v1/messages/bulk";
        let (status, answer) = self.request(Method::POST, path, &kind, form.into()).await?;
        assert_eq!(status, 202, "{answer}");
        let id = answer["id"].as_str().expect("an id").to_owned();
        let numbers: BTreeSet<String> = people.iter().copied().map(mobile).collect();
        let duplicates = u64::try_from(people.len() - numbers.len()).expect("few");
        self.promise(Promise::Import { id: id.clone(), numbers, duplicates, rejected: 1 });
        Some(id)
    }

    /// A request without a key of its own; repeated as any other. Answers the
    /// status and the body, unless there never was an answer.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Option<(u16, Value)> {
        let body = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        self.request(method, path, "application/json", body).await
    }

    /// What the list shows for a query.
    pub async fn list(&self, query: &str) -> Vec<Value> {
        let answer = self.ask(Method::GET, &format!("/v1/messages?limit=200&{query}"), None).await;
        let data = answer.map(|(_, answer)| answer["data"].clone());
        data.and_then(|data| data.as_array().cloned()).unwrap_or_default()
    }

    /// The n-th person writes; the provider brings it at the next rest.
    pub async fn person_writes(&self, person: u32, words: &str) {
        let inbound = Inbound {
            from: mobile(person),
            to: DEFAULT_FROM.to_owned(),
            body: words.to_owned(),
            ..Inbound::default()
        };
        self.theatre.simulator.inbound(inbound).await.expect("the simulator runs");
    }

    /// During a call to the provider something else is done.
    pub fn meanwhile(&self, interlude: Interlude) {
        self.theatre.front.plan(interlude);
    }

    /// The providers behave otherwise from now on.
    pub async fn providers(&self, patch: Value) {
        self.theatre.simulator.configure(patch).await.expect("known settings");
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

    pub fn promised(&self) -> Vec<Promise> {
        self.promised.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// For looking at the table from outside.
    pub fn reader(&self) -> &aws_sdk_dynamodb::Client {
        &self.reader
    }

    /// All that the providers were sent.
    pub async fn received(&self) -> Vec<Received> {
        self.theatre.simulator.received().await.expect("the simulator runs")
    }

    fn promise(&self, promise: Promise) {
        self.promised.lock().unwrap_or_else(PoisonError::into_inner).push(promise);
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: Vec<u8>,
    ) -> Option<(u16, Value)> {
        let key = {
            let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            *keys += 1;
            keys.to_string()
        };
        for _ in 0..REPEATS {
            let request = Request::builder()
                .method(method.clone())
                .uri(path)
                .header(header::AUTHORIZATION, format!("Bearer {ADMIN_KEY}"))
                .header(header::CONTENT_TYPE, kind)
                .header("idempotency-key", &key)
                .body(Body::from(body.clone()))
                .expect("a request");
            let router = self.router.clone();
            let work = async move {
                let response = router.oneshot(request).await.expect("infallible");
                let status = response.status().as_u16();
                let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
                (status, body.expect("a body"))
            };
            match self.step(Step::Api, work).await {
                Some((status, body)) if status < 500 => {
                    return Some((status, serde_json::from_slice(&body).unwrap_or(Value::Null)));
                }
                _ => {}
            }
        }
        None
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

fn merge(target: &mut Value, more: &Value) {
    for (name, value) in more.as_object().into_iter().flatten() {
        target[name] = value.clone();
    }
}
