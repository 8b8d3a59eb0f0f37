//! A message as a row: short attribute names, compact records. On the usual
//! path the row stays under 1 KB from plan to receipt, so each write is one unit.

use carillon_domain::integration::Money;
use carillon_domain::message::{
    Attempt, AttemptOutcome, Content, Decision, DecisionKind, Direction, Event, EventKind,
    EventSource, Source, State, SuppressionReason,
};
use carillon_domain::segments::Encoding;
use carillon_domain::{
    CampaignId, Channel, ContactId, Failure, FailureReason, ImportId, Lane, Message, MessageId,
    ProviderName, Purpose,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::attributes::{Item, Reader, Writer, n, s};
use crate::keys;
use crate::{Result, StoreError};

/// Version of this row shape.
pub const VERSION: u8 = 1;
/// Longer content moves to a sibling row, which is written once.
const INLINE_BYTES: usize = 420;

/// The message's row, and its sibling when the content is long.
pub fn write(m: &Message) -> (Item, Option<Item>) {
    let mut w = Writer::new(&keys::message(m.org, m.id));
    w.number("v", VERSION).number("ver", m.version).number("gn", m.generation);
    w.text("tk", &m.token);
    if m.direction == Direction::Inbound {
        w.number("in", 1);
    }
    w.text("ch", m.channel.as_str()).text("to", &m.address);
    w.some("us", m.our_address.as_ref(), s);
    if m.purpose != Purpose::Transactional {
        w.text("pu", m.purpose.as_str());
    }
    w.text("ln", m.lane.as_str());
    if let Source::Import { id, page, line } = &m.source {
        w.text("src", id.key()).number("pg", page).number("li", line);
    }
    // The release before takes it for a single one.
    if let Source::Answer { to } = &m.source {
        w.text("an", to.key());
    }
    if let Some(related) = &m.related {
        w.text("rl", json!([related.kind, related.id]).to_string());
    }
    w.some("ct", m.contact, |id| s(id.key())).some("cm", m.campaign, |id| s(id.key()));
    w.some("zn", m.zone.as_ref(), s);
    w.some("int", m.integration, |p| s(p.as_str()));
    w.some("pr", m.provider, |p| s(p.as_str()));
    w.some("pid", m.provider_message_id.as_ref(), s);
    w.some("px", m.price.as_ref(), |p| s(json!([p.amount, p.currency]).to_string()));
    w.time("sf", m.scheduled_for).some("ex", m.expires_at, |t| n(t.as_millisecond()));
    if m.override_quiet_hours {
        w.number("oq", 1);
    }
    w.text("by", &m.created_by).time("ca", m.created_at).time("ua", m.updated_at);
    w.some("sa", m.sent_at, |t| n(t.as_millisecond()));
    w.some("era", m.erased_at, |t| n(t.as_millisecond()));
    write_state(&mut w, m);
    write_record(&mut w, m);
    if let Some(due) = m.due {
        w.text("due", keys::due_partition(m.lane, keys::due_shard(m.id.as_bytes())));
        w.text("due_at", keys::due_at(due, m.generation));
    }
    let sibling = write_content(&mut w, m);
    (w.done(), sibling)
}

fn write_content(w: &mut Writer, m: &Message) -> Option<Item> {
    let c = &m.content;
    w.number("sg", c.segments).some("en", c.encoding, |e| s(e.as_str()));
    w.some("tp", c.template.as_ref(), |t| s(json!([t.id, t.key, t.version]).to_string()));
    if c.flash {
        w.number("fl", 1);
    }
    w.some("fi", c.introduction.as_ref(), s);
    let mut long = Writer::new(&keys::message_body(m.org, m.id));
    let variables =
        if c.variables.is_empty() { String::new() } else { json!(c.variables).to_string() };
    let media = if c.media.is_empty() { String::new() } else { json!(c.media).to_string() };
    let is_long = c.elsewhere || c.body.len() + variables.len() + media.len() > INLINE_BYTES;
    let target = if is_long { &mut long } else { &mut *w };
    target.text("b", &c.body);
    if !variables.is_empty() {
        target.text("va", variables);
    }
    if !media.is_empty() {
        target.text("md", media);
    }
    if is_long {
        w.number("bx", 1);
    }
    // Nothing to write where the content's own row was not read.
    let is_here = !(c.body.is_empty() && c.variables.is_empty() && c.media.is_empty());
    (is_long && is_here).then(|| long.done())
}

fn write_state(w: &mut Writer, m: &Message) {
    let code = match &m.state {
        State::Scheduled => "sch",
        State::Sending { attempt, claimed_at, lease_until } => {
            w.number("sn", attempt).time("st1", *claimed_at).time("st2", *lease_until);
            "snd"
        }
        State::Unknown { attempt, since, not_found, held } => {
            w.number("sn", attempt).time("st1", *since).number("nf", not_found);
            if *held {
                w.number("hd", 1);
            }
            attention(w, m, "unknown", "unknown", *since);
            "unk"
        }
        State::Accepted { attempt, at } => {
            w.number("sn", attempt).time("st1", *at);
            "acc"
        }
        State::Delivered { at } => {
            w.time("st1", *at);
            "dlv"
        }
        State::Read { at } => {
            w.time("st1", *at);
            "rea"
        }
        State::Failed { failure, at, accepted } => {
            w.time("st1", *at).text("fa", failure_json(failure).to_string());
            if *accepted {
                w.number("fx", 1);
            }
            attention(w, m, "failed", &failure.code, *at);
            "fai"
        }
        State::Cancelled { by, at } => {
            w.time("st1", *at).text("cb", by);
            "can"
        }
        State::Suppressed { reason, at } => {
            w.time("st1", *at);
            // The release before knows only four reasons.
            if *reason == SuppressionReason::NoConsent {
                w.text("sr", SuppressionReason::Manual.as_str()).text("sx", reason.as_str());
            } else {
                w.text("sr", reason.as_str());
            }
            "sup"
        }
        State::Received => "rcv",
    };
    w.text("s", code);
}

fn attention(w: &mut Writer, m: &Message, what: &str, code: &str, at: Timestamp) {
    w.text("attn", keys::attention(m.org, what, &keys::month(at)));
    w.text("attn_at", format!("{code}#{:013}", at.as_millisecond()));
}

fn failure_json(f: &Failure) -> Value {
    json!([f.code, f.reason.as_str(), u8::from(f.permanent), f.detail])
}

/// Attempts, events and decisions as arrays of arrays, without field names.
fn write_record(w: &mut Writer, m: &Message) {
    if !m.attempts.is_empty() {
        let attempts: Vec<Value> = m
            .attempts
            .iter()
            .map(|a| {
                let failure = match &a.outcome {
                    AttemptOutcome::Refused(f) => failure_json(f),
                    AttemptOutcome::InFlight
                    | AttemptOutcome::Accepted
                    | AttemptOutcome::Unknown
                    | AttemptOutcome::NotSent => Value::Null,
                };
                json!([
                    a.number,
                    a.provider.as_str(),
                    a.started_at.as_millisecond(),
                    a.ended_at.map(Timestamp::as_millisecond),
                    a.outcome.as_str(),
                    a.http_status,
                    a.code,
                    a.provider_message_id,
                    a.text,
                    failure
                ])
            })
            .collect();
        w.text("at", Value::Array(attempts).to_string());
    }
    if !m.events.is_empty() {
        let events: Vec<Value> = m
            .events
            .iter()
            .map(|e| json!([e.kind.as_str(), e.at.as_millisecond(), e.source.as_str()]))
            .collect();
        w.text("ev", Value::Array(events).to_string());
    }
    if !m.decisions.is_empty() {
        let decisions: Vec<Value> = m
            .decisions
            .iter()
            .map(|d| {
                json!([
                    d.at.as_millisecond(),
                    d.kind.as_str(),
                    d.reason,
                    d.until.map(Timestamp::as_millisecond),
                    d.detail
                ])
            })
            .collect();
        w.text("de", Value::Array(decisions).to_string());
    }
}

/// True when body and variables are in the sibling row.
pub fn has_sibling(item: &Item) -> bool {
    item.contains_key("bx")
}

/// Takes body and variables from the sibling row.
pub fn read_sibling(m: &mut Message, item: &Item) -> Result<()> {
    let r = Reader::new("message body", item);
    r.text("b")?.clone_into(&mut m.content.body);
    m.content.variables = r.json("va")?.unwrap_or_default();
    m.content.media = r.json("md")?.unwrap_or_default();
    Ok(())
}

/// The row as a message; body and variables are empty where they are in the
/// sibling row.
///
/// # Errors
/// When the row is not a message's of a version this release reads.
pub fn read(item: &Item) -> Result<Message> {
    let r = Reader::new("message", item);
    if r.number::<u8>("v")? > VERSION + 1 {
        return Err(r.corrupt("v"));
    }
    let (org, rest) = keys::read_org(r.text("pk")?).ok_or_else(|| r.corrupt("pk"))?;
    let address = rest.strip_prefix("a/").ok_or_else(|| r.corrupt("pk"))?;
    let sort = r.text("sk")?.strip_prefix(keys::MESSAGE_PREFIX).ok_or_else(|| r.corrupt("sk"))?;
    let id = MessageId::from_parts(address, sort).map_err(|_| r.corrupt("sk"))?;
    let source = match r.maybe_text("src") {
        Some(import) => Source::Import {
            id: ImportId::from_key(import).map_err(|_| r.corrupt("src"))?,
            page: r.number("pg")?,
            line: r.number("li")?,
        },
        None if item.contains_key("in") => Source::Person,
        None => match r.maybe_parsed("an", |id| MessageId::from_key(id).ok())? {
            Some(to) => Source::Answer { to },
            None => Source::Single,
        },
    };
    let due = r.maybe_parsed("due_at", keys::read_due_at)?.map(|(at, _)| at);
    Ok(Message {
        id,
        org,
        direction: if item.contains_key("in") { Direction::Inbound } else { Direction::Outbound },
        channel: r.parsed("ch", Channel::parse)?,
        address: r.text("to")?.to_owned(),
        our_address: r.maybe_text("us").map(str::to_owned),
        state: read_state(&r)?,
        content: read_content(&r)?,
        purpose: r.maybe_parsed("pu", Purpose::parse)?.unwrap_or_default(),
        lane: r.parsed("ln", Lane::parse)?,
        source,
        related: r
            .json::<(String, String)>("rl")?
            .map(|(kind, id)| carillon_domain::message::Related { kind, id }),
        contact: r.maybe_parsed("ct", |key| ContactId::from_key(key).ok())?,
        zone: r.maybe_text("zn").map(str::to_owned),
        campaign: r.maybe_parsed("cm", |key| CampaignId::from_key(key).ok())?,
        integration: r.maybe_parsed("int", ProviderName::parse)?,
        provider: r.maybe_parsed("pr", ProviderName::parse)?,
        provider_message_id: r.maybe_text("pid").map(str::to_owned),
        price: r
            .json::<(String, String)>("px")?
            .map(|(amount, currency)| Money { amount, currency }),
        scheduled_for: r.time("sf")?,
        expires_at: r.maybe_time("ex")?,
        override_quiet_hours: r.maybe_number::<u8>("oq")?.is_some(),
        created_by: r.text("by")?.to_owned(),
        created_at: r.time("ca")?,
        updated_at: r.time("ua")?,
        sent_at: r.maybe_time("sa")?,
        erased_at: r.maybe_time("era")?,
        attempts: read_list(&r, "at", attempt)?,
        events: read_list(&r, "ev", event)?,
        decisions: read_list(&r, "de", decision)?,
        due,
        generation: r.number("gn")?,
        version: r.number("ver")?,
        token: r.maybe_text("tk").unwrap_or_default().to_owned(),
        // Never written with the row: any write but a lease is progress.
        idle: r.maybe_number("idle")?.unwrap_or(0),
    })
}

fn read_content(r: &Reader<'_>) -> Result<Content> {
    Ok(Content {
        body: r.maybe_text("b").unwrap_or_default().to_owned(),
        encoding: r.maybe_parsed("en", Encoding::parse)?,
        segments: r.number("sg")?,
        template: r.json("tp")?.map(|(id, key, version)| carillon_domain::message::TemplateRef {
            id,
            key,
            version,
        }),
        variables: r.json("va")?.unwrap_or_default(),
        media: r.json("md")?.unwrap_or_default(),
        flash: r.maybe_number::<u8>("fl")?.is_some(),
        introduction: r.maybe_text("fi").map(str::to_owned),
        elsewhere: r.maybe_number::<u8>("bx")?.is_some(),
    })
}

fn read_state(r: &Reader<'_>) -> Result<State> {
    let at = || r.time("st1");
    Ok(match r.text("s")? {
        "sch" => State::Scheduled,
        "snd" => State::Sending {
            attempt: r.number("sn")?,
            claimed_at: at()?,
            lease_until: r.time("st2")?,
        },
        "unk" => State::Unknown {
            attempt: r.number("sn")?,
            since: at()?,
            not_found: r.number("nf")?,
            held: r.maybe_number::<u8>("hd")?.is_some(),
        },
        "acc" => State::Accepted { attempt: r.number("sn")?, at: at()? },
        "dlv" => State::Delivered { at: at()? },
        "rea" => State::Read { at: at()? },
        "fai" => State::Failed {
            failure: r
                .maybe_parsed("fa", |t| failure(&serde_json::from_str(t).ok()?))?
                .ok_or_else(|| r.corrupt("fa"))?,
            at: at()?,
            accepted: r.maybe_number::<u8>("fx")?.is_some(),
        },
        "can" => State::Cancelled { by: r.text("cb")?.to_owned(), at: at()? },
        "sup" => {
            let newer = r.maybe_parsed("sx", SuppressionReason::parse)?;
            let reason = newer.map_or_else(|| r.parsed("sr", SuppressionReason::parse), Ok)?;
            State::Suppressed { reason, at: at()? }
        }
        "rcv" => State::Received,
        _ => return Err(r.corrupt("s")),
    })
}

fn read_list<T>(r: &Reader<'_>, name: &str, read: impl Fn(&Value) -> Option<T>) -> Result<Vec<T>> {
    let Some(list) = r.json::<Vec<Value>>(name)? else { return Ok(Vec::new()) };
    list.iter().map(|v| read(v).ok_or_else(|| r.corrupt(name))).collect()
}

fn time(v: &Value) -> Option<Timestamp> {
    Timestamp::from_millisecond(v.as_i64()?).ok()
}

fn text(v: &Value) -> Option<String> {
    v.as_str().map(str::to_owned)
}

fn failure(v: &Value) -> Option<Failure> {
    Some(Failure {
        code: text(&v[0])?,
        reason: FailureReason::parse(v[1].as_str()?)?,
        permanent: v[2].as_u64()? == 1,
        detail: text(&v[3])?,
    })
}

fn attempt(v: &Value) -> Option<Attempt> {
    Some(Attempt {
        number: u16::try_from(v[0].as_u64()?).ok()?,
        provider: ProviderName::parse(v[1].as_str()?)?,
        started_at: time(&v[2])?,
        ended_at: time(&v[3]),
        outcome: match v[4].as_str()? {
            "in_flight" => AttemptOutcome::InFlight,
            "accepted" => AttemptOutcome::Accepted,
            "refused" => AttemptOutcome::Refused(failure(&v[9])?),
            "unknown" => AttemptOutcome::Unknown,
            "not_sent" => AttemptOutcome::NotSent,
            _ => return None,
        },
        http_status: v[5].as_u64().and_then(|n| u16::try_from(n).ok()),
        code: text(&v[6]),
        provider_message_id: text(&v[7]),
        text: text(&v[8]),
    })
}

fn event(v: &Value) -> Option<Event> {
    Some(Event {
        kind: EventKind::parse(v[0].as_str()?)?,
        at: time(&v[1])?,
        source: EventSource::parse(v[2].as_str()?)?,
    })
}

fn decision(v: &Value) -> Option<Decision> {
    Some(Decision {
        at: time(&v[0])?,
        kind: DecisionKind::parse(v[1].as_str()?)?,
        reason: text(&v[2])?,
        until: time(&v[3]),
        detail: text(&v[4])?,
    })
}

impl From<carillon_domain::ids::InvalidId> for StoreError {
    fn from(invalid: carillon_domain::ids::InvalidId) -> Self {
        Self::Corrupt { kind: invalid.0, detail: "id".to_owned() }
    }
}
