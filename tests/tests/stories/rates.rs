//! The rate of an account, kept by senders that work side by side: never over in
//! any second, and hardly anything unused.
//!
//! Four senders draw on the real ledger through the real purse, in virtual time:
//! the clock moves only when all of them sleep. What they would do with a slot
//! takes no time here. Packs wait and come again as they do on the queue.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use carillon_domain::ledger::{Want, interval};
use carillon_domain::settings::Settings;
use carillon_domain::{Lane, ProviderName};
use carillon_local::options::People;
use carillon_local::{Options, Stack};
use carillon_runtime::clock::Steps;
use carillon_runtime::config::Tuning;
use carillon_runtime::{Clock, Context};
use carillon_sender::Run;
use carillon_sender::purse::Slot;
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

const SENDERS: usize = 4;
const PACK: usize = 100;
const SECONDS: i64 = 60;
/// As in the template.
const SENDER_TIME: SignedDuration = SignedDuration::from_secs(120);

/// A pack that waits: when it can be seen, its number, what is left of it.
type Waiting = BTreeSet<(Timestamp, usize, usize)>;

/// Half of the messages have two parts where `parts` is 2.
fn want(place: usize, parts: u16) -> Want {
    Want { parts: if place.is_multiple_of(2) { 1 } else { parts }, micros: 0 }
}

struct Senders {
    stack: Stack,
    clock: Arc<Steps>,
    rate: u32,
    parts: u16,
    queue: Mutex<Waiting>,
    /// When each part went, in milliseconds since 1970.
    sent: Mutex<Vec<i64>>,
}

impl Senders {
    fn ctx(&self) -> &Context {
        &self.stack.ctx
    }

    /// The first body that can be seen by now, else when to look again.
    fn receive(&self) -> Result<(usize, usize), Timestamp> {
        let now = self.ctx().clock.now();
        let mut queue = self.queue.lock().expect("no panic");
        match queue.first().copied() {
            Some((at, pack, left)) if at <= now => {
                queue.pop_first();
                Ok((pack, left))
            }
            Some((at, ..)) => Err(at),
            None => Err(now + SENDER_TIME),
        }
    }

    async fn work(self: Arc<Self>) {
        loop {
            match self.receive() {
                Err(at) => self.ctx().clock.sleep_until(at).await,
                Ok((pack, left)) => self.run(pack, left).await,
            }
        }
    }

    /// One invocation.
    async fn run(&self, pack: usize, mut left: usize) {
        let ctx = self.ctx();
        let (deadline, holder) = (ctx.clock.now() + SENDER_TIME, format!("pack {pack}"));
        let run = Run::new(ctx, self.stack.org, deadline, (holder, Lane::Bulk), &[]).await;
        let run = run.expect("the table answers");
        let upcoming: VecDeque<_> =
            (0..left).rev().map(|n| (ProviderName::Twilio, want(n, self.parts))).collect();
        run.purse.expect(upcoming, Vec::new()).await;
        let mut again = None;
        while left > 0 {
            let want = want(left - 1, self.parts);
            let slot = run.purse.slot(&run, ProviderName::Twilio, self.rate, want).await;
            match slot.expect("the table answers") {
                Slot::Go => {
                    let now = ctx.clock.now().as_millisecond();
                    let mut sent = self.sent.lock().expect("no panic");
                    sent.extend(std::iter::repeat_n(now, want.parts.into()));
                    left -= 1;
                }
                Slot::Later { until, .. } => {
                    again = Some(until);
                    break;
                }
            }
        }
        run.purse.finish(&run).await.expect("the table answers");
        if let Some(until) = again {
            // The queue's delay is in whole seconds, rounded up.
            let wait = until.duration_since(ctx.clock.now());
            let wait = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
            let at = ctx.clock.now() + SignedDuration::from_secs(wait);
            self.queue.lock().expect("no panic").insert((at, pack, left));
        }
    }
}

/// When each part went within the first minute, in milliseconds from its start.
async fn sixty_seconds(rate: u32, parts: u16, all_at_once: bool) -> Vec<i64> {
    let start: Timestamp = "2026-11-21T09:00:00Z".parse().expect("a time");
    let (clock, steps) = Clock::stepped(start);
    let stack = Stack::open(Options {
        folder: None,
        clock,
        admin_key: "crl_rates".to_owned(),
        public_url: "http://127.0.0.1:1".to_owned(),
        console_url: "http://127.0.0.1:1".to_owned(),
        people: People::Keys,
        provider_urls: std::collections::BTreeMap::new(),
        mail_url: None,
        cors_origins: Vec::new(),
        installation_account: None,
        tuning: Tuning::default(),
    })
    .await
    .expect("the stack opens");
    // No caps: only the rate stands against anything.
    let settings = Settings { max_per_hour: None, ..Settings::default() };
    let stored = stack.ctx.store.put_settings(stack.org, &settings).await;
    stored.expect("the table answers");
    let packs = usize::try_from(rate).expect("a rate") * 70 / PACK + SENDERS;
    // As the planner lays them out; or as four files that begin at the same time.
    let step = if all_at_once { 0 } else { interval(rate) * i64::from(parts + 1) / 2 };
    let due = |pack: usize| {
        let before = i64::try_from(pack * PACK).expect("a number");
        start + SignedDuration::from_micros(before * step)
    };
    let queue = (0..packs).map(|pack| (due(pack), pack, PACK)).collect();
    let senders = Arc::new(Senders {
        stack,
        clock: steps,
        rate,
        parts,
        queue: Mutex::new(queue),
        sent: Mutex::default(),
    });
    let mut tasks = JoinSet::new();
    for _ in 0..SENDERS {
        tasks.spawn(Arc::clone(&senders).work());
    }
    let end = start + SignedDuration::from_secs(SECONDS);
    while senders.ctx().clock.now() < end {
        while senders.clock.asleep() < SENDERS {
            assert!(tasks.try_join_next().is_none(), "a sender ended");
            tokio::task::yield_now().await;
        }
        senders.clock.step();
    }
    tasks.shutdown().await;
    let mut sent = senders.sent.lock().expect("no panic").clone();
    sent.retain(|at| *at < end.as_millisecond());
    sent.sort_unstable();
    sent.into_iter().map(|at| at - start.as_millisecond()).collect()
}

/// The most that went in any second: half-open, wherever it begins.
fn most_in_a_second(sent: &[i64]) -> usize {
    let until = |from: i64| sent.partition_point(|at| *at < from + 1_000);
    sent.iter().enumerate().map(|(place, at)| until(*at) - place).max().unwrap_or(0)
}

#[tokio::test]
async fn four_senders_are_never_over_the_rate_and_use_it_up() {
    for (rate, parts, all_at_once) in [
        (1, 1, false),
        (1, 1, true),
        (3, 1, true),
        (10, 1, false),
        (10, 2, true),
        (100, 1, false),
        (100, 2, true),
        (1_000, 1, false),
        (1_000, 1, true),
    ] {
        let case = format!("{rate} parts/s, {parts} parts, at once: {all_at_once}");
        let sent = sixty_seconds(rate, parts, all_at_once).await;
        let most = most_in_a_second(&sent);
        // The parts of one message go together: they are one call.
        let together = usize::from(parts) - 1;
        assert!(most <= rate as usize + together, "{case}: {most} in a second");
        let possible = f64::from(rate) * 60.0;
        let used = sent.len() as f64 / possible;
        eprintln!("{case}: {:.2} % used, at most {most} in a second", used * 100.0);
        assert!(used >= 0.99, "{case}: {:.2} % used", used * 100.0);
    }
}
