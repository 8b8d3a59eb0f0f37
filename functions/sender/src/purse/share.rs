//! The part of a purse that is for one account: slots in time, and the places
//! that go with them.

use carillon_domain::ledger::{Tally, Unused, Wait, Want, interval, micros};
use jiff::Timestamp;

/// A slot that was missed by more (in microseconds) is lost. Less is made up
/// for at once: too little to count in any second.
const LATE: i64 = 40_000;

pub(super) struct Share {
    /// Next free slot and end of what is reserved, in microseconds since 1970.
    next: i64,
    end: i64,
    step: i64,
    places: Unused,
    /// Just reserved: its first slot counts even if the table was slow.
    fresh: bool,
    /// No more in this run.
    pub closed: Option<(Timestamp, Wait)>,
    /// The breaker counts successes too.
    pub watched: bool,
    pub tally: Tally,
    pub not_before: Option<Timestamp>,
}

impl Share {
    pub fn new(rate: u32) -> Self {
        Self {
            next: 0,
            end: 0,
            step: interval(rate),
            places: Unused::default(),
            fresh: false,
            closed: None,
            watched: false,
            tally: Tally::default(),
            not_before: None,
        }
    }

    pub fn fill(&mut self, start: i64, wants: &[Want]) {
        self.fresh = true;
        self.next = start;
        self.end = start + wants.iter().map(|w| self.time_of(*w)).sum::<i64>();
        for want in wants {
            self.places.messages += 1;
            self.places.micros += want.micros;
        }
    }

    fn time_of(&self, want: Want) -> i64 {
        i64::from(want.parts.max(1)) * self.step
    }

    /// The next slot that has not passed; `None` when there is none that is long
    /// enough, or no place to go with it.
    pub fn take(&mut self, want: Want, now: Timestamp) -> Option<i64> {
        let behind = micros(now) - self.next;
        if behind > LATE && !self.fresh {
            self.next += (behind + self.step - 1) / self.step * self.step;
        }
        self.fresh = false;
        let fits = self.next + self.time_of(want) <= self.end
            && self.places.messages > 0
            && self.places.micros >= want.micros;
        if !fits {
            return None;
        }
        let at = self.next;
        self.next += self.time_of(want);
        self.places.messages -= 1;
        self.places.micros -= want.micros;
        Some(at)
    }

    /// Undoes the last [`Self::take`].
    pub fn put_back(&mut self, want: Want) {
        self.next -= self.time_of(want);
        self.places.messages += 1;
        self.places.micros += want.micros;
    }

    /// Takes out the places that are left; their slots are given up.
    pub fn drain(&mut self) -> Unused {
        self.next = self.end;
        std::mem::take(&mut self.places)
    }

    /// From where to where nothing was used, in microseconds.
    pub fn slots_left(&self) -> Option<(i64, i64)> {
        (self.next < self.end).then_some((self.next, self.end))
    }
}
