//! Who wrote to a number with the installation's own account: whoever writes back
//! to it writes to the last of them, and an opt-out is for all.

use carillon_domain::{AddressKey, OrgId};
use jiff::{SignedDuration, Timestamp};

use crate::attributes::{Reader, Writer, n};
use crate::{Result, Store, keys, retention};

/// Nobody answers a message that is older.
const KEPT: SignedDuration = SignedDuration::from_hours(800 * 24);
/// Organizations that are looked at.
const MOST: i32 = 100;

impl Store {
    /// Written before the call: an answer finds it.
    pub async fn note_shared_number(
        &self,
        number: AddressKey,
        org: OrgId,
        now: Timestamp,
    ) -> Result<()> {
        let mut w = Writer::new(&keys::shared_number_of(number, org));
        w.time("at", now);
        let mut row = w.done();
        retention::set(&mut row, Some(n((now + KEPT).as_second())));
        self.put(row).await
    }

    /// Who wrote to it, the last one first.
    pub async fn writers_to(&self, number: AddressKey) -> Result<Vec<OrgId>> {
        let rows = self.range(&keys::shared_number(number), "", None, MOST).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let r = Reader::new("shared number", row);
            found.push((r.time("at")?, OrgId::from_key(r.text("sk")?)?));
        }
        found.sort_by(|a, b| b.cmp(a));
        Ok(found.into_iter().map(|(_, org)| org).collect())
    }
}
