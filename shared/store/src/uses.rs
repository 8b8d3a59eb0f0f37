//! What uses what: a template is used by sequences, a sequence by tags, a tag by
//! workshops, and what is used is not deleted.
//!
//! One row a used thing (`u/{id}`) says who uses it. It is written in the same
//! transaction as the row of its user, and the deletion of the thing is a
//! transaction on the condition that nobody is in it, which leaves it marked. So
//! there is no moment at which something is used and gone, and nothing to
//! reconcile. Users that are few are in it by their ids; those that may be
//! thousands are counted.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::attributes::{Reader, n};
use crate::transaction::Transaction;
use crate::{Result, Store, keys};

/// Who uses a thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users {
    /// By their ids, in order.
    pub named: Vec<String>,
    /// So many more, who are only counted.
    pub counted: u64,
}

impl Users {
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.named.is_empty() && self.counted == 0
    }
}

impl Transaction<'_> {
    /// `user` uses the thing from now on. Refused when the thing was deleted.
    pub fn begin_use(&mut self, used: &keys::Key, user: &str) {
        let user = AttributeValue::Ss(vec![user.to_owned()]);
        self.update(used, "ADD us :user", Some("attribute_not_exists(gone)"), &[(":user", user)]);
    }

    pub fn end_use(&mut self, used: &keys::Key, user: &str) {
        let user = AttributeValue::Ss(vec![user.to_owned()]);
        self.update(used, "DELETE us :user", None, &[(":user", user)]);
    }

    /// As [`Self::begin_use`], for one of many: only in a transaction that makes
    /// the user's row, so that a repeat does not count it again.
    pub fn count_use(&mut self, used: &keys::Key) {
        self.update(used, "ADD cn :one", Some("attribute_not_exists(gone)"), &[(":one", n(1))]);
    }

    pub fn uncount_use(&mut self, used: &keys::Key) {
        self.update(used, "ADD cn :less", None, &[(":less", n(-1))]);
    }

    /// Nobody begins to use the thing from now on. Refused when somebody does.
    pub fn retire(&mut self, used: &keys::Key) {
        let unused = "attribute_not_exists(us) AND (attribute_not_exists(cn) OR cn = :none)";
        self.update(used, "SET gone = :yes", Some(unused), &[(":yes", n(1)), (":none", n(0))]);
    }
}

impl Store {
    pub(crate) async fn users_of(&self, used: &keys::Key) -> Result<Users> {
        let Some(item) = self.get(used, true).await? else { return Ok(Users::default()) };
        let mut named = match item.get("us") {
            Some(AttributeValue::Ss(users)) => users.clone(),
            _ => Vec::new(),
        };
        named.sort();
        let counted = Reader::new("users of a thing", &item).maybe_number("cn")?.unwrap_or(0);
        Ok(Users { named, counted })
    }
}
