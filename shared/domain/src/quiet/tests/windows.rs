use super::*;
use crate::quiet::{Window, zones};

/// Somebody whose contact has this zone.
fn check(name: &str, quiet: &str, now: &str, expected: &str) {
    let (to, zone, quiet) = (number(SATELLITE), zone(name), hours(quiet));
    let ask = Ask { contact_zone: Some(&zone), quiet_hours: Some(&quiet), ..ask(&to) };
    let now = moment(&format!("{now}[{name}]"));
    assert_eq!(told(now, &ask, &zone), expected, "{name} {now}");
}

#[test]
fn the_start_is_quiet_and_the_end_is_not() {
    for (quiet, now, expected) in [
        // Across midnight.
        ("21:00-08:00", "2026-11-21T20:59:59", "open until 2026-11-21T21:00+05:30"),
        (
            "21:00-08:00",
            "2026-11-21T21:00",
            "closed until 2026-11-22T08:00+05:30 (2026-11-22T21:00+05:30): quiet_hours 21:00–08:00 Asia/Kolkata",
        ),
        (
            "21:00-08:00",
            "2026-11-22T07:59:59",
            "closed until 2026-11-22T08:00+05:30 (2026-11-22T21:00+05:30): quiet_hours 21:00–08:00 Asia/Kolkata",
        ),
        ("21:00-08:00", "2026-11-22T08:00", "open until 2026-11-22T21:00+05:30"),
        // Within a day.
        (
            "13:00-15:30",
            "2026-11-22T13:00",
            "closed until 2026-11-22T15:30+05:30 (2026-11-23T13:00+05:30): quiet_hours 13:00–15:30 Asia/Kolkata",
        ),
        ("13:00-15:30", "2026-11-22T15:30", "open until 2026-11-23T13:00+05:30"),
        // Up to and from midnight.
        (
            "20:00-00:00",
            "2026-12-31T23:59",
            "closed until 2027-01-01T00:00+05:30 (2027-01-01T20:00+05:30): quiet_hours 20:00–00:00 Asia/Kolkata",
        ),
        (
            "00:00-06:00",
            "2028-02-29T00:00",
            "closed until 2028-02-29T06:00+05:30 (2028-03-01T00:00+05:30): quiet_hours 00:00–06:00 Asia/Kolkata",
        ),
    ] {
        check("Asia/Kolkata", quiet, now, expected);
    }
}

#[test]
fn several_zones_are_all_left_alone() {
    let mobile = number("+61412345678");
    let quiet = hours("21:00-08:00");
    let ask = Ask { quiet_hours: Some(&quiet), ..ask(&mobile) };
    let sydney = zone("Australia/Sydney");
    for (now, expected) in [
        // Sydney is up, Perth is not.
        (
            "2026-11-21T09:00",
            "closed until 2026-11-21T11:00+11:00 (2026-11-21T21:00+11:00): quiet_hours 21:00–08:00 Australia/Perth",
        ),
        ("2026-11-21T11:00", "open until 2026-11-21T21:00+11:00"),
        // In winter Lord Howe goes to bed before Sydney.
        ("2026-07-01T12:00", "open until 2026-07-01T20:30+10:00"),
    ] {
        let now = moment(&format!("{now}[Australia/Sydney]"));
        assert_eq!(told(now, &ask, &sydney), expected);
    }
}

#[test]
fn a_window_that_never_opens_everywhere_is_said_to() {
    let russian = number("+79123456789");
    let quiet = hours("17:00-10:00");
    let ask = Ask { quiet_hours: Some(&quiet), ..ask(&russian) };
    let now = moment("2026-11-21T12:00[Europe/Moscow]");
    assert_eq!(told(now, &ask, &TimeZone::UTC), "unknown: never_open");
    let Answer::Unknown { detail, .. } = at(now, &ask) else { panic!("not open") };
    assert!(detail.contains("Europe/Moscow, ") && detail.contains("Asia/Kamchatka"), "{detail}");
}

#[test]
fn the_contacts_zone_counts_first_then_the_numbers_then_the_organizations() {
    let (kolkata, quiet) = (zone("Asia/Kolkata"), hours("21:00-08:00"));
    let (indian, satellite) = (number("+919876543210"), number(SATELLITE));
    for (contact, to, organization, expected) in [
        (Some(&kolkata), &number("+12025550123"), "Europe/London", &["Asia/Kolkata"][..]),
        (None, &indian, "Europe/London", &["Asia/Kolkata"]),
        (None, &satellite, "Europe/London", &["Europe/London"]),
        // The default says nothing about where people are.
        (None, &satellite, "UTC", &[]),
        (None, &satellite, "utc", &[]),
        (None, &satellite, "", &[]),
        (None, &satellite, "Not/AZone", &[]),
        (None, &satellite, "Etc/Unknown", &[]),
        (None, &satellite, "Factory", &[]),
        (Some(&TimeZone::unknown()), &indian, "Europe/London", &["Asia/Kolkata"]),
    ] {
        let found = zones::of_person(contact, to, organization);
        let names: Vec<_> = found.as_slice().iter().filter_map(TimeZone::iana_name).collect();
        assert_eq!(names, expected, "{contact:?} {to:?} {organization}");
    }
    let held = Ask { quiet_hours: Some(&quiet), ..ask(&satellite) };
    let Answer::Unknown { reason, detail } = at(Timestamp::UNIX_EPOCH, &held) else {
        panic!("held")
    };
    assert_eq!(reason.as_str(), "unknown_time_zone");
    assert!(detail.contains("time_zone") && !detail.contains("773111"), "{detail}");
}

#[test]
fn without_a_rule_nothing_is_asked_of_the_zone() {
    let to = number(SATELLITE);
    let mut voice_only = hours("21:00-08:00");
    voice_only.channels = vec![Channel::Voice];
    for quiet_hours in [None, Some(&voice_only)] {
        let ask = Ask { quiet_hours, ..ask(&to) };
        assert_eq!(at(Timestamp::UNIX_EPOCH, &ask), Answer::Open { until: None });
    }
}

#[test]
fn a_channel_with_its_own_window_has_only_that() {
    let mut quiet = hours("21:00-08:00");
    quiet.channels = vec![Channel::Sms];
    let window = |text: &str| {
        let h = hours(text);
        Window { start: h.start, end: h.end }
    };
    quiet.by_channel.insert(Channel::Voice, window("20:00-09:00"));
    for (channel, expected) in [
        (Channel::Sms, Some("21:00–08:00")),
        (Channel::Voice, Some("20:00–09:00")),
        (Channel::Whatsapp, None),
    ] {
        let found = quiet.window(channel).map(|w| w.to_string());
        assert_eq!(found.as_deref(), expected, "{channel:?}");
    }
}

#[test]
fn an_override_lifts_the_organizations_window_off_transactional_messages_alone() {
    let (to, quiet) = (number("+442071838750"), hours("21:00-08:00"));
    let now = moment("2026-11-21T23:00[Europe/London]");
    for (purpose, override_quiet_hours, open) in [
        (Purpose::Transactional, false, false),
        (Purpose::Transactional, true, true),
        (Purpose::Promotional, true, false),
    ] {
        let ask = Ask { purpose, override_quiet_hours, quiet_hours: Some(&quiet), ..ask(&to) };
        assert_eq!(matches!(at(now, &ask), Answer::Open { .. }), open, "{purpose:?}");
    }
}
