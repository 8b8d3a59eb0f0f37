//! Idempotency keys: what the first request with a key was, and its answer.

use carillon_domain::{MessageId, OrgId};
use jiff::{SignedDuration, Timestamp};

use crate::attributes::{Item, Reader, Writer, n};
use crate::{Result, Store, keys};

/// How long an answer is repeated.
const REPLAYED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// Of a key that made a message, besides the time that messages are kept.
const GUARDED_FOR: SignedDuration = SignedDuration::from_hours(365 * 24);

/// What is kept of the first request with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    pub request_hash: String,
    /// Id of what the request made.
    pub id: String,
    /// The first answer's body; empty once it is not repeated any more.
    pub answer: String,
    pub at: Timestamp,
}

impl Store {
    /// Remembers a request under its key, unless one is remembered. Answers
    /// that one. Written before what the request makes, so that a repeat after
    /// a crash makes the same thing.
    pub async fn remember(
        &self,
        org: OrgId,
        scope: &str,
        key: &str,
        new: &Remembered,
    ) -> Result<Option<Remembered>> {
        // A repeat writes nothing, and above all no answer.
        if let Some(first) = self.remembered(org, scope, key).await? {
            return Ok(Some(first));
        }
        let mut w = Writer::new(&keys::idempotency(org, scope, key));
        w.text("rh", &new.request_hash).text("id", &new.id).time("ca", new.at);
        let ttl = n((new.at + REPLAYED_FOR).as_second());
        // The answer to a message says whom it is for, and is the person's. Its
        // key goes on counting, so that it never makes a second message.
        match new.id.parse::<MessageId>() {
            Ok(id) => {
                let mut answer = Writer::new(&keys::answer(org, id));
                answer.text("an", &new.answer).put("ttl", ttl);
                self.put(answer.done()).await?;
                // As long as the message may be there, and a year more: it may
                // have waited.
                let until = new.at.checked_add(GUARDED_FOR).unwrap_or(new.at);
                if let Some(end) = self.end_beside(org, until, new.at).await {
                    w.put("ttl", end);
                }
            }
            Err(_) => {
                w.text("an", &new.answer).put("ttl", ttl);
            }
        }
        let first = self.put_if(w.done(), "attribute_not_exists(pk)", None).await?;
        match first {
            Some(first) => self.with_answer(org, &first).await.map(Some),
            None => Ok(None),
        }
    }

    /// What is remembered under a key.
    pub async fn remembered(
        &self,
        org: OrgId,
        scope: &str,
        key: &str,
    ) -> Result<Option<Remembered>> {
        match self.get(&keys::idempotency(org, scope, key), true).await? {
            Some(first) => self.with_answer(org, &first).await.map(Some),
            None => Ok(None),
        }
    }

    /// The row with its answer, which may have one of its own.
    async fn with_answer(&self, org: OrgId, first: &Item) -> Result<Remembered> {
        let mut first = read(first)?;
        if first.answer.is_empty()
            && let Ok(id) = first.id.parse::<MessageId>()
            && let Some(answer) = self.get(&keys::answer(org, id), true).await?
        {
            Reader::new("answer", &answer).text("an")?.clone_into(&mut first.answer);
        }
        Ok(first)
    }
}

fn read(item: &Item) -> Result<Remembered> {
    let r = Reader::new("idempotency key", item);
    Ok(Remembered {
        request_hash: r.text("rh")?.to_owned(),
        id: r.text("id")?.to_owned(),
        answer: r.maybe_text("an").unwrap_or_default().to_owned(),
        at: r.time("ca")?,
    })
}
