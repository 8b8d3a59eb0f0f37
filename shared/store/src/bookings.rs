//! Bookings: one row each, which is due while its notices are not as they should
//! be; a pointer from its client; and its place in the order of beginnings, which
//! is an entry of the attention index and moves with the row's own write.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use carillon_domain::booking::{
    Booking, BookingStatus, ClientReply, Decided, Feedback, Notice, NoticeKind, Overrides, Reply,
    SkipReason, State,
};
use carillon_domain::{BookingId, Channel, ContactId, Lane, MessageId, OrgId};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::attributes::{Item, Reader, Writer, n, s};
use crate::{Result, Store, StoreError, keys, unavailable};

/// Version of this row shape.
const VERSION: u8 = 1;
/// Bookings of one client that are read at most.
const MOST_OF_A_CLIENT: usize = 1_000;
/// Rounds of a change against concurrent ones before it is given up.
const ROUNDS: usize = 8;
/// Pointers read at a time.
const PAGE: i32 = 200;

/// A place in the order of beginnings.
pub type BookingPlace = String;

impl Store {
    pub async fn booking(&self, org: OrgId, id: BookingId) -> Result<Option<Booking>> {
        self.get(&keys::booking(org, id), true).await?.as_ref().map(read).transpose()
    }

    /// Stores it, if it is still at the version it was read at; raises that. A
    /// new one (version 0) is first noted with its client: a note without its
    /// booking is passed over. False when somebody else was first.
    pub async fn save_booking(&self, b: &mut Booking) -> Result<bool> {
        let seen = b.version;
        b.version += 1;
        let met = match seen {
            0 => {
                let pointer = keys::contact_booking(b.org, b.client, b.id);
                self.put(Writer::new(&pointer).done()).await?;
                self.put_if(write(b), "attribute_not_exists(pk)", None).await?
            }
            seen => self.put_if(write(b), "ver = :seen", Some((":seen", n(seen)))).await?,
        };
        // Our own write, whose answer was lost on the way, is done.
        Ok(met.is_none_or(|met| met == write(b)))
    }

    /// A booking is another contact's too: the one that its client became part of.
    pub async fn note_booking(&self, org: OrgId, with: ContactId, id: BookingId) -> Result<()> {
        self.put(Writer::new(&keys::contact_booking(org, with, id)).done()).await
    }

    /// Makes it due `at` that time, so that its notices are looked at again then.
    /// Idempotent; nothing where there is none.
    pub async fn wake_booking(&self, org: OrgId, id: BookingId, at: Timestamp) -> Result<()> {
        for _ in 0..ROUNDS {
            let Some(mut booking) = self.booking(org, id).await? else { return Ok(()) };
            // Also where it is due earlier: that may come too early.
            if booking.due == Some(at) {
                return Ok(());
            }
            booking.due = Some(at);
            if self.save_booking(&mut booking).await? {
                return Ok(());
            }
        }
        Err(StoreError::Contended("a booking"))
    }

    /// Deletes it, if it is as it was read; then the note with its client: a note
    /// without its booking is passed over. False when somebody changed it.
    pub async fn delete_booking(&self, b: &Booking) -> Result<bool> {
        let key = keys::booking(b.org, b.id);
        let deleted = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .condition_expression("attribute_not_exists(pk) OR ver = :seen")
            .expression_attribute_values(":seen", n(b.version))
            .send()
            .await;
        match deleted {
            Ok(_) => {}
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => return Ok(false),
                _ => return Err(unavailable("delete booking")(error)),
            },
        }
        self.delete_row(&keys::contact_booking(b.org, b.client, b.id)).await?;
        Ok(true)
    }

    /// Bookings that begin from `from` on and before `to`, behind the place
    /// `after`, in the order of their beginnings; `None` where one has just moved.
    pub async fn bookings(
        &self,
        org: OrgId,
        (from, to): (Option<Timestamp>, Option<Timestamp>),
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(BookingPlace, Option<Booking>)>> {
        let place = |at: Timestamp| format!("{:013}", at.as_millisecond().max(0));
        let from = from.map_or_else(|| "0".to_owned(), place);
        let low = match after {
            // No key of ours has a character below the space.
            Some(after) if after >= from.as_str() => format!("{after}\u{1}"),
            _ => from,
        };
        let high = to.map_or_else(|| "~".to_owned(), place);
        if low >= high {
            return Ok(Vec::new());
        }
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(keys::ATTENTION_INDEX)
            .key_condition_expression("attn = :attn AND attn_at BETWEEN :low AND :high")
            .expression_attribute_values(":attn", s(keys::bookings(org)))
            .expression_attribute_values(":low", s(low))
            .expression_attribute_values(":high", s(high))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(unavailable("query bookings"))?;
        let mut places = Vec::new();
        for item in answer.items() {
            let r = Reader::new("booking entry", item);
            let key = keys::Key { pk: r.text("pk")?.to_owned(), sk: r.text("sk")?.to_owned() };
            places.push((r.text("attn_at")?.to_owned(), key));
        }
        let wanted: Vec<_> = places.iter().map(|(_, key)| key.clone()).collect();
        let rows = self.get_many(&wanted, false).await?;
        let mut found = Vec::with_capacity(places.len());
        for (place, key) in places {
            let is_it = |row: &&Item| {
                let r = Reader::new("booking", row);
                r.maybe_text("pk") == Some(&key.pk) && r.maybe_text("attn_at") == Some(&place)
            };
            found.push((place.clone(), rows.iter().find(is_it).map(read).transpose()?));
        }
        Ok(found)
    }

    /// The bookings of a client, in the order of their beginnings.
    pub async fn bookings_of(&self, org: OrgId, client: ContactId) -> Result<Vec<Booking>> {
        let pk = keys::contact_partition(org, client);
        let mut wanted = Vec::new();
        let mut after = String::new();
        while wanted.len() < MOST_OF_A_CLIENT {
            let found = self.range(&pk, &after, Some(keys::CONTACT_BOOKING), PAGE).await?;
            for item in &found {
                let r = Reader::new("booking of a contact", item);
                r.text("sk")?.clone_into(&mut after);
                let id = after.strip_prefix(keys::CONTACT_BOOKING).unwrap_or_default();
                wanted.push(keys::booking(org, BookingId::from_key(id)?));
            }
            if found.is_empty() {
                break;
            }
        }
        let rows = self.get_many(&wanted, true).await?;
        let mut bookings = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        bookings.sort_by_key(|b| (b.starts_at, b.id));
        Ok(bookings)
    }
}

fn write(b: &Booking) -> Item {
    let mut w = Writer::new(&keys::booking(b.org, b.id));
    w.number("v", VERSION).number("ver", b.version).number("gn", b.generation);
    w.text("ct", b.client.key()).text("co", &b.coach_name).time("sa", b.starts_at);
    w.number("mi", b.duration_minutes).text("lo", &b.location);
    w.text("st", b.status().as_str());
    match &b.state {
        State::Confirmed => {}
        State::Cancelled { by, at } | State::Completed { by, at } => {
            w.text("sb", by).time("st1", *at);
        }
    }
    if b.overrides != Overrides::default() {
        w.text("ov", json!(b.overrides).to_string());
    }
    w.number("rv", b.revision).time("rt", b.changed_at);
    w.number("mr", b.moved_in).number("ar", b.reassigned_in);
    if !b.notices.is_empty() {
        w.text("ns", json!(b.notices.iter().map(notice).collect::<Vec<_>>()).to_string());
    }
    if let Some(reply) = &b.reply {
        let reply = json!([reply.answer, reply.at.as_millisecond(), reply.message]);
        w.text("re", reply.to_string());
    }
    if let Some(f) = &b.feedback {
        w.text("fb", json!([f.rating, f.comment, f.at.as_millisecond()]).to_string());
    }
    w.text("by", &b.created_by).time("ca", b.created_at).time("ua", b.updated_at);
    w.text("attn", keys::bookings(b.org)).text("attn_at", keys::booking_at(b.starts_at, b.id));
    if let Some(due) = b.due {
        let shard = keys::due_shard(b.id.as_bytes());
        w.text("due", keys::due_partition(Lane::Transactional, shard));
        w.text("due_at", keys::due_at(due, b.generation));
    }
    w.done()
}

fn notice(notice: &Notice) -> Value {
    let what = match notice.what {
        Decided::Planned(id) => id.to_string(),
        Decided::Skipped(why) => why.as_str().to_owned(),
    };
    let at = notice.at.as_millisecond();
    json!([notice.kind, notice.revision, notice.channel, at, what])
}

fn read_notice(value: &Value) -> Option<Notice> {
    let what = value.get(4)?.as_str()?;
    Some(Notice {
        kind: NoticeKind::parse(value.get(0)?.as_str()?)?,
        revision: u32::try_from(value.get(1)?.as_u64()?).ok()?,
        channel: Channel::parse(value.get(2)?.as_str()?)?,
        at: Timestamp::from_millisecond(value.get(3)?.as_i64()?).ok()?,
        what: match what.parse::<MessageId>() {
            Ok(id) => Decided::Planned(id),
            Err(_) => Decided::Skipped(SkipReason::parse(what)?),
        },
    })
}

fn read(item: &Item) -> Result<Booking> {
    let r = Reader::new("booking", item);
    let (org, rest) = r.parsed("pk", keys::read_org)?;
    let id = rest.strip_prefix("bk/").ok_or_else(|| r.corrupt("pk"))?;
    let by = || r.text("sb").map(str::to_owned);
    let state = match r.parsed("st", BookingStatus::parse)? {
        BookingStatus::Confirmed => State::Confirmed,
        BookingStatus::Cancelled => State::Cancelled { by: by()?, at: r.time("st1")? },
        BookingStatus::Completed => State::Completed { by: by()?, at: r.time("st1")? },
    };
    let notices = match r.json::<Vec<Value>>("ns")? {
        None => Vec::new(),
        Some(values) => {
            let all = values.iter().map(read_notice).collect::<Option<Vec<_>>>();
            all.ok_or_else(|| r.corrupt("ns"))?
        }
    };
    let moment = |name: &str, at: i64| Timestamp::from_millisecond(at).map_err(|_| r.corrupt(name));
    let reply = match r.json::<(ClientReply, i64, MessageId)>("re")? {
        None => None,
        Some((answer, at, message)) => Some(Reply { answer, at: moment("re", at)?, message }),
    };
    let feedback = match r.json::<(u8, Option<String>, i64)>("fb")? {
        None => None,
        Some((rating, comment, at)) => Some(Feedback { rating, comment, at: moment("fb", at)? }),
    };
    Ok(Booking {
        id: BookingId::from_key(id)?,
        org,
        client: ContactId::from_key(r.text("ct")?)?,
        coach_name: r.text("co")?.to_owned(),
        starts_at: r.time("sa")?,
        duration_minutes: r.number("mi")?,
        location: r.text("lo")?.to_owned(),
        state,
        overrides: r.json("ov")?.unwrap_or_default(),
        revision: r.number("rv")?,
        changed_at: r.time("rt")?,
        moved_in: r.number("mr")?,
        reassigned_in: r.number("ar")?,
        notices,
        reply,
        feedback,
        created_by: r.text("by")?.to_owned(),
        created_at: r.time("ca")?,
        updated_at: r.time("ua")?,
        due: r.maybe_parsed("due_at", keys::read_due_at)?.map(|(at, _)| at),
        generation: r.number("gn")?,
        version: r.number("ver")?,
    })
}
