use super::*;
use crate::quiet::promotional::{lines, rows};

fn check(to: &str, channel: Channel, name: &str, now: &str, expected: &str) {
    let (to, zone) = (number(to), zone(name));
    let ask = Ask { channel, purpose: Purpose::Promotional, ..ask(&to) };
    let now = moment(&format!("{now}[{name}]"));
    assert_eq!(told(now, &ask, &zone), expected, "{to:?} {now}");
    let transactional = Ask { purpose: Purpose::Transactional, ..ask };
    assert_eq!(at(now, &transactional), Answer::Open { until: None });
}

/// 21 November 2026 is a Saturday.
#[test]
fn promotional_hours_hold_by_country_state_and_day() {
    use Channel::{Sms, Voice, Whatsapp};
    for (to, channel, zone, now, expected) in [
        (
            "+919876543210",
            Sms,
            "Asia/Kolkata",
            "2026-11-21T09:59",
            "closed until 2026-11-21T10:00+05:30 (2026-11-21T21:00+05:30): promotional_hours promotional messages in IN only Mon–Sun 10:00–21:00 Asia/Kolkata",
        ),
        (
            "+919876543210",
            Sms,
            "Asia/Kolkata",
            "2026-11-21T10:00",
            "open until 2026-11-21T21:00+05:30",
        ),
        // Federal hours alone; clocks go back in the night.
        (
            "+12025550123",
            Sms,
            "America/New_York",
            "2026-10-31T21:00",
            "closed until 2026-11-01T08:00-05:00 (2026-11-01T21:00-05:00): promotional_hours promotional messages in US only Mon–Sun 08:00–21:00 America/New_York",
        ),
        // No Sunday in Alabama.
        (
            "+12055550123",
            Sms,
            "America/Chicago",
            "2026-11-21T20:00",
            "closed until 2026-11-23T08:00-06:00 (2026-11-23T20:00-06:00): promotional_hours promotional messages in US-AL only Mon–Sat 08:00–20:00 America/Chicago",
        ),
        // Sunday from noon in Texas.
        (
            "+12145550123",
            Sms,
            "America/Chicago",
            "2026-11-22T09:00",
            "closed until 2026-11-22T12:00-06:00 (2026-11-22T21:00-06:00): promotional_hours promotional messages in US-TX only Mon–Sat 09:00–21:00; Sun 12:00–21:00 America/Chicago",
        ),
        // West Florida is in either zone.
        (
            "+18505550123",
            Sms,
            "America/New_York",
            "2026-11-23T08:30",
            "closed until 2026-11-23T09:00-05:00 (2026-11-23T20:00-05:00): promotional_hours promotional messages in US-FL only Mon–Sun 08:00–20:00 America/Chicago",
        ),
        // No state: hours that suit all, from coast to coast.
        (
            "+18005550199",
            Sms,
            "America/New_York",
            "2026-11-22T14:00",
            "closed until 2026-11-22T15:00-05:00 (2026-11-22T20:00-05:00): promotional_hours promotional messages in the US (state not known) only Mon–Sat 10:00–20:00; Sun 12:00–20:00 America/Los_Angeles",
        ),
        (
            "+33612345678",
            Whatsapp,
            "Europe/Paris",
            "2026-11-21T20:00",
            "closed until 2026-11-23T10:00+01:00 (2026-11-23T20:00+01:00): promotional_hours promotional messages in FR only Mon–Sat 10:00–20:00 Europe/Paris",
        ),
        // Lunch is for eating.
        (
            "+33612345678",
            Voice,
            "Europe/Paris",
            "2026-11-23T12:59",
            "open until 2026-11-23T13:00+01:00",
        ),
        (
            "+33612345678",
            Voice,
            "Europe/Paris",
            "2026-11-23T13:00",
            "closed until 2026-11-23T14:00+01:00 (2026-11-23T20:00+01:00): promotional_hours promotional messages in FR only Mon–Fri 10:00–13:00; Mon–Fri 14:00–20:00 Europe/Paris",
        ),
        // A rule for calls is none for texts.
        ("+442071838750", Sms, "Europe/London", "2026-11-21T03:00", "open"),
        (
            "+442071838750",
            Voice,
            "Europe/London",
            "2026-11-21T08:59",
            "closed until 2026-11-21T09:00+00:00 (2026-11-21T21:00+00:00): promotional_hours promotional messages in GB only Mon–Fri 08:00–21:00; Sat–Sun 09:00–21:00 Europe/London",
        ),
        // A province is in Canada.
        (
            "+14165550123",
            Voice,
            "America/Toronto",
            "2026-11-21T09:30",
            "closed until 2026-11-21T10:00-05:00 (2026-11-21T18:00-05:00): promotional_hours promotional messages in CA only Mon–Fri 09:00–21:30; Sat–Sun 10:00–18:00 America/Toronto",
        ),
    ] {
        check(to, channel, zone, now, expected);
    }
}

#[test]
fn the_strictest_rule_wins() {
    let (to, quiet, chicago) =
        (number("+12055550123"), hours("18:00-09:00"), zone("America/Chicago"));
    let purpose = Purpose::Promotional;
    let ask = Ask { purpose, quiet_hours: Some(&quiet), override_quiet_hours: true, ..ask(&to) };
    for (now, expected) in [
        // A workday ends by the organization's hours, the week by the state's.
        ("2026-11-20T12:00", "open until 2026-11-20T18:00-06:00"),
        (
            "2026-11-20T19:00",
            "closed until 2026-11-21T09:00-06:00 (2026-11-21T18:00-06:00): quiet_hours 18:00–09:00 America/Chicago",
        ),
        (
            "2026-11-22T12:00",
            "closed until 2026-11-23T09:00-06:00 (2026-11-23T18:00-06:00): quiet_hours 18:00–09:00 America/Chicago",
        ),
    ] {
        assert_eq!(told(moment(&format!("{now}[America/Chicago]")), &ask, &chicago), expected);
    }
}

#[test]
fn who_has_moved_away_from_an_american_area_code_is_of_an_unknown_state() {
    let (to, denver, new_york) =
        (number("+12125550123"), zone("America/Denver"), zone("America/New_York"));
    let ask = Ask { purpose: Purpose::Promotional, ..ask(&to) };
    for (contact_zone, now, expected) in [
        (&new_york, "2026-11-21T08:30[America/New_York]", "open until 2026-11-21T21:00-05:00"),
        (
            &denver,
            "2026-11-21T08:30[America/Denver]",
            "closed until 2026-11-21T10:00-07:00 (2026-11-21T20:00-07:00): promotional_hours promotional messages in the US (state not known) only Mon–Sat 10:00–20:00; Sun 12:00–20:00 America/Denver",
        ),
    ] {
        let ask = Ask { contact_zone: Some(contact_zone), ..ask };
        assert_eq!(told(moment(now), &ask, contact_zone), expected);
    }
}

#[test]
fn every_row_of_the_table_is_read_and_belongs_to_a_place() {
    let places = crate::quiet::places::all();
    assert_eq!(rows().len(), lines(include_str!("../promotional.txt")).count());
    for row in rows() {
        assert!(places.iter().any(|p| row.is_of(p.region)), "{}", row.region);
    }
    assert!(include_str!("../promotional.txt").contains("NOT LEGAL ADVICE"));
}

/// The guide shows what is shipped, word for word.
#[test]
fn the_guide_shows_the_table() {
    let cells = |line: &str| {
        line.split('|').map(str::trim).filter(|c| !c.is_empty()).collect::<Vec<_>>().join(" | ")
    };
    let guide = include_str!("../../../../../docs/guides/quiet-hours.md");
    let shown: Vec<String> = guide.lines().filter(|l| l.starts_with("| ")).map(cells).collect();
    for row in lines(include_str!("../promotional.txt")).map(cells) {
        assert!(shown.contains(&row), "not in the guide: {row}");
    }
}
