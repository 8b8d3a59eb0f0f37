//! An organization's ledger: read, changed in memory, written if nobody was
//! faster. Who lost reads again; the row is small and a change takes no time.

use carillon_domain::ledger::Ledger;
use carillon_domain::{AddressKey, MessageId, OrgId};

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};

use crate::attributes::{Item, Reader, Writer, n, s};
use crate::{Result, Store, StoreError, keys, unavailable};

/// Rounds against others before it is given up. Many: each loser means that
/// someone else got on.
const ROUNDS: u32 = 40;
/// Kept for a while after the day, for whoever asks why.
const CAP_KEPT: SignedDuration = SignedDuration::from_hours(72);

impl Store {
    /// As of now (consistent); empty before the first reservation.
    pub async fn ledger(&self, org: OrgId) -> Result<Ledger> {
        self.get(&keys::ledger(org), true).await?.as_ref().map_or(Ok(Ledger::default()), read)
    }

    /// Applies `change` to the ledger and stores it; again on the newer one when
    /// someone else was first. `token` is this caller's and of this change alone.
    /// `change` answers `None` to leave the row as it is; what did not change is
    /// not written.
    pub async fn change_ledger<T>(
        &self,
        org: OrgId,
        token: &str,
        mut change: impl FnMut(&mut Ledger) -> Option<T>,
    ) -> Result<Option<T>> {
        let mut current = self.ledger(org).await?;
        for _ in 0..ROUNDS {
            let mut changed = current.clone();
            let Some(answer) = change(&mut changed) else { return Ok(None) };
            if changed == current {
                return Ok(Some(answer));
            }
            changed.version += 1;
            let (condition, value) = match current.version {
                0 => ("attribute_not_exists(pk)", None),
                seen => ("ver = :seen", Some((":seen", n(seen)))),
            };
            let met = self.put_if(write(org, &changed, token), condition, value).await?;
            match met {
                None => return Ok(Some(answer)),
                Some(met) if met.is_empty() => current = Ledger::default(),
                Some(met) => {
                    // Our own write, whose answer was lost on the way.
                    let ours =
                        met.get("tk").and_then(|v| v.as_s().ok()).is_some_and(|t| t == token);
                    let met = read(&met)?;
                    if ours && met.version == changed.version {
                        return Ok(Some(answer));
                    }
                    current = met;
                }
            }
        }
        Err(StoreError::Contended("the ledger"))
    }

    /// Takes a place among the messages that this person may get on `day`
    /// (`2026-11-21`); a message that has one keeps it. False when all are taken.
    pub async fn take_place(
        &self,
        org: OrgId,
        address: AddressKey,
        day: &str,
        message: MessageId,
        most: u32,
        now: Timestamp,
    ) -> Result<bool> {
        let id = AttributeValue::Ss(vec![message.sort_part()]);
        let taken = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::cap(org, address, day).item()))
            .condition_expression(
                "attribute_not_exists(ids) OR size(ids) < :most OR contains(ids, :own)",
            )
            .update_expression("ADD ids :id SET #ttl = :ttl")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":id", id)
            .expression_attribute_values(":own", s(message.sort_part()))
            .expression_attribute_values(":most", n(most))
            .expression_attribute_values(":ttl", n((now + CAP_KEPT).as_second()))
            .send()
            .await;
        match taken {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(unavailable("take a place of the day")(error)),
            },
        }
    }

    /// How many messages of this person hold a place on `day`.
    pub async fn places_taken(&self, org: OrgId, address: AddressKey, day: &str) -> Result<usize> {
        let row = self.get(&keys::cap(org, address, day), true).await?;
        let ids = row.as_ref().and_then(|row| row.get("ids")?.as_ss().ok());
        Ok(ids.map_or(0, Vec::len))
    }

    /// The message was not sent after all: another may have its place.
    pub async fn give_place_back(
        &self,
        org: OrgId,
        address: AddressKey,
        day: &str,
        message: MessageId,
    ) -> Result<()> {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::cap(org, address, day).item()))
            .update_expression("DELETE ids :id")
            .expression_attribute_values(":id", AttributeValue::Ss(vec![message.sort_part()]))
            .send()
            .await
            .map(drop)
            .map_err(unavailable("give a place of the day back"))
    }
}

fn write(org: OrgId, ledger: &Ledger, token: &str) -> Item {
    let mut w = Writer::new(&keys::ledger(org));
    w.number("v", 1).number("ver", ledger.version).text("tk", token);
    w.text("j", serde_json::json!(ledger).to_string());
    w.done()
}

fn read(item: &Item) -> Result<Ledger> {
    let r = Reader::new("ledger", item);
    let mut ledger: Ledger = r.json("j")?.ok_or_else(|| r.corrupt("j"))?;
    ledger.version = r.number("ver")?;
    Ok(ledger)
}
