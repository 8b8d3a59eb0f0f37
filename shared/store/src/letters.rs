//! Dead letters that have a row of their own: what was given up and has no row
//! that could say so itself. They wait for a person, not for a time.
//!
//! Each is put once and deleted once, and its id follows from its cause, so a
//! step that is repeated after a crash meets the letter that is there.

use aws_sdk_dynamodb::types::ReturnValue;
use carillon_domain::{LetterId, OrgId};
use jiff::Timestamp;

use crate::attributes::{Item, Reader, Writer};
use crate::keys::Key;
use crate::{Result, Store, keys, unavailable};

/// Version of this row shape.
const VERSION: u8 = 1;

/// Something that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub id: LetterId,
    /// Whose it is; `None` where nothing in it says so.
    pub org: Option<OrgId>,
    pub cause: Cause,
    /// Shown to people.
    pub reason: String,
    pub at: Timestamp,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Cause {
    /// A body of the receive queue that could not be applied.
    Callback { body: String },
    /// A row that waited in the index of what is due and cannot be read. It is
    /// as it was, but nothing finds it there any more.
    Row { key: Key, due: DueKeys },
}

/// Where a row waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueKeys {
    pub partition: String,
    pub at: String,
}

/// The body may hold what a person wrote, and a number.
impl std::fmt::Debug for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Callback { body } => write!(f, "Callback({} bytes)", body.len()),
            Self::Row { key, .. } => write!(f, "Row({}, {})", key.pk, key.sk),
        }
    }
}

impl Letter {
    /// A callback that the queue gave up; `message_id` is the queue's.
    #[must_use]
    pub fn callback(
        org: Option<OrgId>,
        message_id: &str,
        body: String,
        reason: String,
        at: Timestamp,
    ) -> Self {
        let id = LetterId::from_hash(&[b"callback", message_id.as_bytes()]);
        Self { id, org, cause: Cause::Callback { body }, reason, at }
    }

    /// A row that is taken out of the index of what is due.
    #[must_use]
    pub fn row(key: Key, due: DueKeys, reason: String, at: Timestamp) -> Self {
        let org = keys::read_org(&key.pk).map(|(org, _)| org);
        let id = LetterId::from_hash(&[b"row", key.pk.as_bytes(), key.sk.as_bytes()]);
        Self { id, org, cause: Cause::Row { key, due }, reason, at }
    }
}

impl Store {
    /// Puts a letter, once. False when it was there.
    pub async fn put_letter(&self, letter: &Letter) -> Result<bool> {
        let mut w = Writer::new(&keys::letter(letter.org, letter.id));
        w.number("v", VERSION).time("dd", letter.at).text("dr", &letter.reason);
        match &letter.cause {
            Cause::Callback { body } => w.text("kd", "callback").text("b", body),
            Cause::Row { key, due } => {
                w.text("kd", "row").text("rp", &key.pk).text("rs", &key.sk);
                w.text("rd", &due.partition).text("ra", &due.at)
            }
        };
        w.text("attn", keys::dead_letters(letter.org, &keys::month(letter.at)));
        w.text("attn_at", keys::dead_letter_at(letter.at, &letter.id.key()));
        Ok(self.put_if(w.done(), "attribute_not_exists(pk)", None).await?.is_none())
    }

    /// One letter of an organization, or of nobody.
    pub async fn letter(&self, org: Option<OrgId>, id: LetterId) -> Result<Option<Letter>> {
        self.get(&keys::letter(org, id), true).await?.as_ref().map(read).transpose()
    }

    /// Done with. False when somebody else has deleted it.
    pub async fn delete_letter(&self, letter: &Letter) -> Result<bool> {
        let deleted = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(keys::letter(letter.org, letter.id).item()))
            .return_values(ReturnValue::AllOld)
            .send()
            .await
            .map_err(unavailable("delete letter"))?;
        Ok(deleted.attributes.is_some_and(|old| !old.is_empty()))
    }
}

pub fn read(item: &Item) -> Result<Letter> {
    let r = Reader::new("letter", item);
    if r.number::<u8>("v")? > VERSION + 1 {
        return Err(r.corrupt("v"));
    }
    let pk = r.text("pk")?;
    let (org, rest) = match keys::read_org(pk) {
        Some((org, rest)) => (Some(org), rest),
        None => (None, pk.strip_prefix("installation/").ok_or_else(|| r.corrupt("pk"))?),
    };
    let id = rest.strip_prefix("dl/").ok_or_else(|| r.corrupt("pk"))?;
    let cause = match r.text("kd")? {
        "callback" => Cause::Callback { body: r.text("b")?.to_owned() },
        "row" => Cause::Row {
            key: Key { pk: r.text("rp")?.to_owned(), sk: r.text("rs")?.to_owned() },
            due: DueKeys { partition: r.text("rd")?.to_owned(), at: r.text("ra")?.to_owned() },
        },
        _ => return Err(r.corrupt("kd")),
    };
    Ok(Letter {
        id: LetterId::from_key(id)?,
        org,
        cause,
        reason: r.text("dr")?.to_owned(),
        at: r.time("dd")?,
    })
}
