//! Who is signed in to the console. All rows go by themselves (`ttl`), hours or days after they ended: whether
//! one is still good is decided when it is read.

use carillon_domain::session::{Holder, LONGEST, Session};
use carillon_domain::{MemberId, OrgId};
use jiff::Timestamp;

use crate::attributes::{Item, Reader, Writer};
use crate::{Result, Store, keys};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSession {
    pub holder: Holder,
    pub times: Session,
}

impl Store {
    /// Somebody signs in; `hash` is of the cookie.
    pub async fn begin_session(&self, hash: &str, session: &StoredSession) -> Result<()> {
        self.put(write(hash, session)).await
    }

    /// As of now: one that was ended a moment ago is gone.
    pub async fn session(&self, hash: &str) -> Result<Option<StoredSession>> {
        self.get(&keys::session(hash), true).await?.as_ref().map(read).transpose()
    }

    /// Something was done in it; or its holder changed. A session that was ended meanwhile stays so.
    pub async fn keep_session(&self, hash: &str, session: &StoredSession) -> Result<()> {
        self.put_if(write(hash, session), "attribute_exists(pk)", None).await.map(drop)
    }

    /// False when there was none.
    pub async fn end_session(&self, hash: &str) -> Result<bool> {
        self.delete_row(&keys::session(hash)).await
    }

    /// Ends all sessions that began until now, of whoever this is.
    pub async fn sign_out_everywhere(&self, holder: &Holder, now: Timestamp) -> Result<()> {
        let mut w = Writer::new(&keys::signed_out(&holder.name()));
        w.time("at", now).number("ttl", (now + LONGEST).as_second());
        self.put(w.done()).await
    }

    /// When somebody ended all his sessions, if that still matters.
    pub async fn signed_out_at(&self, holder: &Holder) -> Result<Option<Timestamp>> {
        let item = self.get(&keys::signed_out(&holder.name()), true).await?;
        item.map(|item| Reader::new("sign-out", &item).time("at")).transpose()
    }

    /// An attempt to sign in begins; it can be used once, until `end`.
    pub async fn begin_attempt(&self, name: &str, end: Timestamp) -> Result<()> {
        let mut w = Writer::new(&keys::attempt(name));
        w.number("ttl", end.as_second());
        self.put(w.done()).await
    }

    /// Uses it up. False when there is none, it was used, or it is too old.
    pub async fn take_attempt(&self, name: &str, now: Timestamp) -> Result<bool> {
        let key = keys::attempt(name);
        let Some(item) = self.get(&key, true).await? else { return Ok(false) };
        let end: i64 = Reader::new("attempt", &item).number("ttl")?;
        // Of two that come at once, one deletes it.
        Ok(self.delete_row(&key).await? && now.as_second() < end)
    }
}

fn write(hash: &str, session: &StoredSession) -> Item {
    let mut w = Writer::new(&keys::session(hash));
    match &session.holder {
        Holder::Key { hash } => w.text("kh", hash),
        Holder::Member { org, id, identity } => {
            w.text("org", org.key()).text("mem", id.key()).text("idn", identity)
        }
    };
    w.time("ca", session.times.began_at).time("sa", session.times.seen_at);
    w.number("ttl", session.times.ends_at().as_second());
    w.done()
}

fn read(item: &Item) -> Result<StoredSession> {
    let r = Reader::new("session", item);
    let holder = match r.maybe_text("kh") {
        Some(hash) => Holder::Key { hash: hash.to_owned() },
        None => Holder::Member {
            org: OrgId::from_key(r.text("org")?)?,
            id: MemberId::from_key(r.text("mem")?)?,
            identity: r.text("idn")?.to_owned(),
        },
    };
    let times = Session { began_at: r.time("ca")?, seen_at: r.time("sa")? };
    Ok(StoredSession { holder, times })
}
