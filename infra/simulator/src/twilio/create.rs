//! `POST …/Messages.json`: judged, stored with its callbacks in one transaction, then answered.

use axum::{
    body::Bytes,
    extract::{Path, State},
    response::Response,
};
use http::HeaderMap;
use rusqlite::params;

use super::{
    API,
    check::{self, Fields},
    document::{self, Refusal},
};
use crate::{
    account::{self, Basic},
    app::{self, Shared, Verdict},
    callback::{self, Kind},
    clock,
    database::State as Simulated,
    error::{Error, Result},
    fault::{self, Answer, Fault},
    message::{Message, Plan},
    random, segments,
    settings::{FaultKind, Outcome, Provider},
};

/// A request as it arrived, with all that is drawn for it.
struct Arrival {
    account: String,
    basic: Option<Basic>,
    fields: Fields,
    sid: String,
    coin: bool,
    at_ms: i64,
    now_ms: i64,
}

pub(super) async fn create(
    State(app): State<Shared>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response> {
    let fields = Fields::parse(&body);
    let kind = if fields.media > 0 { "MM" } else { "SM" };
    let arrival = Arrival {
        account,
        basic: account::basic(&headers),
        sid: format!("{kind}{}", random::hex32()?),
        coin: random::coin()?,
        at_ms: app.now_ms(),
        now_ms: clock::wall_ms(),
        fields,
    };
    let verdict = app.database.call(move |state| receive(state, arrival)).await?;
    app.courier.wake();
    Ok(verdict.respond().await)
}

fn receive(state: &mut Simulated, arrival: Arrival) -> Result<Verdict> {
    let mut message = row(&arrival);
    let latency_ms = app::latency(state)?;
    if !account::admits(state, &arrival.account, arrival.basic.as_ref())? {
        let answer = refuse(state, message, &Refusal::unauthorized())?;
        return Ok(Verdict { answer, latency_ms });
    }
    let to = [message.to.clone()];
    let fault = fault::strike(state, Provider::Twilio, &to, arrival.now_ms)?;
    message.fault = fault.map(|fault| fault.name().to_owned());
    if let Some(fault) = fault.filter(|fault| !fault.accepted && fault.kind != FaultKind::Code) {
        message.code = (fault.kind == FaultKind::Http429).then_some(20_429);
        message.insert(&state.connection)?;
        let answer = dressed(Some(fault), Refusal::unavailable().answer());
        return Ok(Verdict { answer, latency_ms });
    }
    let honest = match judge(state, &arrival, fault)? {
        Err(refusal) => refuse(state, message, &refusal)?,
        Ok(()) => accept(state, message, &arrival, fault)?,
    };
    let answer = dressed(fault, honest);
    Ok(Verdict { answer, latency_ms })
}

fn dressed(fault: Option<Fault>, honest: Answer) -> Answer {
    let Some(fault) = fault else { return honest };
    fault.answer(Refusal::unavailable().answer(), Refusal::throttled().answer(), honest)
}

fn row(arrival: &Arrival) -> Message {
    let fields = &arrival.fields;
    Message {
        seq: 0,
        provider: Provider::Twilio.name().to_owned(),
        direction: "outbound".to_owned(),
        account: arrival.account.clone(),
        sid: None,
        to: fields.canonical_to(),
        wire_to: fields.to.clone(),
        sender: fields.from.clone(),
        service: fields.service.clone(),
        body: fields.body.clone(),
        segments: segments::count(&fields.body),
        media: u32::try_from(fields.media).unwrap_or(u32::MAX),
        reference: fields.status_callback.clone(),
        at_ms: arrival.at_ms,
        received_ms: arrival.now_ms,
        accepted: false,
        code: None,
        fault: None,
        sent_ms: None,
        final_ms: None,
        final_status: None,
        final_code: None,
        request: fields.request.clone(),
    }
}

/// Set codes first, then what Twilio checks, then numbers that replied STOP.
fn judge(
    state: &Simulated,
    arrival: &Arrival,
    fault: Option<Fault>,
) -> Result<Result<(), Refusal>> {
    let fields = &arrival.fields;
    let to = fields.canonical_to();
    let set = fault.and_then(Fault::refusal_code).or(state.settings.rule(&to).refuse);
    if let Some(code) = set {
        return Ok(Err(check::refusal_of(code, fields)));
    }
    if let Err(refusal) = check::check(fields, &state.settings) {
        return Ok(Err(refusal));
    }
    if state.settings.stop_blocks && blocked(state, &arrival.account, &to, fields)? {
        return Ok(Err(check::unsubscribed()));
    }
    Ok(Ok(()))
}

/// A service sends from any number of its pool, so any number's block counts.
fn blocked(state: &Simulated, account: &str, to: &str, fields: &Fields) -> Result<bool> {
    let blocks: i64 = state
        .connection
        .prepare_cached(
            "SELECT count(*) FROM block WHERE account = ?1 AND number = ?2
             AND (sender = ?3 OR ?4 IS NOT NULL)",
        )?
        .query_row(params![account, to, fields.from, fields.service], |row| row.get(0))?;
    Ok(blocks > 0)
}

fn refuse(state: &Simulated, mut message: Message, refusal: &Refusal) -> Result<Answer> {
    message.code = Some(refusal.code);
    message.insert(&state.connection)?;
    Ok(refusal.answer())
}

fn accept(
    state: &Simulated,
    mut message: Message,
    arrival: &Arrival,
    fault: Option<Fault>,
) -> Result<Answer> {
    let settings = &state.settings;
    let rule = settings.rule(&message.to);
    let later = fault.and_then(Fault::later_code);
    let outcome = match later {
        Some(_) => Outcome::Undelivered,
        None => rule.outcome.unwrap_or_default(),
    };
    let delay = settings.callbacks.delay_ms;
    let total_ms = random::between(delay.0, delay.1)?;
    let plan = Plan::new(arrival.now_ms, total_ms, outcome, later.or(rule.error_code));
    message.plan(plan);
    message.accepted = true;
    message.sid = Some(arrival.sid.clone());
    message.seq = message.insert(&state.connection)?;
    if let (Some(url), false) = (&message.reference, rule.silent) {
        let mut after = None;
        for (status, due_ms) in callback::timetable(&plan, &settings.callbacks, arrival.coin) {
            let new = callback::New {
                message: message.seq,
                kind: Kind::Status,
                status,
                account: &message.account,
                url,
                content: serde_json::to_string(&status_fields(&message, status))
                    .map_err(Error::Stored)?,
                wrong_signature: settings.callbacks.wrong_signature,
                due_ms,
                after,
            };
            after = Some(callback::insert(&state.connection, &new)?);
        }
    }
    // As it is at the moment of acceptance, however short the delays are.
    let created = document::message(&message, message.received_ms.min(plan.final_ms - 1));
    Ok(Answer::Json(201, created))
}

fn status_fields(message: &Message, status: &str) -> Vec<(&'static str, String)> {
    let sid = message.sid.clone().unwrap_or_default();
    let mut fields = vec![
        ("MessageSid", sid.clone()),
        ("SmsSid", sid),
        ("MessageStatus", status.to_owned()),
        ("SmsStatus", status.to_owned()),
        ("AccountSid", message.account.clone()),
        ("From", document::sender(message).to_owned()),
        ("To", message.wire_to.clone()),
        ("ApiVersion", API.to_owned()),
    ];
    if let Some(service) = &message.service {
        fields.push(("MessagingServiceSid", service.clone()));
    }
    if let (true, Some(code)) =
        (message.final_status.as_deref() == Some(status), message.final_code)
    {
        fields.push(("ErrorCode", code.to_string()));
        fields.push(("ErrorMessage", document::explanation(code).to_owned()));
    }
    if let ("delivered" | "undelivered", Some(end)) = (status, message.final_ms) {
        let done = message.at_ms + (end - message.received_ms);
        fields.push(("RawDlrDoneDate", clock::raw_dlr(done)));
    }
    fields
}
