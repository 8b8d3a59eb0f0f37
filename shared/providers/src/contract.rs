//! What every provider can be asked, and what it may answer.

use std::collections::BTreeMap;
use std::fmt;

use carillon_domain::integration::{IntegrationSettings, Money};
use carillon_domain::receipt::{InboundMessage, Receipt, ReceiptKind};
use carillon_domain::segments::Encoding;
use carillon_domain::{Failure, MessageId, PhoneNumber, ProviderName, Secret};
use jiff::Timestamp;
use zeroize::Zeroizing;

/// Credentials by field name. Cannot be printed, nor written anywhere but by
/// [`Credentials::to_plaintext`].
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct Credentials(pub BTreeMap<String, Secret>);

impl Credentials {
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(Secret::reveal).filter(|v| !v.is_empty())
    }

    /// To be encrypted: JSON, wiped when it goes.
    #[must_use]
    pub fn to_plaintext(&self) -> Zeroizing<Vec<u8>> {
        let fields: BTreeMap<&str, &str> =
            self.0.iter().map(|(field, value)| (field.as_str(), value.reveal())).collect();
        // Texts by text: there is nothing that JSON could refuse.
        Zeroizing::new(serde_json::to_vec(&fields).unwrap_or_default())
    }
}

impl<F: Into<String>, V: Into<Secret>> FromIterator<(F, V)> for Credentials {
    fn from_iter<I: IntoIterator<Item = (F, V)>>(fields: I) -> Self {
        Self(fields.into_iter().map(|(field, value)| (field.into(), value.into())).collect())
    }
}

/// An organization's account with the provider, ready to be used.
#[derive(Debug, Clone)]
pub struct Account {
    /// Base address of the provider's API, without a trailing slash.
    pub base_url: String,
    pub credentials: Credentials,
    pub settings: IntegrationSettings,
}

/// The text of a message as the provider wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Free text.
    Text(String),
    /// A registered template: the provider's own id of it and the slots' values.
    Registered { template_id: String, sender_id: Option<String>, values: Vec<String> },
}

/// One message to one recipient.
#[derive(Clone)]
pub struct Outgoing {
    pub message: MessageId,
    pub attempt: u16,
    pub to: PhoneNumber,
    pub content: Content,
    pub encoding: Encoding,
    pub flash: bool,
    pub media: Vec<String>,
    /// Absolute; carries our message id and attempt.
    pub status_callback: Option<String>,
    /// Seconds after which the provider must not deliver any more.
    pub valid_for: Option<u32>,
}

/// Everything about a request that is not I/O. Headers and body may hold what
/// must not be seen.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(&'static str, Secret)>,
    pub body: Option<Body>,
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest").field("method", &self.method).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    pub content_type: &'static str,
    pub text: String,
}

/// What came back, whole. Larger bodies are cut by the client.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    pub status: u16,
    /// Seconds, from `Retry-After`.
    pub retry_after: Option<u32>,
    pub body: String,
}

/// What a send came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Accepted {
        provider_message_id: String,
    },
    /// The provider itself says that it did not take the message.
    Refused {
        failure: Failure,
        retry_after: Option<u32>,
    },
    /// The answer proves neither: a gateway's error page, a success that
    /// cannot be read. Treated as Unknown, never as "not sent".
    Unclear {
        detail: String,
    },
}

/// The provider's answer as it is kept on the attempt: masked, cut to size.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct ResponseNote {
    pub http_status: Option<u16>,
    pub code: Option<String>,
    pub id: Option<String>,
    pub text: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub outcome: Outcome,
    pub note: ResponseNote,
}

/// What we look for when the outcome of an attempt is unknown.
#[derive(Clone)]
pub struct Probe {
    pub to: PhoneNumber,
    pub body: String,
    /// When the attempt's call began.
    pub since: Timestamp,
}

/// A message in the provider's list that could be ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub provider_message_id: String,
    pub created_at: Option<Timestamp>,
    pub kind: ReceiptKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookUp {
    /// Candidates that match number, text and time; may be empty.
    Read(Vec<Candidate>),
    /// The list could not be read; says nothing about the message.
    Failed(Failure),
}

/// Answer to "does this account work?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestResult {
    Works { balance: Option<Money> },
    Fails(Failure),
}

/// A callback as it came in.
#[derive(Clone, Copy)]
pub struct Callback<'a> {
    /// The public address with path and query exactly as the provider called it.
    pub url: &'a str,
    /// Header by lower-case name.
    pub header: &'a (dyn Fn(&str) -> Option<&'a str> + Sync),
    pub body: &'a [u8],
}

/// Whose callback it claims to be. Not to be believed before it is verified.
#[derive(Clone, PartialEq, Eq)]
pub struct CallbackAccount {
    /// For instance Twilio's `AccountSid`.
    pub account: String,
    /// The sender identities on our side that it names, the closest first: the
    /// number an inbound message came to, or a receipt's message went out
    /// from, then the messaging service. May be empty.
    pub addresses: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackEvent {
    Receipt(Receipt),
    Inbound(InboundMessage),
    /// Well-formed, and of no interest.
    Ignored,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the callback's signature does not verify")]
pub struct BadSignature;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the callback cannot be read: {0}")]
pub struct Malformed(pub &'static str);

/// A field of an integration that cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {detail}")]
pub struct InvalidField {
    /// `credentials.auth_token`, `settings.from`
    pub field: String,
    pub detail: String,
}

/// How callbacks of a provider are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackTrust {
    /// By a signature over the request, made with the account's secret.
    Signature,
    /// By a long random token in the path; the provider signs nothing.
    PathToken,
}

/// What a provider can do; the conformance suite tests what is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    pub callback_trust: CallbackTrust,
    /// It can list what it was sent, and the list is authoritative.
    pub look_up: bool,
    /// It receives messages from people.
    pub inbound: bool,
    /// Needs [`Content::Registered`] unless its settings say otherwise.
    pub registered_templates: bool,
    pub media: bool,
    pub flash: bool,
}

pub trait Provider: Sync {
    fn name(&self) -> ProviderName;

    fn capabilities(&self) -> Capabilities;

    /// The provider's public API, without a trailing slash.
    fn default_base_url(&self) -> &'static str;

    /// The fields of credentials there are; unknown ones are refused.
    fn credential_fields(&self) -> &'static [&'static str];

    /// The provider's own fields of settings.
    fn setting_fields(&self) -> &'static [&'static str];

    /// Checks credentials and settings before they are stored.
    ///
    /// # Errors
    /// All fields that are missing or malformed.
    fn check(
        &self,
        credentials: &Credentials,
        settings: &IntegrationSettings,
    ) -> Result<(), Vec<InvalidField>>;

    /// Whether this provider can reach the number at all.
    fn serves(&self, to: &PhoneNumber) -> bool;

    /// # Errors
    /// A failure of ours or of the configuration: nothing was sent.
    fn send_request(&self, account: &Account, message: &Outgoing) -> Result<HttpRequest, Failure>;

    fn read_send(&self, answer: &HttpAnswer) -> Reply;

    /// `None` where the provider has no authoritative list.
    fn look_up_request(&self, account: &Account, probe: &Probe) -> Option<HttpRequest>;

    fn read_look_up(&self, answer: &HttpAnswer, probe: &Probe) -> LookUp;

    fn test_request(&self, account: &Account) -> HttpRequest;

    fn read_test(&self, answer: &HttpAnswer) -> TestResult;

    /// Whose callback it claims to be, only to find the organization whose
    /// secret verifies it. Nothing else may be read before [`Provider::verify`].
    /// `None` where the provider names no account: the path token tells.
    fn callback_account(&self, callback: &Callback<'_>) -> Option<CallbackAccount>;

    /// # Errors
    /// When the signature does not verify with any secret of these credentials.
    /// Providers that sign nothing answer `Ok`: their path token was the check.
    fn verify(
        &self,
        credentials: &Credentials,
        callback: &Callback<'_>,
    ) -> Result<(), BadSignature>;

    /// # Errors
    /// When the body is not what the provider sends.
    fn read_callback(&self, callback: &Callback<'_>) -> Result<Vec<CallbackEvent>, Malformed>;

    /// What is answered to a callback that was kept: content type and body.
    fn callback_answer(&self) -> (&'static str, &'static str) {
        ("text/plain", "")
    }

    /// The provider's own name of the account, where callbacks carry it.
    fn account_name(&self, _credentials: &Credentials) -> Option<String> {
        None
    }
}
