//! Takes one mechanism of safety away, so that a test can show that it is needed
//! and that its absence is noticed. Only the feature `sabotage` can do so, and
//! only the tests switch it on: without it the question below is always `false`,
//! and nothing of this is in a program.

use crate::Store;

/// What can be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// The write before a call.
    Claim,
    /// No call is made when its claim may have run out.
    LeaseCheck,
    /// The cursor of planning moves only behind the packs.
    PackBeforeCursor,
    /// A row is put only where it is as it was read.
    Condition,
    /// A write whose answer was lost knows its own work.
    Token,
    /// An Unknown is due to be settled.
    SettleKey,
    /// A pack ends only when each message has left it.
    FinishRule,
    /// Who opted out is not written to.
    OptOutGate,
}

impl Mechanism {
    pub const ALL: [Self; 8] = [
        Self::Claim,
        Self::LeaseCheck,
        Self::PackBeforeCursor,
        Self::Condition,
        Self::Token,
        Self::SettleKey,
        Self::FinishRule,
        Self::OptOutGate,
    ];
}

impl Store {
    /// Whether it was taken away.
    #[cfg(feature = "sabotage")]
    #[must_use]
    pub fn lacks(&self, mechanism: Mechanism) -> bool {
        self.without == Some(mechanism)
    }

    /// Never.
    #[cfg(not(feature = "sabotage"))]
    #[must_use]
    pub const fn lacks(&self, _: Mechanism) -> bool {
        false
    }

    /// Takes it away.
    #[cfg(feature = "sabotage")]
    pub const fn sabotage(&mut self, mechanism: Mechanism) {
        self.without = Some(mechanism);
    }
}
