//! The nights when clocks are set.

use super::*;

fn check(name: &str, quiet: &str, now: &str, expected: &str) {
    let (to, zone, quiet) = (number(SATELLITE), zone(name), hours(quiet));
    let ask = Ask { contact_zone: Some(&zone), quiet_hours: Some(&quiet), ..ask(&to) };
    let told = told(moment(&format!("{now}[{name}]")), &ask, &zone);
    let told = told.split(": ").next().expect("words");
    assert_eq!(told, expected, "{name} {quiet:?} {now}");
}

#[test]
fn a_night_is_shorter_or_longer_but_ends_by_the_clock() {
    for (zone, now, expected) in [
        // Forward.
        (
            "Australia/Sydney",
            "2026-10-03T22:00+10:00",
            "closed until 2026-10-04T08:00+11:00 (2026-10-04T21:00+11:00)",
        ),
        (
            "Australia/Lord_Howe",
            "2026-10-03T22:00+10:30",
            "closed until 2026-10-04T08:00+11:00 (2026-10-04T21:00+11:00)",
        ),
        (
            "America/New_York",
            "2027-03-13T22:00-05:00",
            "closed until 2027-03-14T08:00-04:00 (2027-03-14T21:00-04:00)",
        ),
        (
            "Europe/London",
            "2027-03-27T22:00+00:00",
            "closed until 2027-03-28T08:00+01:00 (2027-03-28T21:00+01:00)",
        ),
        // Back.
        (
            "Australia/Sydney",
            "2027-04-03T22:00+11:00",
            "closed until 2027-04-04T08:00+10:00 (2027-04-04T21:00+10:00)",
        ),
        (
            "Australia/Lord_Howe",
            "2027-04-03T22:00+11:00",
            "closed until 2027-04-04T08:00+10:30 (2027-04-04T21:00+10:30)",
        ),
        (
            "America/New_York",
            "2026-10-31T22:00-04:00",
            "closed until 2026-11-01T08:00-05:00 (2026-11-01T21:00-05:00)",
        ),
        (
            "Europe/London",
            "2026-10-24T22:00+01:00",
            "closed until 2026-10-25T08:00+00:00 (2026-10-25T21:00+00:00)",
        ),
        // Never.
        (
            "Asia/Kolkata",
            "2026-10-24T22:00+05:30",
            "closed until 2026-10-25T08:00+05:30 (2026-10-25T21:00+05:30)",
        ),
    ] {
        check(zone, "21:00-08:00", now, expected);
    }
}

#[test]
fn an_edge_that_no_clock_shows_counts_when_it_is_passed() {
    for (zone, quiet, now, expected) in [
        // 02:00 becomes 03:00.
        (
            "Australia/Sydney",
            "22:00-02:30",
            "2026-10-03T23:00+10:00",
            "closed until 2026-10-04T03:00+11:00 (2026-10-04T22:00+11:00)",
        ),
        (
            "Australia/Sydney",
            "02:30-05:00",
            "2026-10-04T01:00+10:00",
            "open until 2026-10-04T03:00+11:00",
        ),
        // A window that lies in the gap does not come to pass.
        (
            "Australia/Sydney",
            "02:10-02:50",
            "2026-10-04T01:00+10:00",
            "open until 2026-10-05T02:10+11:00",
        ),
        (
            "America/New_York",
            "22:00-02:30",
            "2027-03-13T23:00-05:00",
            "closed until 2027-03-14T03:00-04:00 (2027-03-14T22:00-04:00)",
        ),
        // 01:00 becomes 02:00.
        (
            "Europe/London",
            "22:00-01:30",
            "2027-03-27T23:00+00:00",
            "closed until 2027-03-28T02:00+01:00 (2027-03-28T22:00+01:00)",
        ),
        // 02:00 becomes 02:30.
        (
            "Australia/Lord_Howe",
            "22:00-02:15",
            "2026-10-03T23:00+10:30",
            "closed until 2026-10-04T02:30+11:00 (2026-10-04T22:00+11:00)",
        ),
    ] {
        check(zone, quiet, now, expected);
    }
}

#[test]
fn an_edge_in_a_repeated_hour_counts_twice() {
    for (zone, quiet, now, expected) in [
        // 03:00 becomes 02:00: open for the half hour between, then quiet again.
        (
            "Australia/Sydney",
            "22:00-02:30",
            "2027-04-03T23:00+11:00",
            "closed until 2027-04-04T02:30+11:00 (2027-04-04T02:00+10:00)",
        ),
        (
            "Australia/Sydney",
            "22:00-02:30",
            "2027-04-04T02:00+10:00",
            "closed until 2027-04-04T02:30+10:00 (2027-04-04T22:00+10:00)",
        ),
        (
            "Australia/Sydney",
            "02:30-05:00",
            "2027-04-04T02:30+11:00",
            "closed until 2027-04-04T02:00+10:00 (2027-04-04T02:30+10:00)",
        ),
        (
            "America/New_York",
            "22:00-01:30",
            "2026-10-31T23:00-04:00",
            "closed until 2026-11-01T01:30-04:00 (2026-11-01T01:00-05:00)",
        ),
        (
            "Europe/London",
            "22:00-01:30",
            "2026-10-24T23:00+01:00",
            "closed until 2026-10-25T01:30+01:00 (2026-10-25T01:00+00:00)",
        ),
        // 02:00 becomes 01:30.
        (
            "Australia/Lord_Howe",
            "22:00-01:45",
            "2027-04-03T23:00+11:00",
            "closed until 2027-04-04T01:45+11:00 (2027-04-04T01:30+10:30)",
        ),
        (
            "Australia/Lord_Howe",
            "22:00-01:45",
            "2027-04-04T01:30+10:30",
            "closed until 2027-04-04T01:45+10:30 (2027-04-04T22:00+10:30)",
        ),
    ] {
        check(zone, quiet, now, expected);
    }
}

#[test]
fn a_day_that_is_left_out_is_survived() {
    // Samoa went from 29 to 31 December 2011.
    check(
        "Pacific/Apia",
        "21:00-08:00",
        "2011-12-29T22:00-10:00",
        "closed until 2011-12-31T08:00+14:00 (2011-12-31T21:00+14:00)",
    );
}
