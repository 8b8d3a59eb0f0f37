//! The change that a form asks for. A field that it does not have stays as it is.

use carillon_domain::settings::Settings;
use carillon_domain::{Channel, Purpose};
use serde_json::{Map, Value, json};

use super::form::{
    CONSENT, DAYS, FILLED_NUMBERS, Form, HOURS, NOTICES, NUMBERS, QUIET, SPEND, TEXTS,
};

/// The channels' own quiet hours are kept: the form has one window for all.
pub(super) fn of(form: &Form, before: &Settings) -> Value {
    let mut patch = json!({"sending_enabled": form.has("sending")});
    for name in ["time_zone", "unknown_policy", "keyword_answers"] {
        put(form, &mut patch, name, || json!(form.at(name)));
    }
    for name in TEXTS {
        put(form, &mut patch, name, || json!(filled(form, name)));
    }
    for name in NUMBERS.into_iter().chain(FILLED_NUMBERS) {
        put(form, &mut patch, name, || number(form, name));
    }
    for name in SPEND {
        let limit = |amount| json!({"amount": amount, "currency": form.at("currency")});
        put(form, &mut patch, name, || json!(filled(form, name).map(limit)));
    }
    patch["retention"] = numbers(form, &DAYS);
    let mut booking = numbers(form, &HOURS);
    patch["quiet_hours"] = quiet_hours(form, before);
    if form.is_whole {
        for name in NOTICES {
            booking[name] = json!(form.has(name));
        }
        let needed = [Purpose::Transactional, Purpose::Promotional].map(|p| p.as_str());
        let needed = needed.into_iter().filter(|p| form.has(&format!("{CONSENT}.{p}")));
        patch["consent_required"] = json!(needed.collect::<Vec<_>>());
        patch["notify"] = form.told.iter().map(super::told::Told::json).collect();
    }
    patch["booking"] = booking;
    patch
}

fn quiet_hours(form: &Form, before: &Settings) -> Value {
    if !form.has("quiet") {
        return Value::Null;
    }
    let mut quiet = json!(before.quiet_hours.clone().unwrap_or_default());
    quiet["start"] = json!(form.at("start"));
    quiet["end"] = json!(form.at("end"));
    if form.is_whole {
        let channels = Channel::ALL.into_iter().map(Channel::as_str);
        let chosen = channels.filter(|name| form.has(&format!("{QUIET}.{name}")));
        quiet["channels"] = json!(chosen.collect::<Vec<_>>());
    }
    quiet
}

fn put(form: &Form, patch: &mut Value, name: &str, value: impl FnOnce() -> Value) {
    if form.was_sent(name) {
        patch[name] = value();
    }
}

fn numbers(form: &Form, names: &[&str]) -> Value {
    let sent = names.iter().filter(|name| form.was_sent(name));
    let all: Map<_, _> = sent.map(|name| ((*name).to_owned(), number(form, name))).collect();
    Value::Object(all)
}

fn filled<'a>(form: &'a Form, name: &str) -> Option<&'a str> {
    Some(form.at(name)).filter(|text| !text.is_empty())
}

/// What is no number is sent as it is, for the API to say so.
fn number(form: &Form, name: &str) -> Value {
    match filled(form, name) {
        None => Value::Null,
        Some(text) => {
            text.replace(',', "").parse::<u32>().map_or_else(|_| json!(text), |n| json!(n))
        }
    }
}
