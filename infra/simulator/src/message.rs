//! What the simulated providers received: one row a recipient, refused ones too.
//!
//! Facts are stored; the status of a message is derived from its times.

use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde_json::Value;

use crate::{
    error::{Error, Result},
    settings::Outcome,
};

/// When a message leaves, arrives, and how it ends. Milliseconds of the wall clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Plan {
    /// `None`: it never leaves the provider.
    pub sent_ms: Option<i64>,
    pub final_ms: i64,
    pub outcome: Outcome,
    pub code: Option<u32>,
}

impl Plan {
    pub fn new(received_ms: i64, total_ms: u64, outcome: Outcome, code: Option<u32>) -> Self {
        let total = i64::try_from(total_ms).unwrap_or(i64::MAX / 4);
        let half = received_ms + total / 2;
        let failed = matches!(outcome, Outcome::Undelivered | Outcome::Failed);
        Self {
            sent_ms: (outcome != Outcome::Failed).then_some(half),
            final_ms: match outcome {
                Outcome::Sent => half,
                _ => received_ms + total,
            },
            outcome,
            code: failed.then_some(code.unwrap_or(30_003)),
        }
    }
}

#[derive(Clone)]
pub(crate) struct Message {
    /// 0 until it is stored.
    pub seq: i64,
    pub provider: String,
    pub direction: String,
    pub account: String,
    /// The provider's id; none when refused.
    pub sid: Option<String>,
    pub to: String,
    pub wire_to: String,
    pub sender: Option<String>,
    pub service: Option<String>,
    pub body: String,
    pub segments: u32,
    pub media: u32,
    /// What the caller gave to be told apart: Twilio's callback address, Fast2SMS's udf1.
    pub reference: Option<String>,
    pub at_ms: i64,
    pub received_ms: i64,
    pub accepted: bool,
    pub code: Option<u32>,
    pub fault: Option<String>,
    pub sent_ms: Option<i64>,
    pub final_ms: Option<i64>,
    pub final_status: Option<String>,
    pub final_code: Option<u32>,
    /// The fields as they came, without credentials.
    pub request: Value,
}

const COLUMNS: &str = "seq, provider, direction, account, sid, to_number, wire_to, sender, service, \
     body, segments, media, reference, at_ms, received_ms, accepted, code, fault, sent_ms, \
     final_ms, final_status, final_code, request";

impl Message {
    pub fn plan(&mut self, plan: Plan) {
        self.sent_ms = plan.sent_ms;
        self.final_ms = Some(plan.final_ms);
        self.final_status = Some(plan.outcome.name().to_owned());
        self.final_code = plan.code;
    }

    /// Twilio's word for where it is at `now_ms` of the wall clock.
    pub fn status_at(&self, now_ms: i64) -> &str {
        if !self.accepted {
            return "refused";
        }
        if self.direction == "inbound" {
            return "received";
        }
        match (&self.final_status, self.final_ms) {
            (Some(status), Some(at)) if now_ms >= at => return status,
            _ => {}
        }
        if self.sent_ms.is_some_and(|at| now_ms >= at) {
            return "sent";
        }
        let leaves = self.sent_ms.or(self.final_ms).unwrap_or(i64::MAX);
        if now_ms >= self.received_ms + (leaves - self.received_ms) / 2 {
            "sending"
        } else if self.service.is_some() {
            "accepted"
        } else {
            "queued"
        }
    }

    /// When it left, by the simulator's clock.
    pub fn sent_at_ms(&self, now_ms: i64) -> Option<i64> {
        self.sent_ms
            .filter(|sent| *sent <= now_ms)
            .map(|sent| self.at_ms + (sent - self.received_ms))
    }

    pub fn ended(&self, now_ms: i64) -> bool {
        self.final_ms.is_some_and(|at| now_ms >= at)
    }

    /// Stores it and gives its number in the order of arrival.
    pub fn insert(&self, connection: &Connection) -> Result<i64> {
        connection
            .prepare_cached(
                "INSERT INTO message (provider, direction, account, sid, to_number, wire_to, sender,
                 service, body, segments, media, reference, at_ms, received_ms, accepted, code,
                 fault, sent_ms, final_ms, final_status, final_code, request)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
                 ?17, ?18, ?19, ?20, ?21, ?22)",
            )?
            .execute(params![
                self.provider,
                self.direction,
                self.account,
                self.sid,
                self.to,
                self.wire_to,
                self.sender,
                self.service,
                self.body,
                self.segments,
                self.media,
                self.reference,
                self.at_ms,
                self.received_ms,
                self.accepted,
                self.code,
                self.fault,
                self.sent_ms,
                self.final_ms,
                self.final_status,
                self.final_code,
                self.request.to_string(),
            ])?;
        Ok(connection.last_insert_rowid())
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let request: String = row.get(22)?;
        Ok(Self {
            seq: row.get(0)?,
            provider: row.get(1)?,
            direction: row.get(2)?,
            account: row.get(3)?,
            sid: row.get(4)?,
            to: row.get(5)?,
            wire_to: row.get(6)?,
            sender: row.get(7)?,
            service: row.get(8)?,
            body: row.get(9)?,
            segments: row.get(10)?,
            media: row.get(11)?,
            reference: row.get(12)?,
            at_ms: row.get(13)?,
            received_ms: row.get(14)?,
            accepted: row.get(15)?,
            code: row.get(16)?,
            fault: row.get(17)?,
            sent_ms: row.get(18)?,
            final_ms: row.get(19)?,
            final_status: row.get(20)?,
            final_code: row.get(21)?,
            request: serde_json::from_str(&request).unwrap_or(Value::Null),
        })
    }
}

/// Messages by a condition in SQL; `rest` is everything after `FROM message`.
pub(crate) fn select(
    connection: &Connection,
    rest: &str,
    values: &[(&str, &dyn rusqlite::ToSql)],
) -> Result<Vec<Message>> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM message {rest}"))?;
    let rows = statement.query_map(values, Message::read)?;
    rows.collect::<rusqlite::Result<_>>().map_err(Error::from)
}

/// One row as `/sim/messages` and [`Running::received`](crate::Running::received) show it.
#[derive(Clone, Serialize)]
pub struct Received {
    /// Order of arrival.
    pub seq: i64,
    /// `twilio` or `fast2sms`.
    pub provider: String,
    /// `outbound` or `inbound`.
    pub direction: String,
    pub account: String,
    /// Message sid or request id; null when refused.
    pub provider_message_id: Option<String>,
    /// E.164.
    pub to: String,
    /// As it was written on the wire.
    pub wire_to: String,
    pub from: Option<String>,
    pub messaging_service_sid: Option<String>,
    /// Of Fast2SMS's DLT route: the rendered text if its template is set, else `id|values`.
    pub body: String,
    pub segments: u32,
    /// Twilio's StatusCallback, Fast2SMS's udf1.
    pub reference: Option<String>,
    /// RFC 3339, by the simulator's clock.
    pub at: String,
    pub accepted: bool,
    /// The provider's code of a refusal.
    pub code: Option<u32>,
    /// The settable failure that struck it.
    pub fault: Option<String>,
    /// `refused`, or where it is now in Twilio's words.
    pub status: String,
    pub error_code: Option<u32>,
    /// All fields as they came, without credentials.
    pub request: Value,
    pub callbacks: Vec<crate::callback::Made>,
}

/// Without what is personal: the number and the text.
impl std::fmt::Debug for Received {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Received")
            .field("seq", &self.seq)
            .field("provider", &self.provider)
            .field("accepted", &self.accepted)
            .field("code", &self.code)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl Message {
    pub fn received(self, now_ms: i64, callbacks: Vec<crate::callback::Made>) -> Received {
        Received {
            status: self.status_at(now_ms).to_owned(),
            error_code: self.final_code.filter(|_| self.ended(now_ms)),
            at: crate::clock::rfc3339(self.at_ms),
            seq: self.seq,
            provider: self.provider,
            direction: self.direction,
            account: self.account,
            provider_message_id: self.sid,
            to: self.to,
            wire_to: self.wire_to,
            from: self.sender,
            messaging_service_sid: self.service,
            body: self.body,
            segments: self.segments,
            reference: self.reference,
            accepted: self.accepted,
            code: self.code,
            fault: self.fault,
            request: self.request,
            callbacks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_follow_the_outcome() {
        for (outcome, code, sent, end, expected) in [
            (Outcome::Delivered, Some(30_007), Some(1050), 1100, None),
            (Outcome::Undelivered, None, Some(1050), 1100, Some(30_003)),
            (Outcome::Failed, Some(30_001), None, 1100, Some(30_001)),
            (Outcome::Sent, None, Some(1050), 1050, None),
        ] {
            let plan = Plan::new(1000, 100, outcome, code);
            assert_eq!(
                (plan.sent_ms, plan.final_ms, plan.code),
                (sent, end, expected),
                "{outcome:?}"
            );
        }
    }
}
