//! Everything about the simulator that can be set while it runs, by `/sim/settings` or in process.
//!
//! A change is a JSON merge patch (RFC 7386): what is absent stays, `null` brings the default back,
//! lists are replaced. Unknown names are refused, because a misspelt fault makes a test that proves
//! nothing. Kept in the simulator's file, so a restarted one behaves as before.

use std::{collections::BTreeMap, fmt};

use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    error::{Error, Result},
    number,
};

#[derive(Clone, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Time between acceptance on disk and the answer, in milliseconds.
    pub latency_ms: Span,
    pub throttle: Throttle,
    /// Faults to come, used up in order of the list.
    pub fail_next: Vec<FailRule>,
    /// What becomes of messages to a number (E.164).
    pub numbers: BTreeMap<String, NumberRule>,
    pub callbacks: Callbacks,
    /// Off: Twilio's message list and Fast2SMS's report by request id answer 500.
    pub look_up: bool,
    /// A message shows in look-ups only this long after it was accepted.
    pub look_up_lag_ms: u64,
    /// Twilio's documented test numbers act as documented.
    pub magic_numbers: bool,
    /// A number that replied STOP is refused with 21610 until START.
    pub stop_blocks: bool,
    /// Inbound keywords carry `OptOutType`, as with Advanced Opt-Out.
    pub opt_out_type: bool,
    pub twilio_auth: TwilioAuth,
    pub twilio_balance: String,
    pub twilio_inbound_url: Option<String>,
    pub fast2sms_webhook_url: Option<String>,
    /// Empty: any key is taken.
    pub fast2sms_keys: Vec<String>,
    /// Rupees; a wallet of nothing refuses sends with 416.
    pub fast2sms_wallet: String,
    /// Approved DLT texts by message id, with `{#var#}` for each variable. Empty: any id is taken.
    pub fast2sms_templates: BTreeMap<String, String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            latency_ms: Span(0, 0),
            throttle: Throttle::default(),
            fail_next: Vec::new(),
            numbers: BTreeMap::new(),
            callbacks: Callbacks::default(),
            look_up: true,
            look_up_lag_ms: 0,
            magic_numbers: true,
            stop_blocks: true,
            opt_out_type: false,
            twilio_auth: TwilioAuth::Any,
            twilio_balance: "100.00".to_owned(),
            twilio_inbound_url: None,
            fast2sms_webhook_url: None,
            fast2sms_keys: Vec::new(),
            fast2sms_wallet: "500.50".to_owned(),
            fast2sms_templates: BTreeMap::new(),
        }
    }
}

/// Without numbers, addresses and keys.
impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("latency_ms", &self.latency_ms)
            .field("throttle", &self.throttle)
            .field("fail_next", &self.fail_next)
            .field("callbacks", &self.callbacks)
            .field("look_up", &self.look_up)
            .finish_non_exhaustive()
    }
}

/// `[least, most]` milliseconds; one number means both.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(from = "SpanForm")]
pub struct Span(pub u64, pub u64);

#[derive(Deserialize)]
#[serde(untagged)]
enum SpanForm {
    One(u64),
    Two(u64, u64),
}

impl From<SpanForm> for Span {
    fn from(form: SpanForm) -> Self {
        match form {
            SpanForm::One(both) => Self(both, both),
            SpanForm::Two(least, most) => Self(least, most.max(least)),
        }
    }
}

/// Requests answered 429 (Twilio 20429) and not accepted.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Throttle {
    /// Each n-th send, counted from the last change of settings.
    pub every_nth: Option<u32>,
    /// Sends beyond this many in one second of the wall clock.
    pub per_second: Option<u32>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FailRule {
    #[serde(default, rename = "match")]
    pub matching: Match,
    pub kind: FaultKind,
    /// For kind `code`: 30xxx and 63xxx are accepted and come in a later callback, others refuse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    #[serde(default = "once")]
    pub times: u32,
    /// Whether the provider keeps the message all the same; each kind has its own default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<bool>,
    /// How long `timeout_after_accept` holds the line before it hangs up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stall_ms: Option<u64>,
}

fn once() -> u32 {
    1
}

#[derive(Clone, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Match {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
}

/// Without the number.
impl fmt::Debug for Match {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Match").field("provider", &self.provider).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    Twilio,
    Fast2sms,
}

impl Provider {
    pub fn name(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Fast2sms => "fast2sms",
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// 500 with an HTML page.
    #[serde(rename = "http_500")]
    Http500,
    /// 503 with the provider's own error document.
    #[serde(rename = "http_503_json")]
    Http503Json,
    #[serde(rename = "http_429")]
    Http429,
    /// The connection ends without a byte; nothing was kept.
    CloseBefore,
    /// The connection ends without a byte; the message was kept.
    CloseAfterAccept,
    /// No answer for `stall_ms` (60 s), then the connection ends; the message was kept.
    TimeoutAfterAccept,
    /// 200 with a log-in page.
    #[serde(rename = "garbage_200")]
    Garbage200,
    Code,
}

/// What becomes of messages to one number.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct NumberRule {
    /// Refused at once with this code of the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refuse: Option<u32>,
    #[serde(rename = "final", skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Of `undelivered` and `failed`; 30003 when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<u32>,
    /// No callbacks; look-ups still tell the truth.
    pub silent: bool,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    #[default]
    Delivered,
    Undelivered,
    Failed,
    /// The carrier gives no receipts: it stays `sent` for ever.
    Sent,
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
            Self::Sent => "sent",
        }
    }
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Callbacks {
    pub order: Order,
    /// Each callback comes twice, the repeats after the originals.
    pub duplicate: bool,
    /// From acceptance to the final status, in milliseconds; `sent` comes half-way.
    pub delay_ms: Span,
    pub wrong_signature: bool,
    /// Statuses whose callback never comes.
    pub lose: Vec<String>,
    /// Nothing goes out until `POST /sim/callbacks/flush`.
    pub hold: bool,
    /// How long one that met no server, 429 or 5xx is tried again, counted anew after a restart.
    pub retry_for_ms: u64,
}

impl Default for Callbacks {
    fn default() -> Self {
        Self {
            order: Order::Normal,
            duplicate: false,
            delay_ms: Span(50, 200),
            wrong_signature: false,
            lose: Vec::new(),
            hold: false,
            retry_for_ms: 120_000,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// `delivered` waits until `sent` was answered or given up.
    Normal,
    /// By a coin for each message.
    Shuffled,
    /// Always the final status first.
    Reversed,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TwilioAuth {
    /// Any account with any secret, except accounts set by `POST /sim/accounts`.
    Any,
    /// Only those.
    Configured,
}

impl Settings {
    /// These settings with a merge patch applied.
    pub(crate) fn patched(&self, patch: &Value) -> Result<Self> {
        if !patch.is_object() {
            return Err(Error::Control("settings are a JSON object".to_owned()));
        }
        let mut whole = serde_json::to_value(self).map_err(Error::Stored)?;
        merge(&mut whole, patch);
        let mut settings: Self = serde_json::from_value(whole)
            .map_err(|error| Error::Control(format!("these settings are not known: {error}")))?;
        settings.numbers = settings
            .numbers
            .into_iter()
            .map(|(written, rule)| (number::canonical(&written), rule))
            .collect();
        for rule in &mut settings.fail_next {
            if rule.kind == FaultKind::Code && rule.code.is_none() {
                return Err(Error::Control("fail_next of kind \"code\" needs a code".to_owned()));
            }
            rule.matching.to = rule.matching.to.as_deref().map(number::canonical);
        }
        Ok(settings)
    }

    pub(crate) fn rule(&self, to: &str) -> NumberRule {
        self.numbers.get(to).copied().unwrap_or_default()
    }
}

fn merge(target: &mut Value, patch: &Value) {
    let Some(fields) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Some(object) = target.as_object_mut() else {
        return;
    };
    for (name, value) in fields {
        if value.is_null() {
            object.remove(name);
        } else {
            merge(object.entry(name.as_str()).or_insert(Value::Null), value);
        }
    }
}

pub(crate) fn load(connection: &Connection) -> Result<Settings> {
    let stored: Option<String> = connection
        .query_row("SELECT value FROM setting WHERE name = 'all'", [], |row| row.get(0))
        .optional()?;
    match stored {
        Some(text) => serde_json::from_str(&text).map_err(Error::Stored),
        None => Ok(Settings::default()),
    }
}

pub(crate) fn store(connection: &Connection, settings: &Settings) -> Result<()> {
    let text = serde_json::to_string(settings).map_err(Error::Stored)?;
    connection.execute(
        "INSERT INTO setting (name, value) VALUES ('all', ?1)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [text],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_changes_only_what_it_names() {
        let settings = Settings::default()
            .patched(&json!({
                "latency_ms": 5,
                "callbacks": {"duplicate": true},
                "numbers": {"9800000001": {"final": "failed", "error_code": 30006}},
            }))
            .expect("known names");
        assert_eq!(settings.latency_ms, Span(5, 5));
        assert!(settings.callbacks.duplicate);
        assert_eq!(settings.callbacks.delay_ms, Span(50, 200));
        assert_eq!(settings.rule("+919800000001").outcome, Some(Outcome::Failed));
        let back = settings
            .patched(&json!({"callbacks": null, "numbers": {"+919800000001": null}}))
            .expect("known names");
        assert_eq!(back.callbacks, Callbacks::default());
        assert!(back.numbers.is_empty());
    }

    #[test]
    fn misspelt_settings_are_refused() {
        for patch in [
            json!({"latency": 5}),
            json!({"callbacks": {"dupliacte": true}}),
            json!({"fail_next": [{"kind": "http_501"}]}),
            json!({"fail_next": [{"kind": "code"}]}),
            json!([1]),
        ] {
            let refused = Settings::default().patched(&patch);
            assert!(matches!(refused, Err(Error::Control(_))), "{patch}");
        }
    }
}
