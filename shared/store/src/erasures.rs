//! Erasures: how far each is, and the rows of a person that are not messages.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use carillon_domain::erasure::{Counts, Erasure, Stage};
use carillon_domain::{AddressKey, ImportId, Lane, MessageId, OrgId};

use crate::attributes::{Item, Reader, Writer, n, s};
use crate::{Result, Store, keys, unavailable};

impl Store {
    pub async fn erasure(&self, org: OrgId, address: AddressKey) -> Result<Option<Erasure>> {
        let item = self.get(&keys::erasure(org, address), true).await?;
        item.as_ref().map(read).transpose()
    }

    /// Stores it, if it is still at the version it was read at; raises that.
    /// False when somebody else has gone on with it.
    pub async fn save_erasure(&self, e: &mut Erasure) -> Result<bool> {
        let seen = e.version;
        e.version += 1;
        let met = match seen {
            0 => self.put_if(write(e), "attribute_not_exists(pk)", None).await?,
            seen => self.put_if(write(e), "ver = :seen", Some((":seen", n(seen)))).await?,
        };
        // Our own write, whose answer was lost on the way, is done.
        Ok(met.is_none_or(|met| met == write(e)))
    }

    /// The messages whose long texts and answers have rows of their own, in
    /// order, from behind `after`; and where the next go on.
    pub async fn texts_of(
        &self,
        org: OrgId,
        address: AddressKey,
        after: Option<&str>,
        limit: i32,
    ) -> Result<(Vec<MessageId>, Option<String>)> {
        let pk = keys::address(org, address);
        let mut found = Vec::new();
        let after = after.unwrap_or_default();
        let mut last = None;
        for prefix in [keys::ANSWER_PREFIX, keys::BODY_PREFIX] {
            // In the order of their prefixes.
            if !after.is_empty() && !after.starts_with(prefix) && after > prefix {
                continue;
            }
            let after = if after.starts_with(prefix) { after } else { "" };
            for item in self.range(&pk, after, Some(prefix), limit).await? {
                let r = Reader::new("text", &item);
                let sk = r.text("sk")?;
                let sort = sk.strip_prefix(prefix).ok_or_else(|| r.corrupt("sk"))?;
                found.push(MessageId::from_parts(&address.key(), sort)?);
                last = Some(sk.to_owned());
            }
            if last.is_some() {
                break;
            }
        }
        Ok((found, last))
    }

    /// The long text of a message, and the answer to who sent it.
    pub async fn delete_texts(&self, org: OrgId, id: MessageId) -> Result<()> {
        self.delete_row(&keys::message_body(org, id)).await?;
        self.delete_row(&keys::answer(org, id)).await?;
        Ok(())
    }

    /// Suppressions and consents of an address stay what they are, and lose the
    /// address and the words.
    pub async fn erase_gates(&self, org: OrgId, address: AddressKey) -> Result<()> {
        let pk = keys::address(org, address);
        for item in self.range(&pk, "", Some(keys::GATES_PREFIX), 100).await? {
            let r = Reader::new("gate", &item);
            let key = keys::Key { pk: r.text("pk")?.to_owned(), sk: r.text("sk")?.to_owned() };
            // What a consent was given by is part of its row's shape.
            let change = match keys::is_consent(&key.sk) {
                true => "SET #to = :none, wo = :none",
                false => "SET #to = :none REMOVE wo",
            };
            let updated = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(key.item()))
                .update_expression(change)
                // It may be lifted meanwhile.
                .condition_expression("attribute_exists(pk)")
                .expression_attribute_names("#to", "to")
                .expression_attribute_values(":none", s(""))
                .send()
                .await;
            match updated {
                Ok(_) => {}
                Err(error) => match error.as_service_error() {
                    Some(UpdateItemError::ConditionalCheckFailedException(_)) => {}
                    _ => return Err(unavailable("erase a gate")(error)),
                },
            }
        }
        Ok(())
    }

    /// Puts `text` in the place of a piece of a file as it was `seen`. False when
    /// somebody else has changed it, or it is gone.
    pub async fn replace_chunk(
        &self,
        org: OrgId,
        id: ImportId,
        chunk: u32,
        seen: &str,
        text: &str,
    ) -> Result<bool> {
        let key = keys::import_chunk(org, id, chunk);
        let values = [(":seen", s(seen)), (":new", s(text))];
        self.update_if(&key, "SET b = :new", "b = :seen OR b = :new", &values).await
    }
}

fn write(e: &Erasure) -> Item {
    let mut w = Writer::new(&keys::erasure(e.org, e.address));
    w.number("v", 1).number("ver", e.version).number("gn", e.generation);
    w.time("ca", e.asked_at).text("by", &e.by).text("sg", e.stage.as_str());
    w.some("cu", e.cursor.as_ref(), s);
    w.number("ne", e.counts.erased).number("nc", e.counts.cancelled);
    w.number("nu", e.counts.under_way).some("dn", e.done_at, crate::attributes::ms);
    if let Some(due) = e.due {
        let shard = keys::due_shard(e.address.as_bytes());
        w.text("due", keys::due_partition(Lane::Bulk, shard));
        w.text("due_at", keys::due_at(due, e.generation));
    }
    w.done()
}

fn read(item: &Item) -> Result<Erasure> {
    let r = Reader::new("erasure", item);
    let (org, rest) = r.parsed("pk", keys::read_org)?;
    let address = rest.strip_prefix(keys::ERASURE).ok_or_else(|| r.corrupt("pk"))?;
    Ok(Erasure {
        org,
        address: AddressKey::from_key(address)?,
        asked_at: r.time("ca")?,
        by: r.text("by")?.to_owned(),
        stage: r.parsed("sg", Stage::parse)?,
        cursor: r.maybe_text("cu").map(str::to_owned),
        counts: Counts {
            erased: r.number("ne")?,
            cancelled: r.number("nc")?,
            under_way: r.number("nu")?,
        },
        done_at: r.maybe_time("dn")?,
        due: r.maybe_parsed("due_at", keys::read_due_at)?.map(|(at, _)| at),
        generation: r.number("gn")?,
        version: r.number("ver")?,
    })
}
