//! One file of data a provider: an account, and real wire bodies with what
//! they mean.

use std::collections::BTreeMap;

use carillon_domain::integration::IntegrationSettings;
use carillon_domain::segments::Encoding;
use carillon_domain::{MessageId, PhoneNumber, ProviderName};
use carillon_providers::{
    Account, Callback, Content, Credentials, HttpAnswer, Outgoing, Probe, Provider, provider,
};
use serde::Deserialize;
use serde_json::Value;

const FILES: [&str; 2] =
    [include_str!("../data/twilio.json"), include_str!("../data/fast2sms.json")];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    pub provider: ProviderName,
    pub credentials: BTreeMap<String, String>,
    pub settings: BTreeMap<String, String>,
    /// The recipient that the bodies name.
    pub number: String,
    pub send: Vec<Answer>,
    pub look_up: Option<LookUps>,
    pub test: Vec<Answer>,
    pub callbacks: Vec<CallbackCase>,
}

/// An answer over HTTP; a `body` that is not a string is JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub case: String,
    status: u16,
    retry_after: Option<u32>,
    body: Value,
    pub expect: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookUps {
    body: String,
    since: String,
    pub cases: Vec<Answer>,
}

/// `expect` is null where the body is malformed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallbackCase {
    pub case: String,
    pub url: String,
    pub content_type: String,
    pub body: Value,
    pub signature: Option<String>,
    pub expect: Option<Vec<Value>>,
}

/// A sample for each provider there is.
pub fn samples() -> Vec<Sample> {
    let samples: Vec<Sample> =
        FILES.iter().map(|file| serde_json::from_str(file).expect("a sample")).collect();
    let names: Vec<_> = samples.iter().map(|s| s.provider).collect();
    assert_eq!(names, ProviderName::ALL, "each provider needs its sample");
    samples
}

impl Sample {
    pub fn provider(&self) -> &'static dyn Provider {
        provider(self.provider)
    }

    pub fn account(&self) -> Account {
        Account {
            base_url: self.provider().default_base_url().to_owned(),
            credentials: self.credentials.clone().into_iter().collect::<Credentials>(),
            settings: IntegrationSettings {
                provider: self.settings.clone(),
                ..IntegrationSettings::default()
            },
        }
    }

    /// All credentials but the account's name, which stands in addresses.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let named = |field: &str| field.ends_with("_sid");
        self.credentials.iter().filter(move |(f, _)| !named(f)).map(|(_, v)| v.as_str())
    }

    pub fn to(&self) -> PhoneNumber {
        PhoneNumber::parse(&self.number, None).expect("the sample's number")
    }

    pub fn message(&self) -> MessageId {
        MessageId::from_bytes([7; 26])
    }

    pub fn outgoing(&self) -> Outgoing {
        let message = self.message();
        Outgoing {
            message,
            attempt: 2,
            to: self.to(),
            content: Content::Text("Doors open at 9.".to_owned()),
            encoding: Encoding::Gsm7,
            flash: false,
            media: Vec::new(),
            status_callback: Some(format!("https://hooks.example.org/status?m={message}&a=2")),
            valid_for: Some(3_600),
        }
    }
}

impl LookUps {
    pub fn probe(&self, to: PhoneNumber) -> Probe {
        let since = self.since.parse().expect("a time");
        Probe { to, body: self.body.clone(), since }
    }
}

impl Answer {
    pub fn http(&self) -> HttpAnswer {
        HttpAnswer { status: self.status, retry_after: self.retry_after, body: text(&self.body) }
    }
}

impl CallbackCase {
    pub fn body(&self) -> String {
        text(&self.body)
    }

    /// Calls `read` with the callback as it came in, or as a forger changed it.
    pub fn with<T>(
        &self,
        url: &str,
        body: &str,
        signature: Option<&str>,
        read: impl FnOnce(&Callback<'_>) -> T,
    ) -> T {
        let content_type = Some(self.content_type.as_str()).filter(|t| !t.is_empty());
        let header = |name: &str| match name {
            "content-type" => content_type,
            "x-twilio-signature" => signature,
            _ => None,
        };
        read(&Callback { url, header: &header, body: body.as_bytes() })
    }

    pub fn as_it_came<T>(&self, read: impl FnOnce(&Callback<'_>) -> T) -> T {
        self.with(&self.url, &self.body(), self.signature.as_deref(), read)
    }
}

fn text(body: &Value) -> String {
    body.as_str().map_or_else(|| body.to_string(), str::to_owned)
}
