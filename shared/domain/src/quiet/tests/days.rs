use jiff::SignedDuration;

use super::*;
use crate::quiet::{Opening, local_day, next_day_opens, spread};

#[test]
fn a_day_is_the_recipients() {
    let (kolkata, satellite) = (number("+919876543210"), number(SATELLITE));
    let now = moment("2026-11-21T20:00[UTC]");
    for (to, organization, expected) in [
        (&kolkata, "America/New_York", "2026-11-22"),
        (&satellite, "America/New_York", "2026-11-21"),
        (&satellite, "Australia/Sydney", "2026-11-22"),
        (&satellite, "UTC", "2026-11-21"),
    ] {
        let ask = Ask { organization_zone: organization, ..ask(to) };
        assert_eq!(local_day(now, &ask).to_string(), expected);
    }
}

#[test]
fn the_next_day_opens_when_it_is_no_longer_quiet() {
    let to = number(SATELLITE);
    for (name, quiet, now, expected) in [
        ("Asia/Kolkata", Some("21:00-08:00"), "2026-11-21T12:00", "2026-11-22T08:00"),
        // Still yesterday's night: the day counts, not the window.
        ("Asia/Kolkata", Some("21:00-08:00"), "2026-11-21T02:00", "2026-11-22T08:00"),
        ("Asia/Kolkata", Some("21:00-23:00"), "2026-11-21T22:00", "2026-11-22T00:00"),
        ("Asia/Kolkata", None, "2026-11-21T12:00", "2026-11-22T00:00"),
        ("Australia/Sydney", None, "2026-10-04T12:00", "2026-10-05T00:00"),
        // Midnight does not exist in Santiago that day.
        ("America/Santiago", None, "2026-09-05T12:00", "2026-09-06T01:00"),
    ] {
        let (zone, quiet) = (zone(name), quiet.map(hours));
        let ask = Ask { contact_zone: Some(&zone), quiet_hours: quiet.as_ref(), ..ask(&to) };
        let found = next_day_opens(moment(&format!("{now}[{name}]")), &ask).expect("it opens");
        assert_eq!(found.at, moment(&format!("{expected}[{name}]")), "{name} {now}");
    }
    let quiet = hours("21:00-08:00");
    let held = Ask { quiet_hours: Some(&quiet), ..ask(&to) };
    assert_eq!(next_day_opens(moment("2026-11-21T12:00[UTC]"), &held), None);
}

#[test]
fn what_waited_is_spread_evenly_over_the_first_minutes() {
    let at = moment("2026-11-21T08:00[UTC]");
    let after = |minutes| Some(at + SignedDuration::from_mins(minutes));
    for (until, seconds) in
        [(None, 900), (after(600), 900), (after(60), 900), (after(20), 300), (after(0), 0)]
    {
        let opens = Opening { at, until };
        let mut counts = [0; 10];
        for seed in 0..10_000_u32 {
            let moment = spread(&opens, &seed.to_be_bytes());
            assert_eq!(moment, spread(&opens, &seed.to_be_bytes()));
            let late = moment.duration_since(at).as_millis();
            assert!((0..=seconds * 1000).contains(&late), "{late}");
            if seconds > 0 {
                counts[usize::try_from(late * 10 / (seconds * 1000)).expect("a tenth")] += 1;
            }
        }
        // A tenth of them in each tenth: 1,000, give or take four deviations.
        assert!(seconds == 0 || counts.iter().all(|c| (880..=1_120).contains(c)), "{counts:?}");
    }
}
