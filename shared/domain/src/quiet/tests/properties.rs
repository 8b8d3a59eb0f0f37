//! Against a clock that is looked at every minute.

use proptest::prelude::*;

use super::*;
use crate::quiet::{Opening, QuietHours};

/// Contact's zone, and what it says; with half hours, quarters and clocks that
/// change at odd times.
const ZONES: [&str; 9] = [
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "America/New_York",
    "Europe/London",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Africa/Casablanca",
    "America/Santiago",
];

/// Numbers in one or several zones, with and without promotional hours, and
/// what those are as anybody would write them: open from, up to, by weekday
/// (Monday is 1).
type Hours = fn(i8, i32) -> bool;
const NUMBERS: [(&str, Hours); 5] = [
    ("+61412345678", |_, _| true),
    ("+919876543210", |_, m| (600..1260).contains(&m)),
    ("+12055550123", |day, m| day != 7 && (480..1200).contains(&m)),
    ("+12145550123", |day, m| (if day == 7 { 720 } else { 540 }..1260).contains(&m)),
    ("+18005550199", |day, m| (if day == 7 { 720 } else { 600 }..1200).contains(&m)),
];

/// No sooner than needed: all zones, all rules, from the calendar.
fn is_open(at: Timestamp, ask: &Ask<'_>, hours: Hours) -> bool {
    ask.zones().as_slice().iter().all(|zone| {
        let local = at.to_zoned(zone.clone());
        let minute = |t: jiff::civil::Time| i32::from(t.hour()) * 60 + i32::from(t.minute());
        let (now, day) = (minute(local.time()), local.weekday().to_monday_one_offset());
        let quiet = ask.quiet_hours.is_some_and(|q| {
            let (start, end) = (minute(q.start), minute(q.end));
            if start <= end { start <= now && now < end } else { now >= start || now < end }
        });
        !quiet && (ask.purpose == Purpose::Transactional || hours(day, now))
    })
}

fn minutes_after(from: Timestamp, to: Timestamp) -> impl Iterator<Item = Timestamp> {
    let first = (from.as_second() / 60 + 1) * 60;
    (first..to.as_second()).step_by(60).map(|s| Timestamp::from_second(s).expect("in range"))
}

fn check(now: Timestamp, ask: &Ask<'_>, hours: Hours) {
    let is_open = |t: Timestamp| is_open(t, ask, hours);
    let check_opening = |opens: Opening| {
        assert!(is_open(opens.at), "not open at {}", opens.at);
        let Some(until) = opens.until else { return };
        assert!(!is_open(until), "still open at {until}");
        if let Some(wrong) = minutes_after(opens.at, until).find(|t| !is_open(*t)) {
            panic!("closed at {wrong} already, not only at {until}");
        }
    };
    match at(now, ask) {
        Answer::Open { until } => check_opening(Opening { at: now, until }),
        Answer::Closed { opens, .. } => {
            assert!(!is_open(now), "open at {now}");
            if let Some(wrong) = minutes_after(now, opens.at).find(|t| is_open(*t)) {
                panic!("open at {wrong} already, not only at {}", opens.at);
            }
            check_opening(opens);
        }
        Answer::Unknown { .. } => {
            let far = now + jiff::SignedDuration::from_hours(14 * 24);
            assert_eq!(minutes_after(now, far).find(|t| is_open(*t)), None);
        }
    }
}

/// Moments near clock changes as often as any others.
fn moments() -> impl Strategy<Value = Timestamp> {
    let changes = [
        "2026-10-04T00:00Z",
        "2027-04-03T16:00Z",
        "2026-11-01T06:00Z",
        "2027-03-14T07:00Z",
        "2026-10-25T01:00Z",
        "2027-03-28T01:00Z",
        "2027-02-07T02:00Z",
        "2027-03-14T02:00Z",
    ];
    let changes = changes.map(|t| t.parse::<Timestamp>().expect(t).as_second()).to_vec();
    let near = (prop::sample::select(changes), -200_000..200_000_i64).prop_map(|(t, d)| t + d);
    // 2026 to 2030.
    prop_oneof![near, 1_767_225_600..1_893_456_000_i64]
        .prop_map(|s| Timestamp::from_second(s).expect("in range"))
}

fn windows() -> impl Strategy<Value = QuietHours> {
    // Nights and short windows around the hour when clocks are set.
    let minute = prop_oneof![0..1440_i32, 0..240_i32];
    (minute.clone(), minute).prop_map(|(start, end)| {
        let time = |m: i32| format!("{:02}:{:02}", m / 60, m % 60);
        hours(&format!("{}-{}", time(start), time(end)))
    })
}

proptest! {
    #[test]
    fn one_zone_and_any_window(now in moments(), quiet in windows(), name in prop::sample::select(&ZONES[..])) {
        let (to, zone) = (number(SATELLITE), zone(name));
        let ask = Ask { contact_zone: Some(&zone), quiet_hours: Some(&quiet), ..ask(&to) };
        check(now, &ask, |_, _| true);
    }

    #[test]
    fn several_zones_and_promotional_hours(
        now in moments(),
        quiet in prop::option::of(windows()),
        (to, hours) in prop::sample::select(&NUMBERS[..]),
        is_promotional in any::<bool>(),
    ) {
        let purpose = if is_promotional { Purpose::Promotional } else { Purpose::Transactional };
        let to = number(to);
        check(now, &Ask { purpose, quiet_hours: quiet.as_ref(), ..ask(&to) }, hours);
    }
}
