//! Consents, beside the suppression of the same address and channel: one
//! consistent query answers both, at the price of one read.

use aws_sdk_dynamodb::types::AttributeValue;
use carillon_domain::consent::{Consent, ConsentStatus};
use carillon_domain::{AddressKey, Channel, OrgId, Purpose};

use crate::attributes::{Item, Reader, Writer, ms, s};
use crate::keys::GateList;
use crate::suppressions::{self, Suppression};
use crate::{Result, Store, keys, unavailable};

/// What stands between us and an address, on one channel.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct GateRows {
    pub suppression: Option<Suppression>,
    /// At most one of each purpose: what was said last.
    pub consents: Vec<Consent>,
}

impl Store {
    /// Keeps what a person said, unless something later is kept; of two things
    /// said at the same time a revocation stays. Answers what counts now. The
    /// address itself is kept for who looks at the row, not for the key.
    pub async fn put_consent(
        &self,
        org: OrgId,
        at: AddressKey,
        address: &str,
        c: &Consent,
    ) -> Result<Consent> {
        let key = keys::consent(org, at, c.channel.as_str(), c.purpose.as_str());
        let mut w = Writer::new(&key);
        w.text("attn", keys::gate_list_of(org, GateList::Consents, at));
        w.text("attn_at", keys::gate_list_at(c.at, at, &key));
        w.text("to", address).text("ch", c.channel.as_str()).text("pu", c.purpose.as_str());
        w.text("st", c.status.as_str()).time("ca", c.at);
        w.text("so", &c.source).text("wo", &c.text);
        let condition = match c.status {
            ConsentStatus::Granted => "attribute_not_exists(pk) OR ca < :at",
            ConsentStatus::Revoked => "attribute_not_exists(pk) OR ca <= :at",
        };
        match self.put_if(w.done(), condition, Some((":at", ms(c.at)))).await? {
            None => Ok(c.clone()),
            Some(kept) => read(&kept),
        }
    }

    /// Suppression and consents of one channel. Consistent: what was stored
    /// before this call is seen.
    pub async fn gates_of(&self, org: OrgId, at: AddressKey, channel: Channel) -> Result<GateRows> {
        let (low, high) = keys::gates(org, at, channel.as_str());
        let mut rows = self.gates_between(&low.pk, low.sk, high).await?;
        // A range of one channel never holds another's; the type cannot say so.
        Ok(rows.pop().map(|(_, rows)| rows).unwrap_or_default())
    }

    /// Of all channels that have any; consistent.
    pub async fn all_gates_of(
        &self,
        org: OrgId,
        at: AddressKey,
    ) -> Result<Vec<(Channel, GateRows)>> {
        let prefix = keys::GATES_PREFIX;
        let pk = keys::address(org, at);
        self.gates_between(&pk, prefix.to_owned(), format!("{prefix}~")).await
    }

    async fn gates_between(
        &self,
        pk: &str,
        low: String,
        high: String,
    ) -> Result<Vec<(Channel, GateRows)>> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :low AND :high")
            .expression_attribute_values(":pk", s(pk))
            .expression_attribute_values(":low", AttributeValue::S(low))
            .expression_attribute_values(":high", AttributeValue::S(high))
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable("query gates"))?;
        let mut found: Vec<(Channel, GateRows)> = Vec::new();
        for item in answer.items() {
            let r = Reader::new("gate", item);
            let channel = r.parsed("ch", Channel::parse)?;
            let place = match found.iter().position(|(c, _)| *c == channel) {
                Some(place) => place,
                None => {
                    found.push((channel, GateRows::default()));
                    found.len() - 1
                }
            };
            let rows = &mut found[place].1;
            if keys::is_consent(r.text("sk")?) {
                rows.consents.push(read(item)?);
            } else {
                rows.suppression = Some(suppressions::read(item)?);
            }
        }
        Ok(found)
    }
}

pub fn read(item: &Item) -> Result<Consent> {
    let r = Reader::new("consent", item);
    Ok(Consent {
        channel: r.parsed("ch", Channel::parse)?,
        purpose: r.parsed("pu", Purpose::parse)?,
        status: r.parsed("st", ConsentStatus::parse)?,
        at: r.time("ca")?,
        source: r.text("so")?.to_owned(),
        text: r.text("wo")?.to_owned(),
    })
}
