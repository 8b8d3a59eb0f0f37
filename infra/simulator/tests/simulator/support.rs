//! A simulator, a client for it, and a webhook that remembers.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use carillon_simulator::{
    DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, DEFAULT_FROM, Options, Running, Simulator, sign,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub type Pairs = Vec<(String, String)>;

/// Quick callbacks, in memory.
pub async fn simulator() -> Running {
    started(None, json!({"callbacks": {"delay_ms": [5, 10]}})).await
}

pub async fn started(file: Option<PathBuf>, settings: Value) -> Running {
    Simulator::start(Options { file, settings, ..Options::default() }).await.unwrap()
}

/// An answer read whole.
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

pub fn encode(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

pub fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

pub async fn read(request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
    let response = request.send().await?;
    Ok(Answer { status: response.status().as_u16(), text: response.text().await? })
}

pub async fn get(simulator: &Running, path: &str) -> Answer {
    let request = client()
        .get(format!("{}{path}", simulator.url()))
        .basic_auth(DEFAULT_ACCOUNT_SID, Some(DEFAULT_AUTH_TOKEN));
    read(request).await.unwrap()
}

pub async fn post_json(simulator: &Running, path: &str, body: Value) -> Answer {
    let request = client()
        .post(format!("{}{path}", simulator.url()))
        .header("content-type", "application/json")
        .body(body.to_string());
    read(request).await.unwrap()
}

pub fn messages_path(more: &str) -> String {
    format!("/2010-04-01/Accounts/{DEFAULT_ACCOUNT_SID}/Messages{more}")
}

/// A create request of the default account.
pub fn create(simulator: &Running, pairs: &[(&str, &str)]) -> reqwest::RequestBuilder {
    client()
        .post(format!("{}{}", simulator.url(), messages_path(".json")))
        .basic_auth(DEFAULT_ACCOUNT_SID, Some(DEFAULT_AUTH_TOKEN))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(encode(pairs))
}

/// A text from the default number; `more` are further fields.
pub async fn send(simulator: &Running, to: &str, body: &str, more: &[(&str, &str)]) -> Answer {
    let mut pairs = vec![("To", to), ("From", DEFAULT_FROM), ("Body", body)];
    pairs.extend_from_slice(more);
    read(create(simulator, &pairs)).await.unwrap()
}

/// Polls until it holds; every wait of the tests has an end.
pub async fn until<F, T>(what: &str, mut probe: F) -> T
where
    F: AsyncFnMut() -> Option<T>,
{
    let start = Instant::now();
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub struct Call {
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Call {
    pub fn pairs(&self) -> Pairs {
        form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    pub fn field(&self, name: &str) -> Option<String> {
        let pairs = self.pairs();
        let found = pairs.into_iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value)
    }

    pub fn signed_by(&self, token: &str, url: &str) -> bool {
        let header = self.headers.get("x-twilio-signature").unwrap();
        header.to_str().unwrap() == sign(token, url, &self.pairs())
    }
}

/// Answers with a status that can be set, and remembers each call.
#[derive(Clone)]
pub struct Webhook {
    pub address: SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
    status: Arc<AtomicU16>,
}

impl Webhook {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener)
    }

    pub fn on(listener: TcpListener) -> Self {
        let webhook = Self {
            address: listener.local_addr().unwrap(),
            calls: Arc::default(),
            status: Arc::new(AtomicU16::new(204)),
        };
        let router = Router::new().route("/{*path}", post(remember)).with_state(webhook.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        webhook
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn answer_with(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    pub fn with_calls<T>(&self, look: impl FnOnce(&[Call]) -> T) -> T {
        look(&self.calls.lock().unwrap())
    }

    /// Once there are so many calls; the statuses told, in order.
    pub async fn statuses(&self, count: usize) -> Vec<String> {
        until(&format!("{count} calls"), async || {
            self.with_calls(|calls| {
                (calls.len() >= count)
                    .then(|| calls.iter().filter_map(|call| call.field("MessageStatus")).collect())
            })
        })
        .await
    }
}

async fn remember(
    State(webhook): State<Webhook>,
    axum::extract::OriginalUri(uri): axum::extract::OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    webhook.calls.lock().unwrap().push(Call {
        path: uri.to_string(),
        headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    });
    StatusCode::from_u16(webhook.status.load(Ordering::SeqCst)).unwrap()
}

/// A folder that goes with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("carillon-simulator-{name}-{}", std::process::id()));
        if path.exists() {
            std::fs::remove_dir_all(&path).unwrap();
        }
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn file(&self) -> PathBuf {
        self.0.join("simulator.sqlite")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that is left behind harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
