//! A stack, the providers it writes to, and a person who uses its API.
//!
//! Nothing moves by itself: callbacks are held until [`World::settle`] lets
//! them go, the clock stands until [`World::advance`].

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;

use aws_lambda_events::dynamodb::Event;
use carillon_domain::ProviderName;
use carillon_local::options::People;
use carillon_local::poller::Mapping;
use carillon_local::stack::TABLE;
use carillon_local::{Options, Stack};
use carillon_runtime::Clock;
use carillon_runtime::config::{InstallationAccount, Tuning};
use carillon_simulator::{
    DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, DEFAULT_FROM, Inbound, Received, Running, Simulator,
};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Answer;
use crate::gateway::{self, Busy};

/// The first organization's key.
pub const ADMIN_KEY: &str = "crl_story";
const START: &str = "2026-11-21T09:00:00Z";
const LOCAL: &str = "127.0.0.1";
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// Rounds of [`World::settle`]; a story that is busy after as many never ends.
const ROUNDS: usize = 500;

/// What a world begins with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Small by default, so that a dozen messages cross every boundary.
    pub tuning: Tuning,
    /// What the console is called; by default as the stack listens.
    pub console_host: &'static str,
    /// Whom people sign in with; nobody by default.
    pub people: People,
    /// Whose scripts may call the API from a browser.
    pub cors_origins: Vec<String>,
    /// Sends for organizations without an account of their own.
    pub installation_account: Option<InstallationAccount>,
    /// Whether the organization has an account with Twilio.
    pub twilio: bool,
    /// Settings at the start, over the defaults. Without others no limits and no quiet hours:
    /// what a story is not about does not get in its way.
    pub settings: Value,
    /// Twilio is reached through a busy gateway.
    pub busy: Option<Busy>,
    /// Instead of the one that a story moves by hand.
    pub clock: Option<Clock>,
    /// Each record of the table's stream is delivered twice, and kept for
    /// [`World::feed_again`].
    pub repeat_stream: bool,
    /// Where the tables and the key are kept; `None`: in memory.
    pub folder: Option<std::path::PathBuf>,
    /// What the clock shows at the start; what a story is about may depend on it.
    pub start: Option<Timestamp>,
}

impl Default for Setup {
    fn default() -> Self {
        let tuning = Tuning { page_size: 5, pack_size: 3, call_seconds: 3, ..Tuning::default() };
        let settings = json!({
            "quiet_hours": null, "max_per_contact_per_day": null, "max_per_hour": null,
        });
        Self {
            tuning,
            console_host: LOCAL,
            people: People::Keys,
            cors_origins: Vec::new(),
            installation_account: None,
            twilio: true,
            settings,
            busy: None,
            clock: None,
            repeat_stream: false,
            folder: None,
            start: None,
        }
    }
}

pub struct World {
    pub stack: Stack,
    pub simulator: Running,
    /// Where the API and the webhooks are.
    pub url: String,
    http: reqwest::Client,
    pub(crate) server: JoinHandle<()>,
    /// Events that rollup was given, when they are kept.
    fed: Option<Mutex<Vec<Value>>>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl World {
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// # Panics
    /// When it cannot be set up.
    pub async fn with(setup: Setup) -> Self {
        // Who calls back must be told the address before anyone serves there.
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let start = setup.start.unwrap_or_else(|| START.parse().expect("a time"));
        let clock = setup.clock.unwrap_or_else(|| Clock::manual(start));
        let providers_clock = clock.clone();
        let simulator = Simulator::start(carillon_simulator::Options {
            clock: std::sync::Arc::new(move || providers_clock.now()),
            settings: json!({
                "callbacks": {"hold": true, "delay_ms": 0},
                "twilio_inbound_url": format!("{url}/webhooks/twilio/inbound"),
            }),
            ..carillon_simulator::Options::default()
        })
        .await
        .expect("the simulator starts");
        let http = client();
        let mut provider_urls: BTreeMap<_, _> =
            ProviderName::ALL.into_iter().map(|name| (name, simulator.url())).collect();
        if let Some(busy) = setup.busy {
            let front = gateway::start(busy, simulator.url(), http.clone()).await;
            provider_urls.insert(ProviderName::Twilio, front);
        }
        let stack = Stack::open(Options {
            folder: setup.folder,
            clock,
            admin_key: ADMIN_KEY.to_owned(),
            public_url: url.clone(),
            console_url: url.replace(LOCAL, setup.console_host),
            people: setup.people,
            provider_urls,
            mail_url: Some(simulator.url()),
            cors_origins: setup.cors_origins,
            installation_account: setup.installation_account,
            tuning: setup.tuning,
        })
        .await
        .expect("the stack opens");
        let router = stack.router();
        let server = tokio::spawn(async move {
            let router = router.into_make_service_with_connect_info::<SocketAddr>();
            axum::serve(listener, router).await.expect("the server serves");
        });
        let fed = setup.repeat_stream.then(Mutex::default);
        let world = Self { stack, simulator, url, http, server, fed };
        if setup.twilio {
            world.set_up_twilio(json!({})).await;
        }
        let settings = serde_json::from_value(setup.settings).expect("settings");
        let stored = world.stack.ctx.store.put_settings(world.stack.org, &settings).await;
        stored.expect("the table answers");
        world
    }

    /// The organization's account with Twilio, with these settings besides its
    /// sender.
    ///
    /// # Panics
    /// When the API refuses it.
    pub async fn set_up_twilio(&self, settings: Value) {
        let mut integration = json!({
            "credentials": {
                "account_sid": DEFAULT_ACCOUNT_SID, "auth_token": DEFAULT_AUTH_TOKEN,
            },
            "settings": {"from": DEFAULT_FROM, "rate_per_second": 1000},
        });
        for (name, value) in settings.as_object().into_iter().flatten() {
            integration["settings"][name] = value.clone();
        }
        let _ = self.put("/v1/integrations/twilio", &integration).await.ok(200);
    }

    // ---- the API ----

    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// A request of the organization's admin.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_by(ADMIN_KEY, method, path)
    }

    /// A request with another key.
    pub fn request_by(&self, key: &str, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).bearer_auth(key)
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::to(with_json(self.request(Method::POST, path), body)).await
    }

    /// With an `Idempotency-Key`.
    pub async fn post_once(&self, path: &str, key: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, path).header("idempotency-key", key);
        Answer::to(with_json(request, body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        Answer::to(with_json(self.request(Method::PUT, path), body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        Answer::to(with_json(self.request(Method::PATCH, path), body)).await
    }

    /// Sends an SMS; `more` are further fields. Answers its id.
    ///
    /// # Panics
    /// When it is not taken.
    pub async fn send(&self, to: &str, text: &str, more: Value) -> String {
        let mut body = json!({"channel": "sms", "to": to, "body": text});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let answer = self.post("/v1/messages", &body).await.ok(202);
        answer["id"].as_str().expect("an id").to_owned()
    }

    /// # Panics
    /// When there is no such message.
    pub async fn message(&self, id: &str) -> Value {
        self.get(&format!("/v1/messages/{id}")).await.ok(200)
    }

    /// The list for a query (`status=failed`), walked to its end.
    ///
    /// # Panics
    /// When it has no end.
    pub async fn list(&self, query: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        for _ in 0..ROUNDS {
            let page = self.get(&format!("/v1/messages?{query}{cursor}")).await.ok(200);
            all.extend(page["data"].as_array().expect("a list").iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
        panic!("the list of {query} has no end");
    }

    /// Uploads a file to `POST /v1/messages/bulk`.
    pub async fn upload(&self, file: &[u8], fields: &[(&str, &str)]) -> Answer {
        let request = self.request(Method::POST, "/v1/messages/bulk");
        Answer::to(with_file(request, file, fields)).await
    }

    /// Uploads a file of SMS; answers the import's id.
    ///
    /// # Panics
    /// When it is not taken.
    pub async fn import(&self, file: &[u8], body: &str, more: &[(&str, &str)]) -> String {
        let fields = [&[("channel", "sms"), ("body", body)], more].concat();
        let import = self.upload(file, &fields).await.ok(202);
        import["id"].as_str().expect("an id").to_owned()
    }

    /// # Panics
    /// When there is no such import.
    pub async fn import_of(&self, id: &str) -> Value {
        self.get(&format!("/v1/imports/{id}")).await.ok(200)
    }

    // ---- time ----

    pub fn now(&self) -> Timestamp {
        self.stack.ctx.clock.now()
    }

    /// So many minutes from now, as the API takes it.
    pub fn in_minutes(&self, minutes: i64) -> String {
        (self.now() + SignedDuration::from_mins(minutes)).to_string()
    }

    /// Works until nothing more happens at this moment: queues, stream,
    /// callbacks.
    ///
    /// # Panics
    /// When there is no end to it.
    pub async fn settle(&self) {
        for _ in 0..ROUNDS {
            let handled = self.work().await;
            let called = self.simulator.flush_callbacks().await.expect("the simulator runs");
            if handled == 0 && called == 0 {
                return;
            }
        }
        panic!("it never gets quiet");
    }

    /// One firing of the minute schedule, and all that follows from it.
    ///
    /// # Panics
    /// When something failed in it.
    pub async fn tick(&self) {
        let report = self.stack.tick().await;
        assert_eq!(report.errors, 0, "{report:?}");
        self.settle().await;
    }

    /// Lets time pass, with its minutes.
    pub async fn advance(&self, minutes: i64) {
        for _ in 0..minutes {
            self.stack.ctx.clock.advance(MINUTE);
            self.tick().await;
        }
    }

    /// Time passes without the schedule; nothing is done in it.
    pub fn skip(&self, minutes: i64) {
        self.stack.ctx.clock.advance(SignedDuration::from_mins(minutes));
    }

    async fn work(&self) -> usize {
        let Some(fed) = &self.fed else {
            return self.stack.settle().await.expect("the stack settles");
        };
        let mut handled = 0;
        for mapping in Mapping::ALL {
            let polled = mapping.poll(&self.stack.ctx, &self.stack.sqs, 0).await;
            handled += polled.expect("the queue answers");
        }
        let tables = self.stack.engines.tables();
        let cursor = tables.stream_cursor(TABLE).await.expect("a cursor");
        let records = tables.read_stream(TABLE, cursor, 100).await.expect("the stream");
        let Some(last) = records.last().map(|r| r.sequence.clone()) else { return handled };
        handled += records.len();
        let event = json!({"Records": records.into_iter().map(|r| r.event).collect::<Vec<_>>()});
        for _ in 0..2 {
            self.roll_up(event.clone()).await;
        }
        fed.lock().expect("no panic").push(event);
        tables.set_stream_cursor(TABLE, last.clone()).await.expect("the cursor moves");
        tables.trim_stream(TABLE, last).await.expect("the stream is trimmed");
        handled
    }

    /// Gives rollup all events again, last ones first.
    ///
    /// # Panics
    /// When they were not kept.
    pub async fn feed_again(&self) -> usize {
        let fed = self.fed.as_ref().expect("a world that keeps its stream");
        let events = fed.lock().expect("no panic").clone();
        for event in events.iter().rev().chain(&events) {
            self.roll_up(event.clone()).await;
        }
        events.len()
    }

    /// The events that rollup was given.
    ///
    /// # Panics
    /// When they were not kept.
    pub fn fed(&self) -> Vec<Value> {
        let fed = self.fed.as_ref().expect("a world that keeps its stream");
        fed.lock().expect("no panic").clone()
    }

    async fn roll_up(&self, event: Value) {
        let event: Event = serde_json::from_value(event).expect("an event");
        carillon_rollup::handle(&self.stack.ctx, event).await.expect("rollup counts");
    }

    // ---- the providers ----

    /// Changes the simulator's settings by a merge patch.
    ///
    /// # Panics
    /// When it does not know them.
    pub async fn providers(&self, patch: Value) {
        self.simulator.configure(patch).await.expect("known settings");
    }

    /// All that the providers were sent, refused or not, in order.
    ///
    /// # Panics
    /// When the simulator has ended.
    pub async fn received(&self) -> Vec<Received> {
        self.simulator.received().await.expect("the simulator runs")
    }

    /// What the providers took for this number.
    pub async fn accepted_for(&self, number: &str) -> Vec<Received> {
        let mut received = self.received().await;
        received.retain(|r| r.accepted && r.to == number);
        received
    }

    /// A person writes; the webhook must take it.
    ///
    /// # Panics
    /// When it does not.
    pub async fn person_writes(&self, from: &str, body: &str) {
        let inbound = Inbound {
            from: from.to_owned(),
            to: DEFAULT_FROM.to_owned(),
            body: body.to_owned(),
            ..Inbound::default()
        };
        let answer = self.simulator.inbound(inbound).await.expect("the simulator runs");
        assert_eq!(answer.answer_status, Some(200), "{:?}", answer.problem);
        self.settle().await;
    }

    /// How often something was counted for the operators.
    pub fn counted(&self, name: &str) -> u64 {
        self.stack.ctx.counters.get(name)
    }
}

/// A JSON body.
pub fn with_json(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request.header("content-type", "application/json").body(body.to_string())
}

/// A form with a file.
pub fn with_file(request: RequestBuilder, file: &[u8], fields: &[(&str, &str)]) -> RequestBuilder {
    let (kind, body) = file_form(file, fields);
    request.header("content-type", kind).body(body)
}

/// The same as content type and body.
#[must_use]
pub fn file_form(file: &[u8], fields: &[(&str, &str)]) -> (String, Vec<u8>) {
    let head = "Content-Disposition: form-data; name=\"file\"; filename=\"people.csv\"\r\n\
                Content-Type: text/csv";
    form(fields, &[format!("--{BOUNDARY}\r\n{head}\r\n\r\n").as_bytes(), file, b"\r\n"].concat())
}

/// A form without a file.
#[must_use]
pub fn fields_form(fields: &[(&str, &str)]) -> (String, Vec<u8>) {
    form(fields, &[])
}

const BOUNDARY: &str = "----a-boundary-of-the-stories";

fn form(fields: &[(&str, &str)], file: &[u8]) -> (String, Vec<u8>) {
    let mut body = Vec::with_capacity(file.len() + 1_024);
    for (name, value) in fields {
        let part = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
        body.extend_from_slice(part.as_bytes());
    }
    body.extend_from_slice(file);
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={BOUNDARY}"), body)
}

#[expect(clippy::disallowed_methods, reason = "a person's client, on the other side of the wire")]
fn client() -> reqwest::Client {
    // An error means that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("a client")
}
