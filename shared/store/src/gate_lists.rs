//! Suppressions and consents of all addresses of an organization, newest first.
//! Rows that an earlier release wrote are not in these lists until they change.

use carillon_domain::consent::Consent;
use carillon_domain::{Channel, OrgId};

use crate::attention::AttentionPlace;
use crate::attributes::{Item, Reader};
use crate::keys::{self, GateList};
use crate::suppressions::{self, Suppression};
use crate::{Result, Store, consents};

impl Store {
    /// Suppressions, each with its place; `None` where a row is of another
    /// channel than asked for, or has just gone.
    pub async fn suppressions(
        &self,
        org: OrgId,
        channel: Option<Channel>,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(AttentionPlace, Option<Suppression>)>> {
        self.gate_rows((org, GateList::Suppressions), channel, before, limit, suppressions::read)
            .await
    }

    /// Consents with the address of each, as [`Self::suppressions`].
    pub async fn consents(
        &self,
        org: OrgId,
        channel: Option<Channel>,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(AttentionPlace, Option<(String, Consent)>)>> {
        let read = |row: &Item| {
            let address = Reader::new("consent", row).text("to")?.to_owned();
            Ok((address, consents::read(row)?))
        };
        self.gate_rows((org, GateList::Consents), channel, before, limit, read).await
    }

    async fn gate_rows<T>(
        &self,
        (org, list): (OrgId, GateList),
        channel: Option<Channel>,
        before: Option<&str>,
        limit: usize,
        read: impl Fn(&Item) -> Result<T>,
    ) -> Result<Vec<(AttentionPlace, Option<T>)>> {
        let shards: Vec<_> =
            (0..keys::GATE_SHARDS).map(|shard| keys::gate_list(org, list, shard)).collect();
        let entries = self.attention(&shards, before, limit).await?;
        let is_asked = |place: &str| {
            channel.is_none_or(|channel| keys::channel_of_gate(place) == Some(channel.as_str()))
        };
        let wanted: Vec<_> = entries
            .iter()
            .filter(|(place, _)| is_asked(place))
            .map(|(_, key)| key.clone())
            .collect();
        let rows = self.get_many(&wanted, false).await?;
        let mut found = Vec::with_capacity(entries.len());
        for (place, key) in entries {
            let is_it = |row: &&Item| {
                let r = Reader::new("gate", row);
                // A row that changed meanwhile is at its new place.
                r.maybe_text("pk") == Some(&key.pk)
                    && r.maybe_text("sk") == Some(&key.sk)
                    && r.maybe_text("attn_at") == Some(&place)
            };
            found.push((place.clone(), rows.iter().find(is_it).map(&read).transpose()?));
        }
        Ok(found)
    }
}
