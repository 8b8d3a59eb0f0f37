//! What a client of the API sees, and what the provider saw.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use carillon_simulator::{DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, DEFAULT_FROM};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

pub struct Client {
    http: reqwest::Client,
    api: String,
    simulator: String,
    key: String,
}

impl Client {
    #[expect(
        clippy::disallowed_methods,
        reason = "the story's own client, which meets no provider"
    )]
    pub fn new(api: String, simulator: String, key: &str) -> Result<Self> {
        // An error means that one is installed already; nothing here speaks TLS.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http =
            reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build()?;
        Ok(Self { http, api, simulator, key: key.to_owned() })
    }

    pub async fn get(&self, path: &str) -> Result<Value> {
        read(self.api(Method::GET, path)).await
    }

    pub async fn text(&self, path: &str) -> Result<String> {
        let answer = self.api(Method::GET, path).send().await?;
        ensure!(answer.status().is_success(), "GET {path}: {}", answer.status());
        Ok(answer.text().await?)
    }

    pub async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        let request = self.api(Method::PUT, path).header("content-type", "application/json");
        read(request.body(body.to_string())).await
    }

    /// The organization's account with the simulated Twilio, with these settings
    /// besides its sender; its rate is in nobody's way.
    pub async fn set_up_twilio(&self, settings: Value) -> Result<()> {
        let mut integration = json!({
            "credentials": {
                "account_sid": DEFAULT_ACCOUNT_SID, "auth_token": DEFAULT_AUTH_TOKEN,
            },
            "settings": {"from": DEFAULT_FROM, "rate_per_second": 1_000},
        });
        for (name, value) in settings.as_object().into_iter().flatten() {
            integration["settings"][name] = value.clone();
        }
        self.put("/v1/integrations/twilio", &integration).await.map(drop)
    }

    /// Uploads a file of recipients; answers the import's id.
    pub async fn upload(&self, csv: &str, body: &str) -> Result<String> {
        const BOUNDARY: &str = "----a-boundary";
        let mut form = format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"rows.csv\"\r\n\
             content-type: text/csv\r\n\r\n{csv}\r\n"
        );
        for (name, value) in [("channel", "sms"), ("body", body)] {
            form.push_str(&format!(
                "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            ));
        }
        form.push_str(&format!("--{BOUNDARY}--\r\n"));
        let request = self
            .api(Method::POST, "/v1/messages/bulk")
            .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"));
        let import = read(request.body(form)).await?;
        Ok(import["id"].as_str().context("an import's id")?.to_owned())
    }

    /// All messages of an import, page by page.
    pub async fn messages(&self, import: &str) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/v1/messages?import_id={import}&limit=200{cursor}");
            let mut page = self.get(&path).await?;
            all.append(page["data"].as_array_mut().context("a list")?);
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(all),
            }
        }
    }

    /// Changes how the simulated provider behaves.
    pub async fn configure_simulator(&self, patch: &Value) -> Result<()> {
        let url = format!("{}/sim/settings", self.simulator);
        let request = self.http.post(url).header("content-type", "application/json");
        read(request.body(patch.to_string())).await.map(drop)
    }

    pub async fn received(&self) -> Result<Received> {
        let stats = read(self.http.get(format!("{}/sim/stats", self.simulator))).await?;
        let counts = |value: &Value| -> BTreeMap<String, u64> {
            let fields = value.as_object().into_iter().flatten();
            fields.map(|(name, n)| (name.clone(), n.as_u64().unwrap_or_default())).collect()
        };
        Ok(Received {
            by_number: counts(&stats["accepted_by_number"]),
            callbacks: counts(&stats["callbacks"]),
        })
    }

    /// Another person's view of the same.
    pub fn with_key(&self, key: &str) -> Self {
        let (api, simulator) = (self.api.clone(), self.simulator.clone());
        Self { http: self.http.clone(), api, simulator, key: key.to_owned() }
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let request = self.api(Method::POST, path).header("content-type", "application/json");
        read(request.body(body.to_string())).await
    }

    /// The simulator's own endpoints, `/sim/…`.
    pub async fn simulated(&self, method: Method, path: &str) -> Result<Value> {
        read(self.http.request(method, format!("{}{path}", self.simulator))).await
    }

    fn api(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.api)).bearer_auth(&self.key)
    }
}

/// What the provider has received, over all its starts.
pub struct Received {
    /// How many were accepted for each number.
    pub by_number: BTreeMap<String, u64>,
    /// By state: `pending`, `answered`, `given_up`.
    pub callbacks: BTreeMap<String, u64>,
}

impl Received {
    pub fn total(&self) -> u64 {
        self.by_number.values().sum()
    }

    pub fn callbacks(&self, state: &str) -> u64 {
        self.callbacks.get(state).copied().unwrap_or_default()
    }

    pub fn twice(&self) -> Vec<&String> {
        self.by_number.iter().filter(|(_, n)| **n > 1).map(|(number, _)| number).collect()
    }
}

async fn read(request: RequestBuilder) -> Result<Value> {
    let answer = request.send().await?;
    let (status, url) = (answer.status(), answer.url().path().to_owned());
    let text = answer.text().await?;
    ensure!(status.is_success(), "{url}: {status} {text}");
    serde_json::from_str(&text).with_context(|| format!("{url}: {text}"))
}
