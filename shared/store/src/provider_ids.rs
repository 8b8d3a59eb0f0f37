//! Which message a provider's id belongs to, where that has to be found out.

use carillon_domain::{MessageId, OrgId, ProviderName};

use crate::attributes::{Reader, Writer};
use crate::{Result, Store, keys};

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
        match self.put_if(w.done(), "attribute_not_exists(pk)", None).await? {
            None => Ok(message),
            Some(first) => {
                Ok(Reader::new("provider id", &first).parsed("msg", |t| t.parse().ok())?)
            }
        }
    }
}
