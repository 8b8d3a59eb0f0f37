//! Idempotency keys: what the first request with a key was, and its answer.

use carillon_domain::OrgId;
use jiff::Timestamp;

use crate::attributes::{Reader, Writer};
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
        let Some(first) = self.put_if(w.done(), "attribute_not_exists(pk)", None).await? else {
            return Ok(None);
        };
        let r = Reader::new("idempotency key", &first);
        Ok(Some(Remembered {
            request_hash: r.text("rh")?.to_owned(),
            id: r.text("id")?.to_owned(),
            answer: r.text("an")?.to_owned(),
            at: r.time("ca")?,
        }))
    }
}
