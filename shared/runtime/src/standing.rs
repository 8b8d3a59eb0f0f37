//! Whether this table may send. One that was restored from a backup may not,
//! until somebody says so: its rows do not know what the original sent since.

use std::error::Error;

use carillon_domain::restore::Release;
use carillon_store::{StoreError, TableIdentity};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::Context;

/// How old an answer may be.
const KEPT: SignedDuration = SignedDuration::from_mins(1);

/// Of a table of another name that cannot be asked: a copy, whichever.
const UNKNOWN_ID: &str = "unknown";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The rows were written for this table.
    Own,
    /// They were restored into it, and it was told to go on.
    Released(Release),
    /// They were restored into it: nothing is planned, dispatched or sent.
    Restored { found_at: Timestamp },
}

impl Standing {
    #[must_use]
    pub const fn release(&self) -> Option<Release> {
        match self {
            Self::Released(release) => Some(*release),
            Self::Own | Self::Restored { .. } => None,
        }
    }
}

/// The last answers.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// With the table's id that it rests on.
    standing: Mutex<Option<(Timestamp, String, Standing)>>,
    backup: Mutex<Option<(Timestamp, Option<Timestamp>)>>,
}

impl Context {
    /// At most a minute old.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub async fn standing(&self) -> Result<Standing, StoreError> {
        let now = self.clock.now();
        let mut kept = self.standing.standing.lock().await;
        if let Some((at, _, standing)) = &*kept
            && now < *at + KEPT
        {
            return Ok(*standing);
        }
        let id = match &self.table_id {
            Some(known) => known.clone(),
            None => match (self.store.table_id().await, &*kept) {
                (Ok(id), _) => id,
                // The control plane's bad minute is not ours: what was seen of
                // this table once stands until it is seen again.
                (Err(error), Some((_, seen, _))) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "by what was known");
                    seen.clone()
                }
                // Never seen: what the rows say of the table's name must do, so
                // that a control plane that cannot be asked stops nobody.
                (Err(error), None) => {
                    self.counters.add("table_id_unknown", 1);
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        cause = cause(&error),
                        "the table's id cannot be read; its name counts"
                    );
                    match self.store.table_mark().await? {
                        Some(mark) if mark.table.name == self.store.table_name() => mark.table.id,
                        Some(_) => UNKNOWN_ID.to_owned(),
                        None => return Ok(Standing::Own),
                    }
                }
            },
        };
        let name = self.store.table_name().to_owned();
        let table = TableIdentity { name, id: id.clone() };
        let mark = self.store.note_table(&table, now).await?;
        let standing = match (mark.copied, mark.release) {
            (Some(copied), _) => Standing::Restored { found_at: copied.found_at },
            (None, Some((release, _))) => Standing::Released(release),
            (None, None) => Standing::Own,
        };
        *kept = Some((now, id, standing));
        Ok(standing)
    }

    /// Rows that are older came with a backup; `None` when none did. At most a
    /// minute old, and for those who never send: the table itself is not asked.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn backup_ends(&self) -> Result<Option<Timestamp>, StoreError> {
        let now = self.clock.now();
        let mut kept = self.standing.backup.lock().await;
        if let Some((at, known)) = *kept
            && now < at + KEPT
        {
            return Ok(known);
        }
        let mark = self.store.table_mark().await?;
        let found_at = mark.and_then(|mark| match (mark.copied, mark.release) {
            (Some(copied), _) => Some(copied.found_at),
            (None, release) => release.map(|(release, _)| release.found_at),
        });
        *kept = Some((now, found_at));
        Ok(found_at)
    }

    /// Whether nothing may be planned, dispatched or sent; says so to operators.
    ///
    /// # Errors
    /// As [`Self::standing`].
    pub async fn is_held(&self) -> Result<bool, StoreError> {
        let Standing::Restored { found_at } = self.standing().await? else { return Ok(false) };
        self.counters.add("restored_table_not_dispatched", 1);
        tracing::error!(
            table = self.store.table_name(),
            %found_at,
            "restored_table_not_dispatched: see GET /v1/installation"
        );
        Ok(true)
    }
}

/// What an error began with: those around it only say where it passed.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause
}
