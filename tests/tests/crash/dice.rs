//! Chance that can be repeated: what goes wrong with an operation depends on the
//! seed, the place and how often it was there, not on the order of threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use carillon_local::engines::Verdict;

use crate::point::{Effect, Fault, Place};

/// Of a thousand operations this many go wrong.
const PER_MILLE: u64 = 25;
/// Of a thousand calls to a provider.
const CALLS_PER_MILLE: u64 = 120;

#[derive(Debug, Clone)]
pub struct Dice {
    seed: u64,
    /// Faults that may still come: an end must be possible.
    left: Arc<AtomicU32>,
}

impl Dice {
    pub fn new(seed: u64, faults: u32) -> Self {
        Self { seed, left: Arc::new(AtomicU32::new(faults)) }
    }

    /// What goes wrong with an operation of the table, a queue or KMS.
    pub fn operation(&self, place: &Place, nth: u32) -> Verdict {
        let roll = self.roll(place, nth);
        if roll % 1_000 >= PER_MILLE {
            return Verdict::Pass;
        }
        let index = place.what.starts_with("Query due");
        let batch = place.what.contains("Batch");
        let verdict = match (roll / 1_000) % 9 {
            0 => Verdict::FailBefore,
            1 => Verdict::ServerError,
            2 | 3 => Verdict::LoseAnswer,
            4 if index => Verdict::StaleIndex,
            4 if batch => Verdict::Unprocessed,
            4 => Verdict::Throttle,
            5 if place.kind == Effect::Writes => Verdict::TransactionConflict,
            5 => Verdict::Throttle,
            6 => Verdict::HangBefore,
            _ => Verdict::HangAfter,
        };
        if self.may() { verdict } else { Verdict::Pass }
    }

    /// What goes wrong with a call to a provider. Nothing is cut off in it: two
    /// may be made at a time, and nobody could say whose it is.
    pub fn call(&self, place: &Place, nth: u32) -> Option<Fault> {
        let roll = self.roll(place, nth);
        if roll % 1_000 >= CALLS_PER_MILLE {
            return None;
        }
        let faults = [
            Fault::FailBefore,
            Fault::LoseAnswer,
            Fault::ErrorPage,
            Fault::ErrorPageAfter,
            Fault::TooFast,
        ];
        let fault = usize::try_from((roll / 1_000) % 5).ok().and_then(|n| faults.get(n).copied());
        fault.filter(|_| self.may())
    }

    fn may(&self) -> bool {
        let less = |left: u32| left.checked_sub(1);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    fn roll(&self, place: &Place, nth: u32) -> u64 {
        let mut draw = Draw::new(self.seed ^ u64::from(nth).rotate_left(40));
        let mut roll = draw.next();
        for byte in place.to_string().bytes() {
            roll = (roll ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Draw::new(roll).next()
    }
}

/// A stream of numbers from a seed (SplitMix64).
#[derive(Debug, Clone)]
pub struct Draw(u64);

impl Draw {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0, below `most`.
    pub fn below(&mut self, most: u32) -> u32 {
        u32::try_from(self.next() % u64::from(most.max(1))).unwrap_or(0)
    }

    /// True in so many of a hundred.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }
}
