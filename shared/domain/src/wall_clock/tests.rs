use jiff::civil::{Date, Time, date, time};
use jiff::tz::{TimeZone, db};
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

#[test]
fn a_step_is_due_by_the_clock_of_the_workshops_zone() {
    let on = |day, hour, minute| StepTime::At { day, time: time(hour, minute, 0, 0) };
    let after = |minutes| StepTime::Offset(SignedDuration::from_mins(minutes));
    for (zone_name, starts_at, when, expected, code) in [
        // 7 PM in Sydney, daylight saving on.
        ("Australia/Sydney", "2026-11-27T08:00:00Z", on(0, 11, 0), "2026-11-27T00:00:00Z", None),
        ("Australia/Sydney", "2026-11-27T08:00:00Z", on(-1, 18, 0), "2026-11-26T07:00:00Z", None),
        ("Australia/Sydney", "2026-11-27T08:00:00Z", on(1, 9, 30), "2026-11-27T22:30:00Z", None),
        ("Australia/Sydney", "2026-11-27T08:00:00Z", after(-120), "2026-11-27T06:00:00Z", None),
        ("Australia/Sydney", "2026-11-27T08:00:00Z", after(30), "2026-11-27T08:30:00Z", None),
        // The workshop's day is the day there, not in UTC.
        ("Pacific/Kiritimati", "2026-11-27T11:00:00Z", on(0, 11, 0), "2026-11-27T21:00:00Z", None),
        ("America/New_York", "2026-11-28T00:00:00Z", on(0, 11, 0), "2026-11-27T16:00:00Z", None),
        // The clock changes between the step and the workshop: 11:00 is 11:00.
        ("Europe/Berlin", "2027-03-28T17:00:00Z", on(-1, 11, 0), "2027-03-27T10:00:00Z", None),
        ("Europe/Berlin", "2027-03-28T17:00:00Z", on(0, 11, 0), "2027-03-28T09:00:00Z", None),
        // An offset is of hours that pass: 24 of them are 18:00 the day before.
        ("Europe/Berlin", "2027-03-28T17:00:00Z", after(-1440), "2027-03-27T17:00:00Z", None),
        // The night that has no 02:30, and the one that has it twice.
        (
            "Europe/Berlin",
            "2027-03-28T17:00:00Z",
            on(0, 2, 30),
            "2027-03-28T01:30:00Z",
            Some("time_left_out"),
        ),
        (
            "Europe/Berlin",
            "2026-10-25T17:00:00Z",
            on(0, 2, 30),
            "2026-10-25T00:30:00Z",
            Some("time_twice"),
        ),
        // Half an hour only, and a midnight that is left out.
        (
            "Australia/Lord_Howe",
            "2026-10-04T08:00:00Z",
            on(0, 2, 15),
            "2026-10-03T15:45:00Z",
            Some("time_left_out"),
        ),
        (
            "Africa/Cairo",
            "2027-04-30T15:00:00Z",
            on(0, 0, 0),
            "2027-04-29T22:00:00Z",
            Some("time_left_out"),
        ),
        // An older name of Kyiv.
        ("Europe/Kiev", "2026-11-27T17:00:00Z", on(0, 11, 0), "2026-11-27T09:00:00Z", None),
        ("europe/kyiv", "2026-11-27T17:00:00Z", on(0, 11, 0), "2026-11-27T09:00:00Z", None),
    ] {
        let zone = zone(zone_name).expect(zone_name);
        let found = step(at(starts_at), &zone, when).expect("within the calendar");
        assert_eq!((found.at, found.clock.code()), (at(expected), code), "{zone_name} {when:?}");
        assert_eq!(found.clock.detail().is_some(), code.is_some());
    }
}

#[test]
fn a_time_that_is_left_out_says_what_the_clock_shows_instead() {
    let berlin = zone("Europe/Berlin").expect("a zone");
    let found = moment(date(2027, 3, 28).at(2, 30, 0, 0), &berlin).expect("within the calendar");
    assert_eq!(
        found.clock.detail().as_deref(),
        Some("The clock there is put forward over this time; it counts as 03:30 on 2027-03-28.")
    );
}

#[test]
fn a_zone_that_does_not_exist_is_named() {
    for name in ["Europe/Atlantis", "", "EST5EDT4", "Etc/Unknown", "Factory", "+05:30", "Sydney"] {
        assert_eq!(zone(name).err(), Some(UnknownZone(name.to_owned())), "{name}");
    }
    let long = "x".repeat(100_000);
    assert_eq!(zone(&long).expect_err("no zone").0.len(), 64);
}

#[test]
fn the_end_of_the_calendar_is_an_answer() {
    let utc = zone("UTC").expect("a zone");
    let end = at("9999-12-30T00:00:00Z");
    let day = StepTime::At { day: 365, time: Time::midnight() };
    assert_eq!(step(end, &utc, day), Err(OutOfRange));
    let offset = StepTime::Offset(SignedDuration::from_hours(8_760));
    assert_eq!(step(end, &utc, offset), Err(OutOfRange));
}

/// Ten years from the last before these lines were written.
const FIRST: Date = date(2025, 1, 1);
const DAYS: i64 = 3_652;
/// In the nights clocks are changed, and by day: at the edges and in the middle
/// of what they leave out or show twice (half hours too), and when people send.
const TIMES: [i64; 14] = [
    0, 900, 1_800, 3_599, 3_600, 5_400, 7_200, 9_000, 10_799, 10_800, 39_600, 68_400, 82_800,
    86_399,
];

/// What a zone's clock is ahead of UTC, from each moment on; the first from the
/// beginning of time. In seconds. From the database's list of changes alone.
fn offsets(zone: &TimeZone) -> Vec<(i64, i64)> {
    let from = FIRST.checked_sub(3.days()).expect("a date").at(0, 0, 0, 0);
    let from = from.to_zoned(TimeZone::UTC).expect("a moment").timestamp();
    let until = from.as_second() + (DAYS + 6) * 86_400;
    let mut found = vec![(i64::MIN, i64::from(zone.to_offset(from).seconds()))];
    let changes = zone
        .following(from)
        .map(|change| (change.timestamp().as_second(), i64::from(change.offset().seconds())));
    found.extend(changes.take_while(|(at, _)| *at < until));
    found
}

/// The moment by the rule, from first principles: of the moments at which a
/// clock this far ahead shows the time, the first that the zone has; if it has
/// none, the one on the clock as it was before.
fn by_the_rule(offsets: &[(i64, i64)], shown: i64, near: usize) -> (i64, Option<&'static str>) {
    let spans = offsets.iter().enumerate().skip(near.saturating_sub(1)).take(4);
    let holds = |(n, (from, offset)): (usize, &(i64, i64))| {
        let at = shown - offset;
        let until = offsets.get(n + 1).map_or(i64::MAX, |next| next.0);
        (*from <= at && at < until).then_some(at)
    };
    let mut found = spans.filter_map(holds);
    match (found.next(), found.next()) {
        (Some(at), None) => (at, None),
        (Some(at), Some(_)) => (at, Some("time_twice")),
        (None, _) => {
            // The last clock that had not been put forward yet.
            let mut before = offsets.iter().rev().filter(|(from, o)| *from <= shown - o);
            let (_, offset) = before.next().expect("the first has no beginning");
            (shown - offset, Some("time_left_out"))
        }
    }
}

/// Every zone of the database, every date of ten years, fourteen times of each:
/// what [`moment`] says is what the database's list of changes says by the rule.
/// Zones with one list of changes (aliases) are looked at once, and counted.
#[test]
fn wall_clock_time_holds_for_every_zone_and_every_date_of_ten_years() {
    let mut lists = std::collections::BTreeMap::new();
    let mut zones = 0;
    for name in db().available() {
        let Ok(zone) = zone(name.as_str()) else {
            assert!(["Etc/Unknown", "Factory"].contains(&name.as_str()), "{name}");
            continue;
        };
        zones += 1;
        lists.entry(offsets(&zone)).or_insert(zone);
    }
    assert!(zones > 590, "the database has {zones} zones only");
    let lists: Vec<_> = lists.into_iter().collect();
    let share = lists.len().div_ceil(4);
    let (mut left_out, mut twice) = (0, 0);
    std::thread::scope(|scope| {
        let shares: Vec<_> =
            lists.chunks(share).map(|share| scope.spawn(|| look_at(share))).collect();
        for share in shares {
            let (l, t) = share.join().expect("no share fails");
            (left_out, twice) = (left_out + l, twice + t);
        }
    });
    // The years were not by chance without a change.
    assert!(left_out > 500 && twice > 500, "{left_out} {twice}");
}

fn look_at(lists: &[(Vec<(i64, i64)>, TimeZone)]) -> (usize, usize) {
    let epoch = date(1970, 1, 1);
    let first = i64::from((FIRST - epoch).get_days()) * 86_400;
    let (mut left_out, mut twice) = (0, 0);
    for (offsets, zone) in lists {
        let mut date = FIRST;
        for day in 0..DAYS {
            let midnight = first + day * 86_400;
            // No zone is a whole day from UTC.
            let near = offsets.partition_point(|(from, _)| *from < midnight - 2 * 86_400);
            for seconds in TIMES {
                let shown = date.to_datetime(Time::midnight()) + seconds.seconds();
                let found = moment(shown, zone).expect("within the calendar");
                let (at, code) = by_the_rule(offsets, midnight + seconds, near);
                assert_eq!(
                    (found.at.as_second(), found.clock.code()),
                    (at, code),
                    "{shown} {:?}",
                    zone.iana_name()
                );
                left_out += usize::from(code == Some("time_left_out"));
                twice += usize::from(code == Some("time_twice"));
            }
            date = date.tomorrow().expect("a date");
        }
    }
    (left_out, twice)
}

proptest! {
    /// Whatever the zone, the workshop and the step: the clock there shows the
    /// step's time on its day, or says why not.
    #[test]
    fn the_clock_shows_what_the_step_says(
        zone_at in 0_usize..10_000,
        starts_at in 0_i64..4_102_444_800,
        day in -365_i16..=365,
        second in 0_i32..86_400,
    ) {
        let names: Vec<_> = db().available().collect();
        let name = names[zone_at % names.len()].as_str();
        let Ok(zone) = zone(name) else { return Ok(()) };
        let starts_at = Timestamp::from_second(starts_at).expect("a moment");
        let time = Time::midnight().wrapping_add(i64::from(second).seconds());
        let found = step(starts_at, &zone, StepTime::At { day, time }).expect("in range");
        let shows = zone.to_datetime(found.at);
        let date = zone.to_datetime(starts_at).date().checked_add(i32::from(day).days());
        let wanted = date.expect("a date").to_datetime(time);
        match found.clock {
            Clock::Once | Clock::Twice => prop_assert_eq!(shows, wanted, "{}", name),
            Clock::LeftOut { shows: told } => {
                prop_assert_eq!(shows, told);
                prop_assert!(shows > wanted, "{} {}", shows, wanted);
            }
        }
    }
}
