//! A browser and its driver, gone when dropped. WebDriver (W3C) is JSON over HTTP; these are the calls we need.

use std::process::Stdio;
use std::time::Duration;

use carillon_tests::patience::{PAUSE, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

/// How an element is named in the protocol.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts of a driver before it is given up.
const STARTS: u32 = 5;
static STARTING: Mutex<()> = Mutex::const_new(());

pub struct Browser {
    http: reqwest::Client,
    /// Of the session.
    url: String,
    _driver: Child,
}

/// A driver and its port; `None` when it ended at once.
async fn start() -> Option<(Child, u16)> {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("chromedriver is installed (`tests/run tools`, or apt install chromium-driver)");
    let mut lines = BufReader::new(driver.stdout.take().expect("a pipe")).lines();
    loop {
        let line = lines.next_line().await.expect("a line")?;
        if let Some((_, rest)) = line.split_once("successfully on port ") {
            let port = rest.trim_end_matches('.').parse().expect("a port");
            // What it says further on must not fill the pipe.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Some((driver, port));
        }
    }
}

impl Browser {
    /// # Panics
    /// When Chromium or its driver is not installed.
    #[expect(clippy::disallowed_methods, reason = "it speaks to a driver on this machine")]
    pub async fn open() -> Self {
        let (driver, port) = {
            // Two that look for a port at the same time may both end without one.
            let _one = STARTING.lock().await;
            let mut tries = 0;
            loop {
                if let Some(started) = start().await {
                    break started;
                }
                tries += 1;
                assert!(tries < STARTS, "chromedriver does not start");
            }
        };
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let url = format!("http://127.0.0.1:{port}/session");
        let mut browser = Self { http, url, _driver: driver };
        // No sandbox: it opens nothing but this test's own pages, and in containers there is none.
        let arguments =
            ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1100,800"];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let session = browser.call(Method::POST, "", &wanted).await;
        let session =
            session.expect("chromium starts (`tests/run tools`, or apt install chromium)");
        let id = session["sessionId"].as_str().expect("an id");
        browser.url = format!("{}/{id}", browser.url);
        browser
    }

    pub async fn go(&self, url: &str) {
        self.post("/url", &json!({"url": url})).await;
    }

    pub async fn at(&self) -> String {
        self.get("/url").await.as_str().expect("an address").to_owned()
    }

    pub async fn click(&self, css: &str) {
        let path = format!("/element/{}/click", self.find(css).await);
        self.post(&path, &json!({})).await;
    }

    pub async fn type_in(&self, css: &str, text: &str) {
        let path = format!("/element/{}/value", self.find(css).await);
        self.post(&path, &json!({"text": text})).await;
    }

    /// Waits until an element shows this.
    ///
    /// # Panics
    /// When it does not.
    pub async fn shows(&self, css: &str, text: &str) {
        let shown = eventually(css, PATIENCE, PAUSE, async || {
            // A page that is on its way out takes its elements with it.
            let element = self.call(Method::POST, "/element", &by(css)).await;
            let Ok(element) = element else { return Ok(Err(format!("no {css}"))) };
            let path = format!("/element/{}/text", element[ELEMENT].as_str().unwrap_or_default());
            let found = self.call(Method::GET, &path, &Value::Null).await.unwrap_or_default();
            let found = found.as_str().unwrap_or_default().to_owned();
            Ok(if found == text { Ok(()) } else { Err(found) })
        });
        shown.await.unwrap_or_else(|error| panic!("{css} does not show “{text}”: {error:#}"));
    }

    /// Waits until an element's text is as it should be.
    ///
    /// # Panics
    /// When it never is.
    pub async fn comes_to(&self, css: &str, patience: Duration, is_it: impl Fn(&str) -> bool) {
        let shown = eventually(css, patience, PAUSE, async || {
            let script = format!("return document.querySelector({css:?})?.innerText ?? ''");
            let found = self.run(&script).await.as_str().unwrap_or_default().to_owned();
            Ok(if is_it(&found) { Ok(()) } else { Err(found) })
        });
        shown.await.unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// Clicks what says this, as somebody does who reads.
    pub async fn follow(&self, css: &str, text: &str) {
        let mark = format!(
            "const all = [...document.querySelectorAll({css:?})].filter(e => e.checkVisibility() && e.innerText.includes({text:?})); \
             document.querySelectorAll('[data-followed]').forEach(e => e.removeAttribute('data-followed')); \
             if (all.length) all[0].setAttribute('data-followed', ''); return all.length > 0"
        );
        let there = eventually(text, PATIENCE, PAUSE, async || {
            let is_there = self.run(&mark).await == json!(true);
            Ok(if is_there { Ok(()) } else { Err(format!("no {css} says so")) })
        });
        there.await.unwrap_or_else(|error| panic!("{error:#}"));
        self.click("[data-followed]").await;
    }

    /// What a script on the page finds.
    pub async fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []})).await
    }

    /// All cookies of this page, also those that no script sees.
    pub async fn cookies(&self) -> Vec<Value> {
        self.get("/cookie").await.as_array().expect("a list").clone()
    }

    pub async fn enter_frame(&self, css: &str) {
        let element = self.find(css).await;
        self.post("/frame", &json!({"id": {ELEMENT: element}})).await;
    }

    pub async fn leave_frame(&self) {
        self.post("/frame/parent", &json!({})).await;
    }

    /// What the page's console was told since it was last asked.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({"type": "browser"})).await;
        let log = log.as_array().expect("a list");
        let bad = log.iter().filter(|entry| entry["level"] != "INFO" && entry["level"] != "DEBUG");
        bad.map(|entry| entry["message"].to_string()).collect()
    }

    /// What WebDriver has no word for.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({"cmd": command, "params": parameters});
        self.post("/goog/cdp/execute", &body).await
    }

    /// Ends the browser; its driver goes with `self`.
    pub async fn close(self) {
        self.call(Method::DELETE, "", &Value::Null).await.expect("it closes");
    }

    /// Waits until it is there.
    async fn find(&self, css: &str) -> String {
        let found = eventually(css, PATIENCE, PAUSE, async || {
            Ok(self.call(Method::POST, "/element", &by(css)).await)
        });
        let found = found.await.unwrap_or_else(|error| panic!("{css}: {error:#}"));
        found[ELEMENT].as_str().expect("an element").to_owned()
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, &Value::Null).await.unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Value {
        self.call(Method::POST, path, body).await.unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// What the driver answers, or what it says is wrong.
    async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value, String> {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.map_err(|error| error.to_string())?;
        let is_good = response.status().is_success();
        let text = response.text().await.map_err(|error| error.to_string())?;
        let mut answer: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let value = answer["value"].take();
        if is_good { Ok(value) } else { Err(value["message"].to_string()) }
    }
}

fn by(css: &str) -> Value {
    json!({"using": "css selector", "value": css})
}
