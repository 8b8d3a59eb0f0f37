//! The one secret of an installation: the key of address hashes, encrypted.

use crate::attributes::{Reader, Writer};
use crate::{Result, Store, keys};

/// Attribute with the ciphertext.
pub(crate) const SECRET: &str = "e";

impl Store {
    pub async fn installation_secret(&self) -> Result<Option<Vec<u8>>> {
        let item = self.get(&keys::installation(), true).await?;
        Ok(item
            .and_then(|item| Reader::new("installation", &item).bytes(SECRET).map(<[u8]>::to_vec)))
    }

    /// Stores the secret if there is none; answers the one that is stored.
    pub async fn ensure_installation_secret(&self, encrypted: Vec<u8>) -> Result<Vec<u8>> {
        let mut w = Writer::new(&keys::installation());
        w.bytes(SECRET, encrypted.clone());
        let met = self.put_if(w.done(), "attribute_not_exists(pk)", None).await?;
        Ok(match met {
            None => encrypted,
            Some(first) => {
                let r = Reader::new("installation", &first);
                r.bytes(SECRET).ok_or_else(|| r.corrupt(SECRET))?.to_vec()
            }
        })
    }
}
