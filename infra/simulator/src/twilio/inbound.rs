//! Messages from people, on their way to the inbound webhook; STOP and START set and lift the
//! provider's own block, as Twilio does before anybody is called.

use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::API;
use crate::{
    account::DEFAULT_ACCOUNT_SID,
    app::Shared,
    callback::{self, Carried, Kind},
    clock,
    database::State,
    error::{Error, Result},
    message::Message,
    random, segments,
    settings::Provider,
};

/// Body of `POST /sim/inbound`.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inbound {
    /// The person's number.
    pub from: String,
    /// Our number.
    pub to: String,
    pub body: String,
    /// [`DEFAULT_ACCOUNT_SID`] when not given.
    #[serde(default)]
    pub account_sid: Option<String>,
    /// The setting `twilio_inbound_url` when not given.
    #[serde(default)]
    pub url: Option<String>,
    #[serde(default)]
    pub messaging_service_sid: Option<String>,
    /// Whether a keyword carries `OptOutType`; the setting when not given.
    #[serde(default)]
    pub opt_out_type: Option<bool>,
    /// Sign with a token that is not the account's.
    #[serde(default)]
    pub wrong_signature: bool,
}

/// What came of the first attempt; later ones show under `/sim/messages?direction=inbound`.
#[derive(Clone, Serialize)]
pub struct InboundAnswer {
    pub message_sid: String,
    /// HTTP status of the webhook; null when it could not be reached.
    pub answer_status: Option<u16>,
    /// Its body, TwiML as a rule.
    pub answer: Option<String>,
    pub problem: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Keyword {
    Stop,
    Start,
    Help,
}

/// Twilio's defaults: the whole message, whatever the case.
fn keyword(body: &str) -> Option<Keyword> {
    match body.trim().to_ascii_uppercase().as_str() {
        "STOP" | "STOPALL" | "UNSUBSCRIBE" | "CANCEL" | "END" | "QUIT" | "REVOKE" | "OPTOUT" => {
            Some(Keyword::Stop)
        }
        "START" | "UNSTOP" | "YES" => Some(Keyword::Start),
        "HELP" | "INFO" => Some(Keyword::Help),
        _ => None,
    }
}

/// Takes a message from a person and tries the webhook once; the courier goes on if that fails.
pub(crate) async fn receive(app: &Shared, inbound: Inbound) -> Result<InboundAnswer> {
    let sid = format!("SM{}", random::hex32()?);
    let (at_ms, now_ms) = (app.now_ms(), clock::wall_ms());
    let stored = sid.clone();
    let due = app
        .database
        .call(move |state| {
            let id = store(state, inbound, stored, at_ms, now_ms)?;
            callback::take_one(state, id)
        })
        .await?;
    let Some(due) = due else {
        return Err(Error::Stopped);
    };
    // A task of its own: the message is on its way even if whoever sent it hangs up.
    let courier = app.courier.clone();
    let carried = tokio::spawn(async move { courier.deliver(&due).await })
        .await
        .map_err(|_| Error::Stopped)??;
    let (answer_status, answer, problem) = match carried {
        Carried::Answered { status, body } => (Some(status), Some(body), None),
        Carried::Unreachable { problem } => (None, None, Some(problem)),
    };
    Ok(InboundAnswer { message_sid: sid, answer_status, answer, problem })
}

fn store(state: &mut State, inbound: Inbound, sid: String, at_ms: i64, now_ms: i64) -> Result<i64> {
    let settings = &state.settings;
    let Some(url) = inbound.url.clone().or(settings.twilio_inbound_url.clone()) else {
        return Err(Error::Control(
            "give a url, or set twilio_inbound_url by POST /sim/settings".to_owned(),
        ));
    };
    let account = inbound.account_sid.clone().unwrap_or_else(|| DEFAULT_ACCOUNT_SID.to_owned());
    let word = keyword(&inbound.body);
    block(state, &account, &inbound, word)?;
    let tells = inbound.opt_out_type.unwrap_or(settings.opt_out_type);
    let fields = fields(&account, &sid, &inbound, word.filter(|_| tells));
    let message = Message {
        seq: 0,
        provider: Provider::Twilio.name().to_owned(),
        direction: "inbound".to_owned(),
        segments: segments::count(&inbound.body),
        account,
        sid: Some(sid),
        to: inbound.to.clone(),
        wire_to: inbound.to,
        sender: Some(inbound.from),
        service: inbound.messaging_service_sid,
        body: inbound.body,
        media: 0,
        reference: None,
        at_ms,
        received_ms: now_ms,
        accepted: true,
        code: None,
        fault: None,
        sent_ms: None,
        final_ms: None,
        final_status: None,
        final_code: None,
        request: serde_json::Value::Null,
    };
    let seq = message.insert(&state.connection)?;
    callback::insert(
        &state.connection,
        &callback::New {
            message: seq,
            kind: Kind::Inbound,
            status: "received",
            account: &message.account,
            url: &url,
            content: serde_json::to_string(&fields).map_err(Error::Stored)?,
            wrong_signature: inbound.wrong_signature,
            due_ms: now_ms,
            after: None,
        },
    )
}

/// The block holds between a person and the number (or service) they replied to.
fn block(state: &State, account: &str, inbound: &Inbound, word: Option<Keyword>) -> Result<()> {
    let statement = match word {
        Some(Keyword::Stop) => {
            "INSERT OR IGNORE INTO block (account, number, sender) VALUES (?1, ?2, ?3)"
        }
        Some(Keyword::Start) => {
            "DELETE FROM block WHERE account = ?1 AND number = ?2 AND sender = ?3"
        }
        Some(Keyword::Help) | None => return Ok(()),
    };
    for sender in [Some(&inbound.to), inbound.messaging_service_sid.as_ref()].into_iter().flatten()
    {
        state.connection.execute(statement, params![account, inbound.from, sender])?;
    }
    Ok(())
}

fn fields(
    account: &str,
    sid: &str,
    inbound: &Inbound,
    word: Option<Keyword>,
) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("MessageSid", sid.to_owned()),
        ("SmsSid", sid.to_owned()),
        ("SmsMessageSid", sid.to_owned()),
        ("AccountSid", account.to_owned()),
        ("From", inbound.from.clone()),
        ("To", inbound.to.clone()),
        ("Body", inbound.body.clone()),
        ("NumMedia", "0".to_owned()),
        ("NumSegments", segments::count(&inbound.body).to_string()),
        ("SmsStatus", "received".to_owned()),
        ("ApiVersion", API.to_owned()),
    ];
    for name in [
        "FromCity",
        "FromState",
        "FromZip",
        "FromCountry",
        "ToCity",
        "ToState",
        "ToZip",
        "ToCountry",
    ] {
        // Twilio sends them empty when it does not know.
        fields.push((name, String::new()));
    }
    if let Some(service) = &inbound.messaging_service_sid {
        fields.push(("MessagingServiceSid", service.clone()));
    }
    if let Some(word) = word {
        let name = match word {
            Keyword::Stop => "STOP",
            Keyword::Start => "START",
            Keyword::Help => "HELP",
        };
        fields.push(("OptOutType", name.to_owned()));
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_message_is_a_keyword() {
        for (body, expected) in [
            ("STOP", Some(Keyword::Stop)),
            (" stop\n", Some(Keyword::Stop)),
            ("Revoke", Some(Keyword::Stop)),
            ("STOP PLEASE", None),
            ("unstop", Some(Keyword::Start)),
            ("yes", Some(Keyword::Start)),
            ("info", Some(Keyword::Help)),
            ("", None),
        ] {
            assert_eq!(keyword(body), expected, "{body:?}");
        }
    }
}
