//! Idempotency keys: what the first request with a key was, and its answer.

use carillon_domain::OrgId;
use jiff::Timestamp;

use crate::attributes::{Item, Reader, Writer};
use crate::{Result, Store, keys};

/// What is kept of the first request with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    pub request_hash: String,
    /// Id of what the request made.
    pub id: String,
    /// The first answer's body.
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
        let mut w = Writer::new(&keys::idempotency(org, scope, key));
        w.text("rh", &new.request_hash).text("id", &new.id).text("an", &new.answer);
        w.time("ca", new.at);
        let first = self.put_if(w.done(), "attribute_not_exists(pk)", None).await?;
        first.as_ref().map(read).transpose()
    }

    /// What is remembered under a key.
    pub async fn remembered(
        &self,
        org: OrgId,
        scope: &str,
        key: &str,
    ) -> Result<Option<Remembered>> {
        let first = self.get(&keys::idempotency(org, scope, key), true).await?;
        first.as_ref().map(read).transpose()
    }
}

fn read(item: &Item) -> Result<Remembered> {
    let r = Reader::new("idempotency key", item);
    Ok(Remembered {
        request_hash: r.text("rh")?.to_owned(),
        id: r.text("id")?.to_owned(),
        answer: r.text("an")?.to_owned(),
        at: r.time("ca")?,
    })
}
