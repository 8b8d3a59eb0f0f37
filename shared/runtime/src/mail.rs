//! Mail to members, by Amazon SES: one request of its API, signed by AWS's signer
//! and made by the one HTTP client, as those for large files are
//! ([decision 23](../../../docs/decisions/0023-mail-by-ses.md)). Nobody retries
//! here: who sends a mail has claimed it, and what it says is in the console too.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningError, SigningSettings, sign};
use aws_sigv4::sign::v4;
use carillon_domain::Secret;
use carillon_providers::client::{CallError, Client};
use carillon_providers::{Body, HttpRequest, Method};
use jiff::Timestamp;
use serde_json::json;

const PATH: &str = "/v2/email/outbound-emails";
const TYPE: &str = "application/json";
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("no credentials for mail")]
    Credentials(#[from] CredentialsError),
    #[error("a mail cannot be signed")]
    Signing(#[from] SigningError),
    #[error("a mail cannot be built: {0}")]
    Building(String),
    #[error("the mail service did not answer")]
    Call(#[from] CallError),
    #[error("the mail service answered {0}")]
    Refused(u16),
}

/// A sender's address, and who may send from it.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Address of the service, without a trailing slash.
    base: String,
    region: String,
    /// An identity that SES has verified.
    from: String,
    credentials: SharedCredentialsProvider,
    http: Client,
}

impl Mail {
    #[must_use]
    pub fn new(
        base: impl Into<String>,
        region: impl Into<String>,
        from: impl Into<String>,
        credentials: SharedCredentialsProvider,
        http: Client,
    ) -> Self {
        Self { base: base.into(), region: region.into(), from: from.into(), credentials, http }
    }

    /// Hands a text to the service; whether it arrives, nobody tells us.
    ///
    /// # Errors
    /// When the service does not take it, or does not answer.
    pub async fn send(
        &self,
        to: &str,
        (subject, text): (&str, &str),
        now: Timestamp,
    ) -> Result<(), MailError> {
        let part = |data: &str| json!({"Data": data, "Charset": "UTF-8"});
        let body = json!({
            "FromEmailAddress": self.from,
            "Destination": {"ToAddresses": [to]},
            "Content": {"Simple": {"Subject": part(subject), "Body": {"Text": part(text)}}},
        });
        let (url, text) = (format!("{}{PATH}", self.base), body.to_string());
        let credentials = self.credentials.provide_credentials().await?;
        let headers = signed(&credentials, &self.region, &url, &text, now)?;
        let body = Some(Body { content_type: TYPE, text });
        let request = HttpRequest { method: Method::Post, url, headers, body };
        match self.http.call(request, TIMEOUT).await?.status {
            200 => Ok(()),
            status => Err(MailError::Refused(status)),
        }
    }
}

/// The headers that say who asks.
fn signed(
    credentials: &Credentials,
    region: &str,
    url: &str,
    body: &str,
    now: Timestamp,
) -> Result<Vec<(&'static str, Secret)>, MailError> {
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("ses")
        .time(now.into())
        .settings(SigningSettings::default())
        .build()
        .map_err(|e| MailError::Building(e.to_string()))?
        .into();
    let headers = [("content-type", TYPE)].into_iter();
    let body = SignableBody::Bytes(body.as_bytes());
    let request = SignableRequest::new("POST", url, headers, body)?;
    let (instructions, _) = sign(request, &params)?.into_parts();
    let (headers, _) = instructions.into_parts();
    Ok(headers.iter().map(|h| (h.name(), Secret::from(h.value().to_owned()))).collect())
}
