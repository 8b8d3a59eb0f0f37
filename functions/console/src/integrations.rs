//! Accounts with providers: how each stands, a test, and its secrets, which are written and never shown.

use askama::Template;
use axum::extract::Path;
use axum::http::Method;
use axum::response::{IntoResponse as _, Redirect, Response};
use carillon_domain::ProviderName;
use carillon_domain::integration::Money;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use crate::api::{self, Problem, Tagged};
use crate::desk::Desk;
use crate::figures;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::sent::{Errors, Sent};
use crate::status::{Status, words};

#[derive(Debug, Deserialize)]
pub struct Integration {
    pub provider: String,
    pub channel: String,
    pub configured: bool,
    pub enabled: bool,
    pub status: Status,
    pub balance: Option<Money>,
    pub last_error: Option<String>,
    pub last_tested_at: Option<Timestamp>,
    #[serde(default)]
    pub settings: Map<String, Value>,
    #[serde(default)]
    pub credentials: BTreeMap<String, String>,
    pub callback_urls: Option<Urls>,
}

#[derive(Debug, Deserialize)]
pub struct Urls {
    pub status: Option<String>,
    #[serde(default)]
    pub inbound: Option<String>,
}

/// A field of a provider: its name, what people call it, whether it is secret.
type FieldRow = (&'static str, &'static str, bool);

/// What each provider asks for, as its page of the guide says.
const CREDENTIALS: &[(&str, &[FieldRow])] = &[
    (
        "twilio",
        &[
            ("account_sid", "Account SID", false),
            ("auth_token", "Auth token", true),
            ("api_key_sid", "API key SID, instead of the token", false),
            ("api_key_secret", "API key secret", true),
        ],
    ),
    ("fast2sms", &[("api_key", "API key", true)]),
];
const SETTINGS: &[(&str, &[(&str, &str)])] = &[
    (
        "twilio",
        &[("from", "Number to send from"), ("messaging_service_sid", "Or messaging service SID")],
    ),
    ("fast2sms", &[("sender_id", "Header"), ("route", "Route"), ("entity_id", "Entity id")]),
];

pub struct Shown {
    pub name: &'static str,
    pub label: &'static str,
    pub value: String,
    pub is_secret: bool,
    /// `••••1234`, for who may see that much.
    pub masked: String,
}

/// A provider on the page.
pub struct Card {
    pub account: Integration,
    pub tag: String,
    pub title: String,
    pub credentials: Vec<Shown>,
    pub settings: Vec<Shown>,
    pub rate: String,
    pub prices: String,
    pub errors: Errors,
}

impl Integration {
    pub fn channel_word(&self) -> String {
        crate::message::channel(&self.channel)
    }

    pub fn balance_word(&self) -> String {
        self.balance.as_ref().map_or_else(|| "not known".to_owned(), figures::money)
    }

    fn setting(&self, name: &str) -> String {
        match self.settings.get(name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }

    /// A line a prefix: `+61 0.0515 USD`
    fn prices(&self) -> String {
        let table = self.settings.get("price_table").and_then(Value::as_object);
        let line = |(prefix, money): (&String, &Value)| {
            let part = |name: &str| money[name].as_str().unwrap_or_default().to_owned();
            format!("{prefix} {} {}", part("amount"), part("currency"))
        };
        table.into_iter().flatten().map(line).collect::<Vec<_>>().join("\n")
    }
}

impl Card {
    fn of(account: Integration, tag: String, errors: Errors, sent: Option<&Sent>) -> Self {
        let known =
            |name: &str, stored: String| sent.map_or(stored, |sent| sent.text(name).to_owned());
        let credential = |&(name, label, is_secret): &FieldRow| Shown {
            name,
            label,
            value: String::new(),
            is_secret,
            masked: account.credentials.get(name).cloned().unwrap_or_default(),
        };
        let setting = |&(name, label): &(&'static str, &'static str)| Shown {
            name,
            label,
            value: known(&format!("settings.{name}"), account.setting(name)),
            is_secret: false,
            masked: String::new(),
        };
        let provider = account.provider.as_str();
        Self {
            tag,
            title: words(provider),
            credentials: rows(CREDENTIALS, provider).iter().map(credential).collect(),
            settings: rows(SETTINGS, provider).iter().map(setting).collect(),
            rate: known("rate_per_second", account.setting("rate_per_second")),
            prices: known("prices", account.prices()),
            errors,
            account,
        }
    }
}

fn rows<T>(table: &[(&str, &'static [T])], provider: &str) -> &'static [T] {
    table.iter().find(|(name, _)| *name == provider).map_or(&[], |(_, rows)| rows)
}

#[derive(Template)]
#[template(path = "integrations.html")]
pub struct IntegrationsPage {
    pub frame: Frame,
    pub cards: Vec<Card>,
    /// Of the test that was just made.
    pub failed: Option<String>,
}

/// `GET /console/integrations`
pub async fn page(desk: Desk) -> Result<Response, Refusal> {
    Ok(page::ok(&make(&desk, None, None).await?))
}

async fn make(
    desk: &Desk,
    wrong: Option<(&str, Errors, &Sent)>,
    failed: Option<String>,
) -> Result<IntegrationsPage, Problem> {
    let paths = ProviderName::ALL.map(|name| format!("/v1/integrations/{}", name.as_str()));
    let asked = paths.iter().map(|path| desk.api.tagged::<Integration>(path));
    let (frame, found) =
        futures::join!(desk.frame("Integrations"), futures::future::try_join_all(asked));
    let card = |Tagged { tag, value }: Tagged<Integration>| match &wrong {
        Some((name, errors, sent)) if *name == value.provider => {
            Card::of(value, tag, errors.clone(), Some(sent))
        }
        _ => Card::of(value, tag, Errors::default(), None),
    };
    Ok(IntegrationsPage { frame: frame?, cards: found?.into_iter().map(card).collect(), failed })
}

/// `POST /console/integrations/{provider}`
pub async fn put(desk: Desk, Path(name): Path<String>, sent: Sent) -> Result<Response, Refusal> {
    let path = format!("/v1/integrations/{}", api::segment(&name));
    let before: Integration = desk.api.get(&path).await?;
    let body = match body(&before, &sent) {
        Ok(body) => body,
        Err(line) => {
            let mut errors = Errors::default();
            errors.add(
                "price_table",
                &format!("“{line}” is no price. Write each as +61 0.0515 USD."),
            );
            let page = make(&desk, Some((&name, errors, &sent)), None).await?;
            return Ok(page::show(axum::http::StatusCode::UNPROCESSABLE_ENTITY, &page));
        }
    };
    let tag = sent.text("tag");
    match desk.api.change::<Value>(Method::PUT, &path, &body, tag).await {
        Ok(_) => Ok(Redirect::to("/console/integrations?done=saved").into_response()),
        Err(problem) if matches!(problem.status, 400 | 409 | 412 | 422) => {
            let own = rows(CREDENTIALS, &name).iter().map(|row| row.0);
            let own = own.chain(rows(SETTINGS, &name).iter().map(|row| row.0));
            let fields: Vec<&str> = own.chain(["rate_per_second", "price_table"]).collect();
            let page =
                make(&desk, Some((&name, Errors::of(&problem, &fields), &sent)), None).await?;
            Ok(page::again(&problem, &page))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// All settings as they are, with those of the form over them; secrets left empty stay.
fn body(before: &Integration, sent: &Sent) -> Result<Value, String> {
    let mut settings = before.settings.clone();
    for (name, value) in sent.under("settings") {
        settings.insert(name.to_owned(), json!(value.trim()));
    }
    if let Some(rate) = sent.filled("rate_per_second") {
        settings.insert(
            "rate_per_second".to_owned(),
            rate.parse::<u32>().map_or_else(|_| json!(rate), |n| json!(n)),
        );
    }
    let mut prices = Map::new();
    for line in sent.text("prices").lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut parts = line.split_whitespace();
        let (Some(prefix), Some(amount), Some(currency), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(line.to_owned());
        };
        prices.insert(prefix.to_owned(), json!({"amount": amount, "currency": currency}));
    }
    settings.insert("price_table".to_owned(), Value::Object(prices));
    let typed = sent.under("credentials").filter(|(_, value)| !value.trim().is_empty());
    let mut credentials: Map<String, Value> =
        typed.map(|(name, value)| (name.to_owned(), json!(value.trim()))).collect();
    if !credentials.is_empty() {
        // What is not typed anew stays as it is stored.
        for (name, masked) in &before.credentials {
            credentials.entry(name.clone()).or_insert(json!(masked));
        }
    }
    Ok(json!({"settings": settings, "credentials": credentials, "enabled": sent.has("enabled")}))
}

#[derive(Debug, Deserialize)]
struct Tested {
    ok: bool,
    error: Option<carillon_domain::Failure>,
}

/// `POST /console/integrations/{provider}/test`
pub async fn test(desk: Desk, Path(name): Path<String>, sent: Sent) -> Result<Response, Refusal> {
    let path = format!("/v1/integrations/{}/test", api::segment(&name));
    let tested: Tested = desk.api.post(&path, &json!({}), sent.filled("once")).await?;
    if tested.ok {
        return Ok(Redirect::to("/console/integrations?done=tested").into_response());
    }
    let why = tested.error.map_or_else(|| "It did not say why.".to_owned(), |error| error.detail);
    let failed = format!("{} refused the test: {why}", words(&name));
    Ok(page::ok(&make(&desk, None, Some(failed)).await?))
}

#[cfg(test)]
impl IntegrationsPage {
    pub fn sample() -> Self {
        let text = crate::page::tests::HOSTILE;
        let account = |provider: &str| -> Integration {
            serde_json::from_value(json!({
                "provider": provider, "channel": text, "configured": true, "enabled": true,
                "status": "failing", "balance": {"amount": text, "currency": text},
                "last_error": text, "last_tested_at": "2026-11-21T09:00:00Z",
                "settings": {"from": text, "price_table": {text: {"amount": text, "currency": text}}},
                "credentials": {"auth_token": text},
                "callback_urls": {"status": text, "inbound": text},
            }))
            .expect("an integration")
        };
        let mut errors = Errors::whole(text);
        errors.add("from", text);
        let card = |name| Card::of(account(name), text.to_owned(), errors.clone(), None);
        Self {
            frame: Frame::sample(),
            cards: ["twilio", "fast2sms"].map(card).into(),
            failed: Some(text.to_owned()),
        }
    }
}
