//! Never over, whatever is asked in which order; nothing lost that was given back.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::Lane;

const START: &str = "2026-11-21T09:00:00Z";

fn start() -> Timestamp {
    START.parse().expect("a time")
}

fn after(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

/// The slot behind `count` others, from the start on.
fn slot(count: i64, rate: u32) -> i64 {
    micros(start()) + count * interval(rate)
}

fn limits() -> Limits {
    Limits {
        max_per_hour: None,
        max_per_day: None,
        spend_per_day: None,
        spend_per_month: None,
        currency: Some("USD".to_owned()),
        zone: TimeZone::UTC,
    }
}

fn ask<'a>(rate: u32, lane: Lane, wants: &'a [Want], now: Timestamp) -> Ask<'a> {
    let until = now + SignedDuration::from_secs(55);
    Ask { holder: "p", identity: ProviderName::Twilio, rate, lane, wants, now, until }
}

fn wants(count: usize) -> Vec<Want> {
    vec![Want { parts: 1, micros: 10 }; count]
}

#[test]
fn slots_follow_each_other_without_gap_or_overlap() {
    let mut ledger = Ledger::default();
    let (limits, wants) = (limits(), wants(40));
    let mut expected = micros(start());
    for _ in 0..5 {
        let grant = ledger.reserve(&ask(10, Lane::Bulk, &wants, start()), &limits);
        let Grant::Slots { start: at, messages } = grant else {
            // Bulk reserves five seconds ahead and no more.
            assert_eq!(expected, slot(50, 10));
            assert_eq!(grant, Grant::Later { until: time(expected), why: Wait::Rate });
            return;
        };
        assert_eq!(at, expected);
        expected += i64::try_from(messages).unwrap() * interval(10);
    }
    panic!("five seconds of ten have room for fifty");
}

#[test]
fn a_run_that_ends_soon_leaves_the_slots_behind_its_end_to_others() {
    let mut ledger = Ledger::default();
    let (limits, wants) = (limits(), wants(100));
    let ending = Ask { until: after(2), ..ask(1, Lane::Bulk, &wants, start()) };
    let two = Grant::Slots { start: micros(start()), messages: 2 };
    assert_eq!(ledger.reserve(&ending, &limits), two);
    // It comes again in time for the next, not behind those who wait.
    let until = in_time(slot(2, 1), start());
    assert_eq!(ledger.reserve(&ending, &limits), Grant::Later { until, why: Wait::Rate });
    let others = ledger.reserve(&ask(1, Lane::Bulk, &wants, start()), &limits);
    assert_eq!(others, Grant::Slots { start: slot(2, 1), messages: 3 });
}

#[test]
fn what_a_person_waits_for_goes_before_the_rest_of_a_bulk() {
    let mut ledger = Ledger::default();
    let (limits, many) = (limits(), wants(100));
    while matches!(
        ledger.reserve(&ask(10, Lane::Bulk, &many, start()), &limits),
        Grant::Slots { .. }
    ) {}
    let single = ledger.reserve(&ask(10, Lane::Transactional, &many[..1], start()), &limits);
    assert_eq!(single, Grant::Slots { start: slot(50, 10), messages: 1 });
}

#[test]
fn who_finds_no_slot_is_told_a_time_of_their_own() {
    let mut ledger = Ledger::default();
    let (limits, wants) = (limits(), wants(100));
    ledger.reserve(&ask(10, Lane::Bulk, &wants, start()), &limits);
    for place in 0..4 {
        let told = ledger.reserve(&ask(10, Lane::Bulk, &wants, start()), &limits);
        let until = time(slot(50 + 100 * place, 10));
        assert_eq!(told, Grant::Later { until, why: Wait::Rate }, "a line of ten seconds each");
    }
}

#[test]
fn no_second_has_more_than_the_rate() {
    for rate in [1, 3, 7, 10, 100, 999, 1000] {
        let step = interval(rate);
        assert!(step * i64::from(rate) >= 1_000_000, "{rate}");
        let in_a_second = (1_000_000 + step - 1) / step;
        assert!(in_a_second <= i64::from(rate), "{rate}");
    }
}

#[test]
fn each_limit_stands_on_its_own_and_is_new_in_time() {
    use Wait::{MaxPerDay, MaxPerHour, SpendPerDay, SpendPerMonth};
    let at = |text: &str| text.parse::<Timestamp>().expect("a time");
    for (change, why, until) in [
        (0, MaxPerHour, "2026-11-21T10:00:00Z"),
        (1, MaxPerDay, "2026-11-22T00:00:00Z"),
        (2, SpendPerDay, "2026-11-22T00:00:00Z"),
        (3, SpendPerMonth, "2026-12-01T00:00:00Z"),
    ] {
        let mut limits = limits();
        match change {
            0 => limits.max_per_hour = Some(3),
            1 => limits.max_per_day = Some(3),
            2 => limits.spend_per_day = Some(30),
            _ => limits.spend_per_month = Some(30),
        }
        let mut ledger = Ledger::default();
        let wants = wants(5);
        let grant = ledger.reserve(&ask(1000, Lane::Bulk, &wants, start()), &limits);
        assert_eq!(grant, Grant::Slots { start: micros(start()), messages: 3 });
        let grant = ledger.reserve(&ask(1000, Lane::Bulk, &wants, after(1)), &limits);
        assert_eq!(grant, Grant::Later { until: at(until), why });
        let grant = ledger.reserve(&ask(1000, Lane::Bulk, &wants, at(until)), &limits);
        assert!(matches!(grant, Grant::Slots { messages: 3, .. }), "{why:?}: {grant:?}");
        // What was taken before the turn is not given back to the new period.
        ledger.settle("p", Unused { messages: 3, micros: 30 }, at(until), &limits);
        let grant = ledger.reserve(&ask(1000, Lane::Bulk, &wants, at(until)), &limits);
        assert!(matches!(grant, Grant::Slots { messages: 3, .. }), "{why:?}: {grant:?}");
    }
}

#[test]
fn a_breaker_opens_on_failures_lets_one_probe_through_and_closes_by_it() {
    let (limits, wants) = (limits(), wants(10));
    let mut ledger = Ledger::default();
    let reserve =
        |ledger: &mut Ledger, at| ledger.reserve(&ask(1000, Lane::Bulk, &wants, at), &limits);
    let failed = Tally { answered: 0, failed: 5 };
    let answered = Tally { answered: 1, failed: 0 };
    // Few failures among many answers prove nothing.
    ledger.learn(ProviderName::Twilio, Tally { answered: 50, failed: 6 }, None, start());
    assert!(matches!(reserve(&mut ledger, start()), Grant::Slots { .. }));
    ledger = Ledger::default();
    ledger.learn(ProviderName::Twilio, failed, None, start());
    let down = |until| Grant::Later { until, why: Wait::ProviderDown };
    assert_eq!(reserve(&mut ledger, after(29)), down(after(30)));
    assert!(matches!(reserve(&mut ledger, after(30)), Grant::Slots { messages: 1, .. }));
    assert_eq!(reserve(&mut ledger, after(31)), down(after(46)), "one probe at a time");
    ledger.learn(ProviderName::Twilio, Tally { answered: 0, failed: 1 }, None, after(32));
    assert_eq!(reserve(&mut ledger, after(91)), down(after(92)), "twice as long");
    assert!(matches!(reserve(&mut ledger, after(92)), Grant::Slots { messages: 1, .. }));
    // A probe that was cut off does not hold up the next for ever.
    assert!(matches!(reserve(&mut ledger, after(92 + 150)), Grant::Slots { messages: 1, .. }));
    ledger.learn(ProviderName::Twilio, answered, None, after(243));
    assert!(matches!(reserve(&mut ledger, after(243)), Grant::Slots { messages: 10, .. }));
}

#[test]
fn a_provider_that_asks_for_a_pause_gets_it() {
    let (limits, wants) = (limits(), wants(1));
    let mut ledger = Ledger::default();
    ledger.learn(ProviderName::Twilio, Tally::default(), Some(after(60)), start());
    let grant = ledger.reserve(&ask(10, Lane::Transactional, &wants, start()), &limits);
    assert_eq!(grant, Grant::Later { until: after(60), why: Wait::Rate });
}

#[test]
fn what_was_left_by_a_run_of_another_day_is_forgotten() {
    let (mut limits, wants) = (limits(), wants(2));
    limits.max_per_day = Some(10);
    let mut ledger = Ledger::default();
    ledger.reserve(&ask(10, Lane::Bulk, &wants, start()), &limits);
    assert_eq!(ledger.holdings.len(), 1);
    let next = Ask { holder: "q", ..ask(10, Lane::Bulk, &wants, after(24 * 3_600)) };
    ledger.reserve(&next, &limits);
    assert_eq!(ledger.holdings.keys().collect::<Vec<_>>(), ["q"]);
}

#[test]
fn the_row_is_read_back_as_it_was_written() {
    let (mut limits, wants) = (limits(), wants(2));
    limits.max_per_hour = Some(10);
    let mut ledger = Ledger::default();
    ledger.reserve(&ask(10, Lane::Bulk, &wants, start()), &limits);
    ledger.learn(ProviderName::Twilio, Tally { answered: 1, failed: 2 }, None, start());
    let text = serde_json::to_string(&ledger).unwrap();
    assert_eq!(serde_json::from_str::<Ledger>(&text).unwrap(), ledger);
    assert!(text.len() < 300, "a write is one unit: {text}");
}

#[derive(Debug, Clone)]
enum Step {
    Reserve { holder: u8, messages: usize, parts: u16 },
    Settle { holder: u8, used: u32 },
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..4_u8, 1..12_usize, 1..4_u16).prop_map(|(holder, messages, parts)| Step::Reserve {
            holder,
            messages,
            parts
        }),
        (0..4_u8, 0..12_u32).prop_map(|(holder, used)| Step::Settle { holder, used }),
        (1..2_000_i64).prop_map(Step::Wait),
    ]
}

proptest! {
    /// Four senders in any order, over hours: in no hour more is granted and not
    /// given back than the cap, and no slot is granted twice.
    #[test]
    fn no_order_of_events_exceeds_a_cap_or_grants_a_slot_twice(
        steps in prop::collection::vec(step(), 1..120),
        cap in 1..20_u32,
    ) {
        let limits = Limits { max_per_hour: Some(cap), ..limits() };
        let mut ledger = Ledger::default();
        let mut now = start();
        let mut last_end = 0;
        // By holder: the hour, and how many are held.
        let mut held = std::collections::BTreeMap::<u8, (i64, u32)>::new();
        let mut used = std::collections::BTreeMap::<i64, u32>::new();
        for step in steps {
            let hour = now.as_second() / 3600;
            match step {
                Step::Wait(seconds) => now += SignedDuration::from_secs(seconds),
                Step::Reserve { holder, messages, parts } => {
                    let wants = vec![Want { parts, micros: 0 }; messages];
                    let name = holder.to_string();
                    let ask = Ask { holder: &name, ..ask(7, Lane::Bulk, &wants, now) };
                    if let Grant::Slots { start, messages } = ledger.reserve(&ask, &limits) {
                        prop_assert!(start >= last_end && start >= micros(now));
                        last_end = start + i64::try_from(messages).unwrap() * i64::from(parts) * interval(7);
                        let granted = u32::try_from(messages).unwrap();
                        *used.entry(hour).or_default() += granted;
                        let entry = held.entry(holder).or_insert((hour, 0));
                        if entry.0 != hour { *entry = (hour, 0); }
                        entry.1 += granted;
                    }
                }
                Step::Settle { holder, used: really } => {
                    let (of, count) = held.remove(&holder).unwrap_or((hour, 0));
                    let unused = count.saturating_sub(really);
                    ledger.settle(&holder.to_string(), Unused { messages: unused, micros: 0 }, now, &limits);
                    *used.entry(of).or_default() -= unused;
                }
            }
            for (hour, count) in &used {
                prop_assert!(*count <= cap, "{count} in hour {hour}, {cap} allowed");
            }
        }
    }
}
