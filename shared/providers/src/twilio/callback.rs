//! Twilio's callbacks: delivery receipts (`…/status`) and messages from people
//! (`…/inbound`), both forms; or, where an account is set to it, JSON with the
//! same fields.
//!
//! Our message id and attempt come back in the query of the callback address
//! (`?m=msg_…&a=1`), which the signature covers. Twilio adds parameters
//! without notice; unknown ones are passed over.

use std::borrow::Cow;
use std::collections::BTreeMap;

use carillon_domain::ProviderName;
use carillon_domain::keywords::Keyword;
use carillon_domain::receipt::{InboundMessage, Receipt};
use url::Url;

use super::codes;
use crate::contract::{Callback, CallbackAccount, CallbackEvent, Malformed};

/// Media that one message can have.
const MAX_MEDIA: usize = 10;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Status,
    Inbound,
}

struct Form<'a> {
    kind: Kind,
    url: Url,
    fields: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

impl<'a> Form<'a> {
    fn read(callback: &Callback<'a>) -> Result<Self, Malformed> {
        let url = Url::parse(callback.url).map_err(|_| Malformed("the address"))?;
        let path = url.path().trim_end_matches('/');
        let kind = match path.rsplit('/').next() {
            Some("status") => Kind::Status,
            Some("inbound") => Kind::Inbound,
            _ => return Err(Malformed("neither a status nor an inbound address")),
        };
        let content_type = (callback.header)("content-type").unwrap_or_default();
        if content_type.trim().starts_with("application/json") {
            return Ok(Self { kind, url, fields: json_fields(callback.body)? });
        }
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(callback.body) {
            fields.entry(name).or_insert(value);
        }
        Ok(Self { kind, url, fields })
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(AsRef::as_ref).filter(|v| !v.is_empty())
    }

    fn either(&self, name: &str, older: &str) -> Option<&str> {
        self.get(name).or_else(|| self.get(older))
    }

    fn query<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.url.query_pairs().find(|(k, _)| k == name)?.1.parse().ok()
    }
}

/// The texts of a flat object, as the form would have them.
fn json_fields<'a>(body: &[u8]) -> Result<BTreeMap<Cow<'a, str>, Cow<'a, str>>, Malformed> {
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(body).map_err(|_| Malformed("the body is not a JSON object"))?;
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    Ok(object.into_iter().filter_map(|(k, v)| Some((k.into(), text(v)?.into()))).collect())
}

pub fn account(callback: &Callback<'_>) -> Option<CallbackAccount> {
    let form = Form::read(callback).ok()?;
    let ours = match form.kind {
        Kind::Inbound => "To",
        Kind::Status => "From",
    };
    let addresses = [form.get(ours), form.get("MessagingServiceSid")];
    Some(CallbackAccount {
        account: form.get("AccountSid")?.to_owned(),
        addresses: addresses.into_iter().flatten().map(str::to_owned).collect(),
    })
}

pub fn read(callback: &Callback<'_>) -> Result<Vec<CallbackEvent>, Malformed> {
    let form = Form::read(callback)?;
    let event = match form.kind {
        Kind::Status => status(&form)?,
        Kind::Inbound => inbound(&form)?,
    };
    Ok(vec![event])
}

fn status(form: &Form<'_>) -> Result<CallbackEvent, Malformed> {
    let sid = form.either("MessageSid", "SmsSid").ok_or(Malformed("MessageSid is missing"))?;
    let status =
        form.either("MessageStatus", "SmsStatus").ok_or(Malformed("MessageStatus is missing"))?;
    let Some(kind) = codes::kind(status, form.get("ErrorCode"), form.get("ErrorMessage")) else {
        return Ok(CallbackEvent::Ignored);
    };
    Ok(CallbackEvent::Receipt(Receipt {
        provider: ProviderName::Twilio,
        message: form.query("m"),
        attempt: form.query("a"),
        provider_message_id: Some(sid.to_owned()),
        kind,
    }))
}

fn inbound(form: &Form<'_>) -> Result<CallbackEvent, Malformed> {
    let sid = form.either("MessageSid", "SmsSid").ok_or(Malformed("MessageSid is missing"))?;
    let from = form.get("From").ok_or(Malformed("From is missing"))?;
    let to = form.get("To").ok_or(Malformed("To is missing"))?;
    // Other channels (`whatsapp:+…`) and short codes are nobody we can text.
    let is_e164 = from.strip_prefix('+').is_some_and(|d| d.bytes().all(|b| b.is_ascii_digit()));
    if !is_e164 {
        return Ok(CallbackEvent::Ignored);
    }
    let count = form.get("NumMedia").and_then(|n| n.parse().ok()).unwrap_or(0).min(MAX_MEDIA);
    let media = (0..count).filter_map(|n| form.get(&format!("MediaUrl{n}"))).map(str::to_owned);
    Ok(CallbackEvent::Inbound(InboundMessage {
        provider: ProviderName::Twilio,
        provider_message_id: sid.to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
        body: form.get("Body").unwrap_or_default().to_owned(),
        media: media.collect(),
        keyword: form.get("OptOutType").and_then(keyword),
    }))
}

/// Set when the service's opt-out management has read the word and answered.
fn keyword(opt_out_type: &str) -> Option<Keyword> {
    match opt_out_type {
        "STOP" => Some(Keyword::Stop),
        "START" => Some(Keyword::Start),
        "HELP" => Some(Keyword::Help),
        _ => None,
    }
}
