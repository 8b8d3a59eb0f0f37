//! What a run has reserved from the organization's ledger: places within caps
//! and spend, and slots in time. Handed out one message at a time, in the order
//! of the slots; what is left goes back at the end.
//!
//! A run that is cut off leaves a holding in the ledger. The next run of the
//! same pack or message settles it first, by what the rows say was claimed.

mod share;

use std::collections::{BTreeMap, VecDeque};

use carillon_domain::ledger::{Ask, Grant, Holding, Unused, Wait, Want, in_time, time};
use carillon_domain::message::{AttemptOutcome, Message};
use carillon_domain::settings::Trouble;
use carillon_domain::{Lane, ProviderName};
use carillon_runtime::{random, trouble};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use self::share::Share;
use crate::{Run, SendError};

/// No run holds a function longer than this to wait for slots.
const LONGEST_HOLD: SignedDuration = SignedDuration::from_secs(55);
/// Messages for which is reserved at once.
const MOST_AT_ONCE: usize = 100;
/// Failures of a provider as a whole after which a run does not go on.
const FAILURES_IN_A_RUN: u32 = 5;
/// How long such a run leaves the provider alone, before the breaker knows.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// An attempt that was begun before this run, and what it cost.
#[derive(Debug, Clone, Copy)]
pub struct Begun {
    at: Timestamp,
    micros: u64,
}

impl Begun {
    /// The last attempt, if it used up a place: refused ones gave theirs back.
    pub fn of(message: &Message, micros: u64) -> Option<Self> {
        let last = message.attempts.last()?;
        match last.outcome {
            AttemptOutcome::Refused(_) | AttemptOutcome::NotSent => None,
            AttemptOutcome::InFlight | AttemptOutcome::Accepted | AttemptOutcome::Unknown => {
                Some(Self { at: last.started_at, micros })
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Now.
    Go,
    Later {
        until: Timestamp,
        why: Wait,
    },
}

pub struct Purse {
    /// The pack or message that the run is for.
    holder: String,
    lane: Lane,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    shares: BTreeMap<ProviderName, Share>,
    /// Who will ask after the one that asks now.
    upcoming: VecDeque<(ProviderName, Want)>,
    /// For the holding of a run before this one.
    begun: Vec<Begun>,
    unused: Unused,
    reserved: bool,
}

impl Purse {
    pub fn new(holder: String, lane: Lane) -> Self {
        Self { holder, lane, inner: Mutex::default() }
    }

    /// Who will ask, in this order, so that one reservation serves many; and
    /// what was begun before.
    pub async fn expect(&self, upcoming: VecDeque<(ProviderName, Want)>, begun: Vec<Begun>) {
        let mut inner = self.inner.lock().await;
        (inner.upcoming, inner.begun) = (upcoming, begun);
    }

    /// Waits for the next slot of the account. Those who ask wait in line, one
    /// at a time, so nothing is reserved for later than need be.
    pub async fn slot(
        &self,
        run: &Run<'_>,
        name: ProviderName,
        rate: u32,
        want: Want,
    ) -> Result<Slot, SendError> {
        let mut inner = self.inner.lock().await;
        if let Some(place) = inner.upcoming.iter().position(|(n, w)| (*n, *w) == (name, want)) {
            inner.upcoming.remove(place);
        }
        let clock = &run.ctx.clock;
        loop {
            let share = inner.shares.entry(name).or_insert_with(|| Share::new(rate));
            if let Some((until, why)) = share.closed {
                return Ok(Slot::Later { until, why });
            }
            if let Some(slot) = share.take(want, clock.now()) {
                let at = time(slot);
                if at > run.started + LONGEST_HOLD || !run.has_time(at) {
                    share.put_back(want);
                    share.closed = Some((in_time(slot, clock.now()), Wait::Rate));
                    continue;
                }
                clock.sleep_until(at).await;
                return Ok(Slot::Go);
            }
            self.reserve(run, &mut inner, name, rate, want).await?;
        }
    }

    async fn reserve(
        &self,
        run: &Run<'_>,
        inner: &mut Inner,
        name: ProviderName,
        rate: u32,
        want: Want,
    ) -> Result<(), SendError> {
        let others = inner.upcoming.iter().filter(|(n, _)| *n == name).map(|(_, want)| *want);
        let wants: Vec<Want> = std::iter::once(want).chain(others).take(MOST_AT_ONCE).collect();
        let limits = &run.terms().await?.limits;
        let now = run.ctx.clock.now();
        // Slots that this run will not use would be lost to those who reserve behind them.
        let until = run.last_call().min(run.started + LONGEST_HOLD);
        let (holder, lane) = (&self.holder, self.lane);
        let ask = Ask { holder, identity: name, rate, lane, wants: &wants, now, until };
        let (first, begun) = (!inner.reserved, &inner.begun);
        let mut spent = 0;
        let grant = run
            .ctx
            .store
            .change_ledger(run.org, &random::token(), |ledger| {
                if first && let Some(held) = ledger.holdings.get(&self.holder) {
                    let unused = unused_of(held, begun);
                    ledger.settle(&self.holder, unused, now, limits);
                }
                let grant = ledger.reserve(&ask, limits);
                spent = ledger.periods.spent(limits);
                let watched = !ledger.identities.entry(name).or_default().breaker.is_untouched();
                Some((grant, watched))
            })
            .await?;
        let Some((grant, watched)) = grant else { return Ok(()) };
        let is_over =
            matches!(grant, Grant::Later { why: Wait::SpendPerDay | Wait::SpendPerMonth, .. });
        tell_of_spend(run, if is_over { 100 } else { spent }).await;
        let share = inner.shares.entry(name).or_insert_with(|| Share::new(rate));
        share.watched |= watched;
        match grant {
            Grant::Slots { start, messages } => {
                inner.reserved = true;
                // Places whose slots have passed unused.
                inner.unused = add(inner.unused, share.drain());
                share.fill(start, wants.get(..messages).unwrap_or_default());
            }
            Grant::Later { until, why } => share.closed = Some((until, why)),
        }
        Ok(())
    }

    /// A message that had its slot was not handed over after all.
    pub async fn not_used(&self, want: Want) {
        let mut inner = self.inner.lock().await;
        inner.unused = add(inner.unused, Unused { messages: 1, micros: want.micros });
    }

    /// Whether the account is left alone for now because its calls fail.
    pub async fn is_down(&self, name: ProviderName) -> Option<Timestamp> {
        match self.inner.lock().await.shares.get(&name)?.closed {
            Some((until, Wait::ProviderDown)) => Some(until),
            _ => None,
        }
    }

    /// What a call showed of the account. `not_before`: it asked for a pause.
    pub async fn learn(
        &self,
        name: ProviderName,
        failed: bool,
        not_before: Option<Timestamp>,
        now: Timestamp,
    ) {
        let mut inner = self.inner.lock().await;
        let Some(share) = inner.shares.get_mut(&name) else { return };
        if failed {
            share.tally.failed += 1;
        } else {
            share.tally.answered += 1;
        }
        if let Some(at) = not_before {
            share.not_before = share.not_before.max(Some(at));
            share.closed = Some((at, Wait::Rate));
        } else if share.tally.failed >= FAILURES_IN_A_RUN
            && share.tally.failed > share.tally.answered
            && share.closed.is_none()
        {
            share.closed = Some((now + PAUSE, Wait::ProviderDown));
        }
    }

    /// The end of the run: gives back what is left and tells what was learnt.
    /// Not written when there is nothing to say.
    pub async fn finish(&self, run: &Run<'_>) -> Result<(), SendError> {
        let mut inner = self.inner.lock().await;
        let inner = &mut *inner;
        let limits = &run.terms().await?.limits;
        let mut unused = inner.unused;
        let mut ends = Vec::new();
        for (name, share) in &mut inner.shares {
            let slots = share.slots_left();
            unused = add(unused, share.drain());
            let news = share.watched || share.tally.failed > 0 || share.not_before.is_some();
            if slots.is_some() || news {
                ends.push((*name, slots, news.then_some(share.tally), share.not_before));
            }
        }
        let holds = inner.reserved && limits.any();
        if !holds && ends.is_empty() {
            return Ok(());
        }
        let now = run.ctx.clock.now();
        let token = random::token();
        let written = run.ctx.store.change_ledger(run.org, &token, |ledger| {
            ledger.settle(&self.holder, unused, now, limits);
            for (name, slots, tally, not_before) in &ends {
                if let Some((from, to)) = slots {
                    ledger.give_back_slots(*name, *from, *to);
                }
                if tally.is_some() || not_before.is_some() {
                    ledger.learn(*name, tally.unwrap_or_default(), *not_before, now);
                }
            }
            Some(())
        });
        written.await?;
        Ok(())
    }
}

/// Members who want to know are told at 80 and at 100 %.
async fn tell_of_spend(run: &Run<'_>, percent: u64) {
    let (subject, what) = match percent {
        0..80 => return,
        80..100 => ("80", "80 % of a spend limit is used up."),
        _ => ("100", "a spend limit is used up; what costs more waits."),
    };
    trouble::tell(run.ctx, run.org, Trouble::Spend, subject, what).await;
}

fn add(a: Unused, b: Unused) -> Unused {
    Unused { messages: a.messages + b.messages, micros: a.micros + b.micros }
}

/// Of a run that was cut off: what it held, less what the rows show as begun.
fn unused_of(held: &Holding, begun: &[Begun]) -> Unused {
    let since = held.since();
    let used = begun.iter().filter(|b| b.at >= since);
    let (messages, micros) =
        used.fold((0_u32, 0_u64), |(n, sum), b| (n + 1, sum.saturating_add(b.micros)));
    Unused {
        messages: held.messages.saturating_sub(messages),
        micros: held.micros.saturating_sub(micros),
    }
}
