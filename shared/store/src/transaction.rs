//! Several rows that change together or not at all, each under its condition.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::attributes::{Item, Writer, s};
use crate::table::Write;
use crate::{Result, Store, keys};

/// Values of an expression, by the name it has for them.
pub(crate) type Values<'a> = &'a [(&'static str, AttributeValue)];

/// What is to be written. DynamoDB takes a hundred rows at most, each once.
pub(crate) struct Transaction<'a> {
    store: &'a Store,
    writes: Vec<Write>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transacted {
    Done,
    /// Nothing was written: the condition of this write did not hold, the first
    /// such in order.
    Refused(usize),
}

impl Store {
    pub(crate) const fn transaction(&self) -> Transaction<'_> {
        Transaction { store: self, writes: Vec::new() }
    }
}

impl Transaction<'_> {
    /// Whatever is there.
    pub fn set(&mut self, item: Item) {
        self.writes.push(Write::put(item));
    }

    pub fn put(&mut self, item: Item, condition: &str, values: Values<'_>) {
        self.add(Write::put(item).only_if(condition), values);
    }

    pub fn update(
        &mut self,
        key: &keys::Key,
        change: &str,
        condition: Option<&str>,
        values: Values<'_>,
    ) {
        let update = Write::update(key.clone(), change);
        let update = match condition {
            Some(condition) => update.only_if(condition),
            None => update,
        };
        self.add(update, values);
    }

    pub fn delete(&mut self, key: &keys::Key, condition: &str, values: Values<'_>) {
        self.add(Write::delete(key.clone()).only_if(condition), values);
    }

    fn add(&mut self, write: Write, values: Values<'_>) {
        let values = values.iter().cloned();
        self.writes.push(values.fold(write, |write, (name, value)| write.with(name, value)));
    }

    /// The name is taken for `id`, and the one it had before is free again. The
    /// place of the write that another one's name would refuse; none where the
    /// name stays.
    pub fn take_name(
        &mut self,
        before: Option<keys::Key>,
        name: &keys::Key,
        id: &str,
    ) -> Option<usize> {
        if before.as_ref() == Some(name) {
            return None;
        }
        let place = self.len();
        let mut w = Writer::new(name);
        w.text("id", id);
        self.put(w.done(), "attribute_not_exists(pk)", &[]);
        if let Some(before) = before {
            self.delete(&before, "id = :id", &[(":id", s(id))]);
        }
        Some(place)
    }

    /// Writes so far: the place of the next one.
    pub const fn len(&self) -> usize {
        self.writes.len()
    }

    /// Writes all of it, or nothing.
    pub async fn commit(self) -> Result<Transacted> {
        let refused = self.store.transact("write a transaction", &self.writes).await?;
        Ok(refused.first().map_or(Transacted::Done, |(place, _)| Transacted::Refused(*place)))
    }
}
