//! Which message a provider's id belongs to, where that has to be found out.

use carillon_domain::{MessageId, OrgId, ProviderName};
use jiff::Timestamp;

use crate::attributes::{Reader, Writer};
use crate::{Result, Store, keys, retention};

impl Store {
    /// Takes a provider's id for `message`, unless it is taken. Answers the
    /// message that has it: `message`, or the one that was first.
    pub async fn take_provider_id(
        &self,
        org: OrgId,
        provider: ProviderName,
        id: &str,
        message: MessageId,
    ) -> Result<MessageId> {
        let mut w = Writer::new(&keys::provider_id(org, provider, id));
        w.text("msg", message.to_string());
        let at = i64::try_from(message.at_ms()).unwrap_or(i64::MAX);
        let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut row = w.done();
        retention::set(&mut row, self.end_beside(org, at, at).await);
        match self.put_if(row, "attribute_not_exists(pk)", None).await? {
            None => Ok(message),
            Some(first) => {
                Ok(Reader::new("provider id", &first).parsed("msg", |t| t.parse().ok())?)
            }
        }
    }
}
