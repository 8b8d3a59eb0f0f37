//! How many messages of something are where.

use serde::Deserialize;

use crate::chart::{self, Svg};
use crate::figures;

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct Counts {
    pub pending: i64,
    pub queued: i64,
    pub sending: i64,
    pub unknown: i64,
    pub sent: i64,
    pub delivered: i64,
    pub read: i64,
    pub failed: i64,
    pub suppressed: i64,
    pub cancelled: i64,
}

impl Counts {
    pub fn parts(&self) -> [(&'static str, &'static str, i64); 7] {
        [
            ("good", "Delivered", self.delivered + self.read),
            ("sent", "Sent", self.sent),
            ("wait", "Sending", self.queued + self.sending),
            ("bad", "Failed", self.failed),
            ("doubt", "Unknown", self.unknown),
            ("off", "Not sent", self.suppressed + self.cancelled),
            ("rest", "Waiting", self.pending),
        ]
    }

    pub fn bar(&self) -> Svg {
        chart::bar(&self.parts())
    }

    /// Those that there are any of, in words.
    pub fn said(&self) -> Vec<(&'static str, String)> {
        let any = self.parts().into_iter().filter(|(_, _, n)| *n > 0);
        any.map(|(class, word, n)| {
            (class, format!("{} {}", figures::count(n), word.to_lowercase()))
        })
        .collect()
    }

    /// Nothing is counted as being sent where only what waits is known.
    pub fn shown(&self) -> impl Iterator<Item = (&'static str, &'static str, i64)> {
        self.parts().into_iter().filter(|(class, _, n)| *class != "wait" || *n > 0)
    }

    pub const fn waits(&self) -> bool {
        self.pending + self.queued + self.sending > 0
    }

    /// Nothing of it can change by itself any more.
    pub const fn is_settled(&self) -> bool {
        self.pending + self.queued + self.sending + self.sent + self.unknown == 0
    }
}
