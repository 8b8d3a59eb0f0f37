//! HTTP as a client of the API and as a provider would speak it.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Method, StatusCode, Url};
use serde_json::Value;

/// A page of the console, and the cookies that came with it.
pub struct Page {
    pub status: StatusCode,
    pub cookies: String,
    pub text: String,
}

pub struct Client {
    http: reqwest::Client,
    api: Url,
    key: String,
}

impl Client {
    /// `api` is a name under `localhost` that no resolver knows; it is served at `endpoint`.
    #[expect(
        clippy::disallowed_methods,
        reason = "the story's own client, which meets no provider"
    )]
    pub fn new(api: &str, endpoint: &Url, key: &str) -> Result<Self> {
        let api = Url::parse(api)?;
        let host = api.host_str().context("a host in the API's address")?.to_owned();
        let address: SocketAddr = endpoint
            .socket_addrs(|| None)?
            .into_iter()
            .next()
            .context("an address of the endpoint")?;
        let http = reqwest::Client::builder()
            .resolve(&host, address)
            .timeout(Duration::from_secs(30))
            // Where the console sends somebody is part of the story.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { http, api, key: key.to_owned() })
    }

    /// Status and body, whatever they are.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Value)> {
        let mut request = self.http.request(method, self.api.join(path)?).bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        read(request.send().await?).await
    }

    pub async fn get(&self, path: &str) -> Result<Value> {
        let (status, answer) = self.call(Method::GET, path, None).await?;
        ensure!(status.is_success(), "GET {path}: {status} {answer}");
        Ok(answer)
    }

    /// A write that must be answered with `expected`.
    pub async fn write(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        expected: u16,
    ) -> Result<Value> {
        let shown = format!("{method} {path}");
        let (status, answer) = self.call(method, path, Some(body)).await?;
        ensure!(status.as_u16() == expected, "{shown}: {status} {answer}");
        Ok(answer)
    }

    /// A CSV file as a form, with the form's other fields.
    pub async fn upload(&self, path: &str, csv: &str, fields: &[(&str, &str)]) -> Result<Value> {
        const BOUNDARY: &str = "deploy-story";
        let mut form = format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"rows.csv\"\r\n\
             content-type: text/csv\r\n\r\n{csv}\r\n"
        );
        for (name, value) in fields {
            form.push_str(&format!(
                "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            ));
        }
        form.push_str(&format!("--{BOUNDARY}--\r\n"));
        let request = self
            .http
            .post(self.api.join(path)?)
            .bearer_auth(&self.key)
            .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"))
            .body(form);
        let (status, answer) = read(request.send().await?).await?;
        ensure!(status == StatusCode::ACCEPTED, "POST {path}: {status} {answer}");
        Ok(answer)
    }

    /// Somebody without a key.
    pub async fn anonymous(&self, path: &str) -> Result<StatusCode> {
        Ok(self.http.get(self.api.join(path)?).send().await?.status())
    }

    /// A page of the console, or what a form there is answered with.
    pub async fn page(&self, path: &str, cookies: &str, form: Option<&str>) -> Result<Page> {
        let url = self.api.join(path)?;
        let request = match form {
            None => self.http.get(url),
            Some(form) => self
                .http
                .post(url)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.to_owned()),
        };
        let response = request.header("cookie", cookies).send().await?;
        let status = response.status();
        let given = response.headers().get_all("set-cookie").iter();
        let given = given.filter_map(|line| line.to_str().ok()?.split(';').next());
        let cookies = given.collect::<Vec<_>>().join("; ");
        Ok(Page { status, cookies, text: response.text().await? })
    }

    /// A form posted anywhere, with headers.
    pub async fn post_form(
        &self,
        url: &str,
        form: &str,
        headers: &[(&str, &str)],
    ) -> Result<StatusCode> {
        let mut request = self
            .http
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Ok(request.send().await?.status())
    }

    pub async fn message(&self, id: &str) -> Result<Value> {
        self.get(&format!("/v1/messages/{id}")).await
    }
}

async fn read(response: reqwest::Response) -> Result<(StatusCode, Value)> {
    let status = response.status();
    let text = response.text().await?;
    if text.is_empty() {
        return Ok((status, Value::Null));
    }
    match serde_json::from_str(&text) {
        Ok(value) => Ok((status, value)),
        Err(_) if !status.is_success() => Ok((status, Value::String(text))),
        Err(error) => bail!("{status} without JSON ({error}): {text}"),
    }
}
