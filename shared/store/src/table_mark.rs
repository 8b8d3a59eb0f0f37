//! Which table the rows were written for. A restored copy brings the row along,
//! and does not fit it: so a copy is known as one.

use aws_sdk_dynamodb::types::TableDescription;
use carillon_domain::restore::Release;
use jiff::Timestamp;

use crate::attributes::{Item, Reader, Writer, n};
use crate::{Result, Store, StoreError, keys, unavailable};

/// Rounds against others before it is given up.
const ROUNDS: usize = 8;

/// A table as DynamoDB knows it. A restored one has the same rows and another id,
/// whatever it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableIdentity {
    pub name: String,
    pub id: String,
}

/// The rows are in a table that they were not written for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    pub to: TableIdentity,
    pub found_at: Timestamp,
}

/// What the table says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableMark {
    pub table: TableIdentity,
    /// Set from when a copy was found to be one until it is released.
    pub copied: Option<Copied>,
    /// The last release of a copy, and by whom.
    pub release: Option<(Release, String)>,
    /// Raised at every write; each write is conditional on it.
    version: u32,
}

impl TableMark {
    fn new(table: &TableIdentity) -> Self {
        Self { table: table.clone(), copied: None, release: None, version: 0 }
    }

    /// The mark after a look at the table; `None` when nothing changed.
    fn noted(&self, table: &TableIdentity, now: Timestamp) -> Option<Self> {
        let copied = (self.table.id != table.id).then(|| match &self.copied {
            Some(known) if known.to.id == table.id => known.clone(),
            _ => Copied { to: table.clone(), found_at: now },
        });
        (copied != self.copied).then(|| Self { copied, ..self.clone() })
    }
}

impl Store {
    /// The id of the table itself: one call of the control plane, unpaid. (The
    /// local engine has a shorter way, since its answer grows with the table.)
    pub async fn table_id(&self) -> Result<String> {
        let answer = self
            .client
            .describe_table()
            .table_name(&self.table)
            .send()
            .await
            .map_err(unavailable("describe table"))?;
        let corrupt = || StoreError::Corrupt { kind: "table", detail: "no id".to_owned() };
        answer.table.as_ref().and_then(identity).ok_or_else(corrupt)
    }

    /// What the table is called.
    #[must_use]
    pub fn table_name(&self) -> &str {
        &self.table
    }

    /// What the table says of itself; `None` before the first look.
    pub async fn table_mark(&self) -> Result<Option<TableMark>> {
        self.get(&keys::table_mark(), true).await?.as_ref().map(read).transpose()
    }

    /// Compares the rows' table with the one they are in: the first look marks
    /// it, one at a copy notes that it is one.
    pub async fn note_table(&self, table: &TableIdentity, now: Timestamp) -> Result<TableMark> {
        self.change_mark(|mark| match mark {
            None => Some(TableMark::new(table)),
            Some(mark) => mark.noted(table, now),
        })
        .await?
        .ok_or(StoreError::Contended("the table's mark"))
    }

    /// Lets a copy send: from now on the rows are its own. `None` when it is not
    /// known as a copy (any more).
    pub async fn release_table(&self, by: &str, now: Timestamp) -> Result<Option<TableMark>> {
        let mark = self
            .change_mark(|mark| {
                let mark = mark?;
                let copied = mark.copied.as_ref()?;
                let release = Release { found_at: copied.found_at, released_at: now };
                Some(TableMark {
                    table: copied.to.clone(),
                    copied: None,
                    release: Some((release, by.to_owned())),
                    version: mark.version,
                })
            })
            .await?;
        // Also when the first answer was lost and this is its repeat.
        let ours = |mark: &TableMark| {
            mark.release.as_ref().is_some_and(|(r, who)| r.released_at == now && who == by)
        };
        Ok(mark.filter(ours))
    }

    /// Reads the mark, applies `change`, writes it; again when someone else was
    /// first. `change` answers `None` to leave it. Answers it as it now stands.
    async fn change_mark(
        &self,
        change: impl Fn(Option<&TableMark>) -> Option<TableMark>,
    ) -> Result<Option<TableMark>> {
        for _ in 0..ROUNDS {
            let current = self.table_mark().await?;
            let Some(mut changed) = change(current.as_ref()) else { return Ok(current) };
            changed.version = current.as_ref().map_or(1, |mark| mark.version + 1);
            let condition = match &current {
                None => self.put_if(write(&changed), "attribute_not_exists(pk)", None).await?,
                Some(seen) => {
                    let seen = Some((":seen", n(seen.version)));
                    self.put_if(write(&changed), "ver = :seen", seen).await?
                }
            };
            if condition.is_none() {
                return Ok(Some(changed));
            }
        }
        Err(StoreError::Contended("the table's mark"))
    }
}

/// Where DynamoDB gives no id (some emulators), address and time of birth are one.
fn identity(table: &TableDescription) -> Option<String> {
    match table.table_id() {
        Some(id) => Some(id.to_owned()),
        None => {
            let born = table.creation_date_time()?;
            Some(format!("{}@{}", table.table_arn()?, born.to_millis().ok()?))
        }
    }
}

fn write(mark: &TableMark) -> Item {
    let mut w = Writer::new(&keys::table_mark());
    w.number("v", 1).number("ver", mark.version);
    w.text("nm", &mark.table.name).text("id", &mark.table.id);
    if let Some(copied) = &mark.copied {
        w.text("cnm", &copied.to.name).text("cid", &copied.to.id).time("cfa", copied.found_at);
    }
    if let Some((release, by)) = &mark.release {
        w.time("fa", release.found_at).time("ra", release.released_at).text("rb", by);
    }
    w.done()
}

fn read(item: &Item) -> Result<TableMark> {
    let r = Reader::new("table mark", item);
    let copied = match r.maybe_text("cid") {
        Some(id) => Some(Copied {
            to: TableIdentity { name: r.text("cnm")?.to_owned(), id: id.to_owned() },
            found_at: r.time("cfa")?,
        }),
        None => None,
    };
    let release = match r.maybe_time("ra")? {
        Some(released_at) => {
            let release = Release { found_at: r.time("fa")?, released_at };
            Some((release, r.text("rb")?.to_owned()))
        }
        None => None,
    };
    Ok(TableMark {
        table: TableIdentity { name: r.text("nm")?.to_owned(), id: r.text("id")?.to_owned() },
        copied,
        release,
        version: r.number("ver")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(id: &str) -> TableIdentity {
        TableIdentity { name: "carillon".into(), id: id.into() }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    #[test]
    fn a_mark_survives_being_written_and_read() {
        let release = Release { found_at: at(5), released_at: at(9) };
        let whole = TableMark {
            copied: Some(Copied { to: table("c"), found_at: at(7) }),
            release: Some((release, "key_x".into())),
            version: 3,
            ..TableMark::new(&table("a"))
        };
        for mark in [whole, TableMark::new(&table("a"))] {
            assert_eq!(read(&write(&mark)).expect("ours"), mark);
        }
    }

    #[test]
    fn a_copy_is_noted_once_and_a_copy_of_the_copy_anew() {
        let own = TableMark::new(&table("a"));
        assert_eq!(own.noted(&table("a"), at(1)), None);
        let copy = own.noted(&table("b"), at(1)).expect("a copy");
        assert_eq!(copy.copied, Some(Copied { to: table("b"), found_at: at(1) }));
        assert_eq!(copy.noted(&table("b"), at(2)), None);
        let again = copy.noted(&table("c"), at(3)).expect("a copy of it");
        assert_eq!(again.copied.map(|c| c.found_at), Some(at(3)));
        // The original, put back, is itself again.
        let back = copy.noted(&table("a"), at(4)).expect("no copy");
        assert_eq!(back.copied, None);
    }
}
