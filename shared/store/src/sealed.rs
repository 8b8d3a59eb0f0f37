//! Every ciphertext of the table, for an operator who moves them to another KMS
//! key. Read whole, like a recount; no function does this.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use carillon_domain::{OrgId, ProviderName};

use crate::attributes::{Item, Reader};
use crate::integrations::CREDENTIALS;
use crate::{Result, Store, installation, keys, unavailable};

/// Whose a ciphertext is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedFor {
    Installation,
    /// An account, as it is or as it was.
    Integration(OrgId, ProviderName),
}

/// A ciphertext and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub owner: SealedFor,
    pub ciphertext: Vec<u8>,
    key: keys::Key,
    attribute: &'static str,
}

impl Store {
    /// The ciphertexts of one page of the table, and where the next begins.
    pub async fn sealed(&self, start: Option<Item>) -> Result<(Vec<Sealed>, Option<Item>)> {
        let (items, next) = self.scan_page(start).await?;
        let rows = items.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok((rows.into_iter().flatten().collect(), next))
    }

    /// Puts `ciphertext` in the place of the one that was read. False when that
    /// one is not there any more: somebody has changed or removed it.
    pub async fn replace_sealed(&self, seen: &Sealed, ciphertext: Vec<u8>) -> Result<bool> {
        let blob = |bytes: Vec<u8>| AttributeValue::B(Blob::new(bytes));
        let updated = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(seen.key.item()))
            .condition_expression("#c = :seen")
            .update_expression("SET #c = :new")
            .expression_attribute_names("#c", seen.attribute)
            .expression_attribute_values(":seen", blob(seen.ciphertext.clone()))
            .expression_attribute_values(":new", blob(ciphertext.clone()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match updated {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                // Our own write, whose answer was lost on the way, is done.
                Some(UpdateItemError::ConditionalCheckFailedException(e)) => {
                    let there = e.item.as_ref().and_then(|item| item.get(seen.attribute));
                    Ok(there.is_some_and(|there| *there == blob(ciphertext)))
                }
                _ => Err(unavailable("replace a ciphertext")(error)),
            },
        }
    }
}

fn read(item: &Item) -> Result<Option<Sealed>> {
    let r = Reader::new("row", item);
    let key = keys::Key { pk: r.text("pk")?.to_owned(), sk: r.text("sk")?.to_owned() };
    if key == keys::installation() {
        let attribute = installation::SECRET;
        let ciphertext = r.bytes(attribute).ok_or_else(|| r.corrupt(attribute))?.to_vec();
        return Ok(Some(Sealed { owner: SealedFor::Installation, ciphertext, key, attribute }));
    }
    let name = [keys::INTEGRATION_PREFIX, keys::FORMER_PREFIX]
        .iter()
        .find_map(|prefix| key.sk.strip_prefix(prefix))
        .and_then(|rest| rest.split('/').next());
    let Some((org, provider)) = name
        .and_then(ProviderName::parse)
        .zip(keys::read_org(&format!("{}/", key.pk)))
        .map(|(provider, (org, _))| (org, provider))
    else {
        return Ok(None);
    };
    let ciphertext = r.bytes(CREDENTIALS).ok_or_else(|| r.corrupt(CREDENTIALS))?.to_vec();
    let owner = SealedFor::Integration(org, provider);
    Ok(Some(Sealed { owner, ciphertext, key, attribute: CREDENTIALS }))
}
