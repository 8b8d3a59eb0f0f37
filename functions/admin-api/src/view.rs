//! Resources as JSON, with the names of the contract.

use carillon_domain::import::Import;
use carillon_domain::message::{
    Attempt, AttemptOutcome, Decision, Direction, EventKind, Message, State, Status,
};
use carillon_domain::segments::Encoding;
use carillon_domain::{Failure, ProviderName};
use jiff::Timestamp;
use serde_json::{Value, json};

/// RFC 3339 in UTC, to the millisecond where there are any.
pub fn time(at: Timestamp) -> String {
    at.to_string()
}

pub fn failure(f: &Failure) -> Value {
    json!({
        "code": f.code,
        "reason": f.reason.as_str(),
        "detail": f.detail,
        "permanent": f.permanent,
    })
}

pub fn message(m: &Message, now: Timestamp) -> Value {
    let status = m.status(now);
    let error = match &m.state {
        State::Failed { failure: f, .. } => Some(failure(f)),
        _ => None,
    };
    let failed_at = match &m.state {
        State::Failed { at, .. } => Some(*at),
        _ => None,
    };
    let related = |kind: &str| m.related.as_ref().filter(|r| r.kind == kind).map(|r| &r.id);
    let direction = match m.direction {
        Direction::Outbound => "outbound",
        Direction::Inbound => "inbound",
    };
    let (to, from) = match m.direction {
        Direction::Outbound => (Some(&m.address), m.our_address.as_ref()),
        Direction::Inbound => (m.our_address.as_ref(), Some(&m.address)),
    };
    let import = match &m.source {
        carillon_domain::message::Source::Import { id, page: _, line } => {
            json!({"id": id, "line": line})
        }
        carillon_domain::message::Source::Single | carillon_domain::message::Source::Person => {
            Value::Null
        }
    };
    json!({
        "id": m.id,
        "direction": direction,
        "channel": m.channel,
        "to": to.filter(|to| !to.is_empty()),
        "from": from.filter(|from| !from.is_empty()),
        "contact_id": null,
        "status": status.as_str(),
        "body": m.content.body,
        "segments": m.content.segments,
        "encoding": m.content.encoding.map(Encoding::as_str),
        "template": m.content.template.as_ref().map(|t| format!("{}@{}", t.key, t.version)),
        "scheduled_for": time(m.scheduled_for),
        "expires_at": m.expires_at.map(time),
        "override_quiet_hours": m.override_quiet_hours,
        "purpose": m.purpose,
        "integration": m.integration.map(ProviderName::as_str),
        "provider": m.provider.map(ProviderName::as_str),
        "provider_message_id": m.provider_message_id,
        "price": m.price,
        "error": error,
        "campaign_id": null,
        "workshop_id": related("workshop"),
        "booking_id": related("booking"),
        "import": import,
        "variables": m.content.variables,
        "media": m.content.media,
        "flash": m.content.flash,
        "related": m.related,
        "created_by": m.created_by,
        "created_at": time(m.created_at),
        "updated_at": time(m.updated_at),
        "erased_at": m.erased_at.map(time),
        "queued_at": queued_at(m, status).map(time),
        "sent_at": m.sent_at.map(time),
        "delivered_at": m.first(EventKind::Delivered).map(time),
        "read_at": m.first(EventKind::Read).map(time),
        "failed_at": failed_at.map(time),
        "attempts": m.attempts.iter().map(attempt).collect::<Vec<_>>(),
        "events": m.events.iter().map(|e| json!({
            "type": e.kind.as_str(), "at": time(e.at), "source": e.source.as_str(),
        })).collect::<Vec<_>>(),
        "decisions": m.decisions.iter().map(decision).collect::<Vec<_>>(),
    })
}

pub fn decision(d: &Decision) -> Value {
    json!({
        "at": time(d.at),
        "decision": d.kind.as_str(),
        "reason": d.reason,
        "until": d.until.map(time),
        "detail": d.detail,
    })
}

/// A message is queued when its time comes; that is derived, not stored.
fn queued_at(m: &Message, status: Status) -> Option<Timestamp> {
    match status {
        Status::Queued => Some(m.scheduled_for),
        Status::Pending | Status::Cancelled | Status::Received | Status::Suppressed => None,
        Status::Sending
        | Status::Unknown
        | Status::Sent
        | Status::Delivered
        | Status::Read
        | Status::Failed => m.attempts.first().map(|_| m.scheduled_for),
    }
}

fn attempt(a: &Attempt) -> Value {
    let error = match &a.outcome {
        AttemptOutcome::Refused(f) => Some(failure(f)),
        AttemptOutcome::InFlight
        | AttemptOutcome::Accepted
        | AttemptOutcome::Unknown
        | AttemptOutcome::NotSent => None,
    };
    json!({
        "number": a.number,
        "provider": a.provider,
        "started_at": time(a.started_at),
        "ended_at": a.ended_at.map(time),
        "outcome": a.outcome.as_str(),
        "error": error,
        "response": {
            "http_status": a.http_status,
            "code": a.code,
            "id": a.provider_message_id,
            "text": a.text,
        },
    })
}

pub fn import(i: &Import) -> Value {
    json!({
        "id": i.id,
        "status": match (&i.failed, i.is_planned()) {
            (Some(_), _) => "failed",
            (None, true) => "completed",
            (None, false) => "running",
        },
        "error": i.failed,
        "rows": i.rows,
        "processed": i.progress.accepted + i.progress.duplicates + i.progress.rejected,
        "accepted": i.progress.accepted,
        "duplicates": i.progress.duplicates,
        "rejected": i.progress.rejected,
        "channel": i.channel,
        "scheduled_for": time(i.scheduled_for),
        "expires_at": i.expires_at.map(time),
        "created_by": i.created_by,
        "created_at": time(i.created_at),
    })
}
