//! Addresses that must not be written to, in the address's own partition.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use carillon_domain::message::SuppressionReason;
use carillon_domain::{AddressKey, Channel, Message, OrgId, ProviderName};
use jiff::Timestamp;

use crate::attributes::{Item, Reader, Writer};
use crate::keys::GateList;
use crate::{Result, Store, keys, unavailable};

#[derive(Clone, PartialEq, Eq)]
pub struct Suppression {
    pub address: String,
    pub channel: Channel,
    pub reason: SuppressionReason,
    /// The words the person used.
    pub words: Option<String>,
    pub source_message_id: Option<String>,
    pub at: Timestamp,
    pub by: String,
}

impl Suppression {
    /// The provider says that the person does not want our messages: it refused
    /// `m` with this code.
    #[must_use]
    pub fn by_provider(m: &Message, provider: ProviderName, code: &str, at: Timestamp) -> Self {
        Self {
            address: m.address.clone(),
            channel: m.channel,
            reason: SuppressionReason::Provider,
            words: None,
            source_message_id: Some(m.id.to_string()),
            at,
            by: format!("{} {code}", provider.as_str()),
        }
    }
}

impl Suppression {
    /// For people.
    #[must_use]
    pub fn detail(&self) -> String {
        match &self.words {
            Some(words) => format!("the person wrote “{words}” on {}", self.at),
            None => format!("suppressed on {} by {}", self.at, self.by),
        }
    }
}

/// Reasons that a person of the organization may take back. What the recipient
/// said, or the provider for them, only the recipient takes back.
const OURS: [SuppressionReason; 2] = [SuppressionReason::Manual, SuppressionReason::Bounce];

/// What came of a request to lift a suppression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifted {
    Done,
    /// There is none.
    Nothing,
    /// Not for us to lift.
    Refused,
}

impl Store {
    /// Whether a provider took the first message to this address, with what it
    /// says of who writes.
    pub async fn is_introduced(
        &self,
        org: OrgId,
        at: AddressKey,
        channel: Channel,
    ) -> Result<bool> {
        let key = keys::introduced(org, at, channel.as_str());
        Ok(self.get(&key, true).await?.is_some())
    }

    pub async fn note_introduced(
        &self,
        org: OrgId,
        at: AddressKey,
        channel: Channel,
        now: Timestamp,
    ) -> Result<()> {
        let mut w = Writer::new(&keys::introduced(org, at, channel.as_str()));
        w.time("ca", now);
        self.put(w.done()).await
    }

    pub async fn suppress(&self, org: OrgId, at: AddressKey, s: &Suppression) -> Result<()> {
        self.put(write(org, at, s)).await
    }

    /// As [`Self::suppress`], but never in place of another. Answers the one
    /// that was there.
    pub async fn suppress_if_free(
        &self,
        org: OrgId,
        at: AddressKey,
        s: &Suppression,
    ) -> Result<Option<Suppression>> {
        let met = self.put_if(write(org, at, s), "attribute_not_exists(pk)", None).await?;
        met.as_ref().map(read).transpose()
    }

    /// Lifts what we had decided ourselves.
    pub async fn lift_ours(&self, org: OrgId, at: AddressKey, channel: Channel) -> Result<Lifted> {
        let [manual, bounce] = OURS.map(|reason| crate::attributes::s(reason.as_str()));
        let lifted = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(keys::suppression(org, at, channel.as_str()).item()))
            .condition_expression("attribute_exists(pk) AND sr IN (:m, :b)")
            .expression_attribute_values(":m", manual)
            .expression_attribute_values(":b", bounce)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match lifted {
            Ok(_) => Ok(Lifted::Done),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(e)) => {
                    let is_there = e.item.as_ref().is_some_and(|item| !item.is_empty());
                    Ok(if is_there { Lifted::Refused } else { Lifted::Nothing })
                }
                _ => Err(unavailable("lift suppression")(error)),
            },
        }
    }

    /// The person asked for messages again at `asked`: lifts what they, or the
    /// provider for them, had said before. What we decided ourselves stays, and
    /// so does an opt-out that came later.
    pub async fn lift_suppression(
        &self,
        org: OrgId,
        at: AddressKey,
        channel: Channel,
        asked: Timestamp,
    ) -> Result<()> {
        let lifted = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(keys::suppression(org, at, channel.as_str()).item()))
            .condition_expression("attribute_not_exists(pk) OR (ca < :asked AND sr IN (:s, :p))")
            .expression_attribute_values(":asked", crate::attributes::ms(asked))
            .expression_attribute_values(
                ":s",
                crate::attributes::s(SuppressionReason::StopKeyword.as_str()),
            )
            .expression_attribute_values(
                ":p",
                crate::attributes::s(SuppressionReason::Provider.as_str()),
            )
            .send()
            .await;
        match lifted {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(unavailable("lift suppression")(error)),
            },
        }
    }
}

fn write(org: OrgId, at: AddressKey, s: &Suppression) -> Item {
    let key = keys::suppression(org, at, s.channel.as_str());
    let mut w = Writer::new(&key);
    w.text("attn", keys::gate_list_of(org, GateList::Suppressions, at));
    w.text("attn_at", keys::gate_list_at(s.at, at, &key));
    w.text("to", &s.address).text("ch", s.channel.as_str()).text("sr", s.reason.as_str());
    w.time("ca", s.at).text("by", &s.by);
    w.some("wo", s.words.as_ref(), crate::attributes::s);
    w.some("sm", s.source_message_id.as_ref(), crate::attributes::s);
    w.done()
}

pub fn read(item: &Item) -> Result<Suppression> {
    let r = Reader::new("suppression", item);
    Ok(Suppression {
        address: r.text("to")?.to_owned(),
        channel: r.parsed("ch", Channel::parse)?,
        reason: r.parsed("sr", SuppressionReason::parse)?,
        words: r.maybe_text("wo").map(str::to_owned),
        source_message_id: r.maybe_text("sm").map(str::to_owned),
        at: r.time("ca")?,
        by: r.text("by")?.to_owned(),
    })
}
