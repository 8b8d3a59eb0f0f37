//! Delivery reports. The account's owner chooses their format; read are JSON
//! and forms, flat (one report) or nested (`sms_reports`), with our ids in
//! `udf1` and `udf2`. Set up as a JSON POST with all standard fields.

use carillon_domain::ProviderName;
use carillon_domain::receipt::Receipt;
use serde_json::{Map, Value};

use super::codes;
use crate::contract::{Callback, CallbackEvent, Malformed};

pub fn read(callback: &Callback<'_>) -> Result<Vec<CallbackEvent>, Malformed> {
    let body = callback.body.trim_ascii();
    if !body.starts_with(b"{") && !body.starts_with(b"[") {
        return Ok(vec![event(&[&form(callback)])?]);
    }
    let document: Value =
        serde_json::from_slice(body).map_err(|_| Malformed("the body is not JSON"))?;
    let reports = match &document {
        Value::Array(reports) => reports.as_slice(),
        Value::Object(object) => match object.get("sms_reports") {
            Some(Value::Array(reports)) => reports.as_slice(),
            _ => std::slice::from_ref(&document),
        },
        _ => return Err(Malformed("the body is neither an object nor a list")),
    };
    let mut events = Vec::new();
    for report in reports {
        let report = report.as_object().ok_or(Malformed("a report is not an object"))?;
        match report.get("delivery_status") {
            Some(Value::Array(statuses)) => {
                for status in statuses {
                    let status =
                        status.as_object().ok_or(Malformed("a status is not an object"))?;
                    events.push(event(&[status, report])?);
                }
            }
            _ => events.push(event(&[report])?),
        }
    }
    Ok(events)
}

/// A form, or the query where the account's owner chose GET.
fn form(callback: &Callback<'_>) -> Map<String, Value> {
    let query = callback.url.split_once('?').map_or("", |(_, q)| q).as_bytes();
    let fields = if callback.body.is_empty() { query } else { callback.body };
    form_urlencoded::parse(fields).map(|(k, v)| (k.into_owned(), v.into_owned().into())).collect()
}

/// Reads a field from the innermost object that has it.
fn event(objects: &[&Map<String, Value>]) -> Result<CallbackEvent, Malformed> {
    let field = |name: &str| {
        objects.iter().find_map(|object| match object.get(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        })
    };
    let status = field("status").ok_or(Malformed("status is missing"))?;
    let message = field("udf1").and_then(|id| id.parse().ok());
    let provider_message_id = field("request_id");
    if message.is_none() && provider_message_id.is_none() {
        return Err(Malformed("neither udf1 nor request_id is there"));
    }
    let text = field("failure_reason").or_else(|| field("status_description"));
    Ok(codes::kind(&status, text.as_deref()).map_or(CallbackEvent::Ignored, |kind| {
        CallbackEvent::Receipt(Receipt {
            provider: ProviderName::Fast2sms,
            message,
            attempt: field("udf2").and_then(|n| n.parse().ok()),
            provider_message_id,
            kind,
        })
    }))
}
