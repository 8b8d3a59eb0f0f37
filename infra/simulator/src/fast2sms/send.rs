//! `/dev/bulkV2`: judged, stored with its reports in one transaction, then answered. One row a
//! number; all of a request share its id.

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    response::Response,
};
use http::{HeaderMap, header::CONTENT_TYPE};
use serde_json::{Value, json};

use super::{
    Refusal, admits,
    check::{self, Fields},
    key, report,
};
use crate::{
    app::{self, Shared, Verdict},
    callback::{self, Kind},
    clock,
    database::State as Simulated,
    error::Result,
    fault::{self, Answer, Fault},
    message::{Message, Plan},
    number, random, segments,
    settings::{FaultKind, Outcome, Provider},
};

const PRICE: f64 = 0.20;

struct Arrival {
    key: Option<String>,
    sends: Vec<Fields>,
    request_id: String,
    coin: bool,
    at_ms: i64,
    now_ms: i64,
}

pub(super) async fn by_body(
    State(app): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response> {
    let form = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let sends = if form { vec![Fields::from_pairs(&body)] } else { Fields::from_json(&body) };
    receive(&app, key(&headers, None), sends).await
}

pub(super) async fn by_query(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    let query = query.unwrap_or_default();
    let given = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "authorization")
        .map(|(_, value)| value.into_owned());
    let sends = vec![Fields::from_pairs(query.as_bytes())];
    receive(&app, key(&headers, given.as_deref()), sends).await
}

async fn receive(app: &Shared, key: Option<String>, sends: Vec<Fields>) -> Result<Response> {
    let arrival = Arrival {
        key,
        sends,
        request_id: random::request_id()?,
        coin: random::coin()?,
        at_ms: app.now_ms(),
        now_ms: clock::wall_ms(),
    };
    let verdict = app.database.call(move |state| judge(state, &arrival)).await?;
    app.courier.wake();
    Ok(verdict.respond().await)
}

fn judge(state: &mut Simulated, arrival: &Arrival) -> Result<Verdict> {
    let latency_ms = app::latency(state)?;
    if !admits(state, arrival.key.as_ref()) {
        let answer = refuse(state, arrival, &Refusal::of(412), None)?;
        return Ok(Verdict { answer, latency_ms });
    }
    let numbers: Vec<String> = arrival
        .sends
        .iter()
        .flat_map(Fields::numbers)
        .map(|written| number::canonical(&written))
        .collect();
    let fault = fault::strike(state, Provider::Fast2sms, &numbers, arrival.now_ms)?;
    if let Some(fault) = fault.filter(|fault| !fault.accepted && fault.kind != FaultKind::Code) {
        let code = (fault.kind == FaultKind::Http429).then_some(429);
        write(state, arrival, code, Some(fault))?;
        let answer = dressed(Some(fault), Refusal::of(503).answer());
        return Ok(Verdict { answer, latency_ms });
    }
    let set = fault
        .and_then(Fault::refusal_code)
        .or_else(|| numbers.iter().find_map(|to| state.settings.rule(to).refuse));
    let checked = match set {
        Some(code) => Err(Refusal::of(code)),
        None => arrival
            .sends
            .iter()
            .map(|fields| check::check(fields, &state.settings))
            .collect::<Result<Vec<_>, _>>(),
    };
    let honest = match checked {
        Err(refusal) => refuse(state, arrival, &refusal, fault)?,
        Ok(numbers) => accept(state, arrival, &numbers, fault)?,
    };
    let answer = dressed(fault, honest);
    Ok(Verdict { answer, latency_ms })
}

fn dressed(fault: Option<Fault>, honest: Answer) -> Answer {
    let Some(fault) = fault else { return honest };
    fault.answer(Refusal::of(503).answer(), Refusal::of(429).answer(), honest)
}

fn refuse(
    state: &Simulated,
    arrival: &Arrival,
    refusal: &Refusal,
    fault: Option<Fault>,
) -> Result<Answer> {
    write(state, arrival, Some(refusal.code), fault)?;
    Ok(refusal.answer())
}

/// Rows of a request that was not taken, one a number that was asked for.
fn write(
    state: &Simulated,
    arrival: &Arrival,
    code: Option<u32>,
    fault: Option<Fault>,
) -> Result<()> {
    for fields in &arrival.sends {
        let mut numbers = fields.numbers();
        if numbers.is_empty() {
            numbers.push(String::new());
        }
        for to in &numbers {
            let mut message = row(state, arrival, fields, to);
            message.code = code;
            message.fault = fault.map(|fault| fault.name().to_owned());
            message.insert(&state.connection)?;
        }
    }
    Ok(())
}

fn row(state: &Simulated, arrival: &Arrival, fields: &Fields, to: &str) -> Message {
    let body = fields.text(&state.settings);
    let given = |name| Some(fields.get(name)).filter(|text| !text.is_empty());
    Message {
        seq: 0,
        provider: Provider::Fast2sms.name().to_owned(),
        direction: "outbound".to_owned(),
        account: String::new(),
        sid: None,
        to: number::canonical(to),
        wire_to: to.to_owned(),
        sender: given("sender_id"),
        service: None,
        segments: segments::count(&body),
        body,
        media: 0,
        reference: given("udf1"),
        at_ms: arrival.at_ms,
        received_ms: arrival.now_ms,
        accepted: false,
        code: None,
        fault: None,
        sent_ms: None,
        final_ms: None,
        final_status: None,
        final_code: None,
        request: Value::Object(fields.request.clone()),
    }
}

fn accept(
    state: &Simulated,
    arrival: &Arrival,
    numbers: &[Vec<String>],
    fault: Option<Fault>,
) -> Result<Answer> {
    let mut count = 0_u32;
    let mut segments = 0_u32;
    let mut characters = 0;
    for (fields, numbers) in arrival.sends.iter().zip(numbers) {
        for to in numbers {
            let mut message = row(state, arrival, fields, to);
            message.fault = fault.map(|fault| fault.name().to_owned());
            count += 1;
            segments += message.segments;
            characters = message.body.chars().count();
            keep(state, arrival, message, fault)?;
        }
    }
    let mut document = json!({
        "return": true,
        "request_id": arrival.request_id,
        "message": ["SMS sent successfully."],
    });
    if (arrival.sends.first()).is_some_and(|fields| fields.get("sms_details") == "1") {
        let per_sms = segments.checked_div(count).unwrap_or_default();
        document["sms_details"] = json!({
            "character_count": characters,
            "sms_count": per_sms,
            "per_sms_rate": format!("{PRICE:.2}"),
            "amount_debited": format!("{:.2}", PRICE * f64::from(segments)),
            "sms_language": "english",
        });
    }
    Ok(Answer::Json(200, document))
}

fn keep(
    state: &Simulated,
    arrival: &Arrival,
    mut message: Message,
    fault: Option<Fault>,
) -> Result<()> {
    let settings = &state.settings;
    let rule = settings.rule(&message.to);
    let later = fault.and_then(Fault::later_code);
    let outcome = match later {
        Some(_) => Outcome::Failed,
        None => rule.outcome.unwrap_or_default(),
    };
    let delay = settings.callbacks.delay_ms;
    let total_ms = random::between(delay.0, delay.1)?;
    let plan = Plan::new(arrival.now_ms, total_ms, outcome, later.or(rule.error_code));
    message.plan(plan);
    message.accepted = true;
    message.sid = Some(arrival.request_id.clone());
    message.seq = message.insert(&state.connection)?;
    let Some(url) = settings.fast2sms_webhook_url.as_ref().filter(|_| !rule.silent) else {
        return Ok(());
    };
    let mut after = None;
    // Fast2SMS reports only how it ended.
    for (status, due_ms) in callback::timetable(&plan, &settings.callbacks, arrival.coin) {
        if status == "sent" {
            continue;
        }
        let new = callback::New {
            message: message.seq,
            kind: Kind::Report,
            status,
            account: "",
            url,
            content: report::pushed(&message, status, PRICE).to_string(),
            wrong_signature: false,
            due_ms,
            after,
        };
        after = Some(callback::insert(&state.connection, &new)?);
    }
    Ok(())
}
