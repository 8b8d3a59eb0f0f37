use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::link::Link;
use super::notices::{Told, Wanted, wanted};
use super::*;
use crate::{AddressKey, BookingId, ContactId, OrgId};

/// Saturday, 3 April 2027; the clocks of Sydney go back in the night to Sunday.
const NOW: &str = "2027-04-03T01:00:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().expect(text)
}

fn booking(starts_at: &str) -> Booking {
    let now = time(NOW);
    Booking {
        id: BookingId::from_bytes([2; 10]),
        org: OrgId::from_bytes([1; 10]),
        client: ContactId::from_bytes([3; 10]),
        coach_name: "Grace".to_owned(),
        starts_at: time(starts_at),
        duration_minutes: 60,
        location: String::new(),
        state: State::Confirmed,
        overrides: Overrides::default(),
        revision: 1,
        changed_at: now,
        moved_in: 1,
        reassigned_in: 0,
        notices: Vec::new(),
        reply: None,
        feedback: None,
        created_by: "key".to_owned(),
        created_at: now,
        updated_at: now,
        due: None,
        generation: 0,
        version: 0,
    }
}

fn shown(wanted: &[Wanted]) -> Vec<String> {
    let at = |w: &Wanted| match w.at {
        Ok(at) => at.to_string(),
        Err((_, why)) => why.as_str().to_owned(),
    };
    wanted.iter().map(|w| format!("{} {}", w.kind.as_str(), at(w))).collect()
}

fn asked(b: &Booking, told: &[Told], now: &str) -> Vec<String> {
    shown(&wanted(b, &BookingSettings::default(), told, time(now)))
}

#[test]
fn what_is_told_of_a_new_booking_follows_from_its_time() {
    for (what, starts_at, expected) in [
        (
            "in a week",
            "2027-04-10T01:00:00Z",
            vec![
                "confirmation 2027-04-03T01:00:00Z",
                "reminder 2027-04-09T01:00:00Z",
                "feedback 2027-04-10T04:00:00Z",
            ],
        ),
        (
            // Twenty-four hours are twenty-four hours, whatever the clocks do.
            "over the night in which Sydney's clocks go back",
            "2027-04-04T22:00:00Z",
            vec![
                "confirmation 2027-04-03T01:00:00Z",
                "reminder 2027-04-03T22:00:00Z",
                "feedback 2027-04-05T01:00:00Z",
            ],
        ),
        (
            "its reminder is due",
            "2027-04-03T20:00:00Z",
            vec![
                "confirmation 2027-04-03T01:00:00Z",
                "reminder 2027-04-03T01:00:00Z",
                "feedback 2027-04-03T23:00:00Z",
            ],
        ),
        (
            "two hours ahead",
            "2027-04-03T03:00:00Z",
            vec![
                "confirmation 2027-04-03T01:00:00Z",
                "reminder 2027-04-03T01:00:00Z",
                "feedback 2027-04-03T06:00:00Z",
            ],
        ),
        (
            "less than that",
            "2027-04-03T02:59:59Z",
            vec![
                "confirmation 2027-04-03T01:00:00Z",
                "reminder too_late",
                "feedback 2027-04-03T05:59:59Z",
            ],
        ),
    ] {
        assert_eq!(asked(&booking(starts_at), &[], NOW), expected, "{what}");
    }
}

#[test]
fn a_booking_says_otherwise_than_its_organization() {
    let mut b = booking("2027-04-10T01:00:00Z");
    b.overrides = Overrides {
        confirmations: Some(false),
        reminder_hours_before: Some(1),
        feedback_hours_after: Some(0),
        ..Overrides::default()
    };
    let expected = ["reminder 2027-04-10T00:00:00Z", "feedback 2027-04-10T02:00:00Z"];
    assert_eq!(asked(&b, &[], NOW), expected);
    b.overrides.reminders = Some(false);
    b.overrides.feedback = Some(false);
    assert!(asked(&b, &[], NOW).is_empty());
    b.overrides = Overrides { reminders: Some(true), ..Overrides::default() };
    let none = BookingSettings {
        confirmations: false,
        reminders: false,
        feedback: false,
        ..BookingSettings::default()
    };
    let found = shown(&wanted(&b, &none, &[], time(NOW)));
    assert_eq!(found, ["reminder 2027-04-09T01:00:00Z"]);
}

#[test]
fn who_was_told_is_told_of_the_move_and_who_was_not_of_the_booking() {
    let later = "2027-04-05T01:00:00Z";
    let mut b = booking("2027-04-10T01:00:00Z");
    let to = |at: &str| Move { starts_at: Some(time(at)), coach_name: None };
    b.move_to(to("2027-04-12T01:00:00Z"), time(later)).expect("open");
    let told = |kind, revision| Told { kind, revision };
    let confirmed = told(NoticeKind::Confirmation, 1);
    let rest = ["reminder 2027-04-11T01:00:00Z", "feedback 2027-04-12T04:00:00Z"];
    let with = |first: &'static str| [&[first], &rest[..]].concat();
    assert_eq!(asked(&b, &[confirmed], later), with("moved 2027-04-05T01:00:00Z"));
    assert_eq!(asked(&b, &[], later), with("confirmation 2027-04-05T01:00:00Z"));
    // Told once of it, and reminded of the time before: a reminder of the new one.
    let had = [confirmed, told(NoticeKind::Moved, 2), told(NoticeKind::Reminder, 1)];
    assert_eq!(asked(&b, &had, later), rest);
    // A new place is told with what is still to come.
    let edit = Edit { location: Some("Room 2".to_owned()), ..Edit::default() };
    b.edit(edit, time(later)).expect("open");
    assert_eq!(b.revision, 3);
    let had = [confirmed, told(NoticeKind::Moved, 2), told(NoticeKind::Reminder, 2)];
    assert_eq!(asked(&b, &had, later), [rest[1]]);
    let coach = Move { starts_at: None, coach_name: Some("Edith".to_owned()) };
    b.move_to(coach, time(later)).expect("open");
    assert_eq!(
        asked(&b, &had, later),
        ["reassigned 2027-04-05T01:00:00Z", "feedback 2027-04-12T04:00:00Z"]
    );
}

#[test]
fn news_that_was_decided_against_does_not_come_late() {
    let later = "2027-04-05T01:00:00Z";
    let mut b = booking("2027-04-10T01:00:00Z");
    b.notices.push(Notice {
        kind: NoticeKind::Confirmation,
        revision: 1,
        channel: Channel::Sms,
        at: time(NOW),
        what: Decided::Skipped(SkipReason::NoPhone),
    });
    let rest = ["reminder 2027-04-09T01:00:00Z", "feedback 2027-04-10T04:00:00Z"];
    assert_eq!(asked(&b, &[], later), rest);
}

#[test]
fn a_cancelled_booking_wants_one_word_and_a_completed_one_feedback_from_its_real_end() {
    let mut b = booking("2027-04-10T01:00:00Z");
    let mut cancelled = b.clone();
    cancelled.cancel("key", time("2027-04-05T01:00:00Z")).expect("open");
    let at = "2027-04-05T01:00:00Z";
    assert_eq!(asked(&cancelled, &[], at), ["cancelled 2027-04-05T01:00:00Z"]);
    let told = [Told { kind: NoticeKind::Cancelled, revision: 1 }];
    assert!(asked(&cancelled, &told, at).is_empty());
    assert_eq!(cancelled.move_to(Move::default(), time(at)), Err(Refused::Cancelled));
    assert_eq!(cancelled.complete("key", time(at)), Err(Refused::Cancelled));
    assert_eq!(cancelled.cancel("other", time(at)), Ok(()));

    b.complete("key", time("2027-04-10T01:30:00Z")).expect("open");
    let at = "2027-04-10T01:30:00Z";
    assert_eq!(asked(&b, &[], at), ["feedback 2027-04-10T03:30:00Z"]);
    // Recorded long after: nobody is asked any more.
    let mut late = booking("2027-04-10T01:00:00Z");
    late.complete("key", time("2027-04-20T01:00:00Z")).expect("open");
    assert_eq!(asked(&late, &[], "2027-04-20T01:00:00Z"), ["feedback too_late"]);
    assert_eq!(b.cancel("key", time(at)), Err(Refused::Completed));
}

#[test]
fn a_repeat_meets_the_same_message_and_a_change_another() {
    let b = booking("2027-04-10T01:00:00Z");
    let [one, other] = [1, 2].map(|n| AddressKey::from_bytes([n; 10]));
    let id = b.message_id(NoticeKind::Reminder, one);
    assert_eq!(b.clone().message_id(NoticeKind::Reminder, one), id);
    let mut moved = b.clone();
    let to = Move { starts_at: Some(time("2027-04-11T01:00:00Z")), coach_name: None };
    moved.move_to(to, b.changed_at).expect("open");
    let mut by_voice = b.clone();
    by_voice.overrides.channel = Some(Channel::Voice);
    for (what, different) in [
        ("another kind", b.message_id(NoticeKind::Feedback, one)),
        ("another number", b.message_id(NoticeKind::Reminder, other)),
        ("another time", moved.message_id(NoticeKind::Reminder, one)),
        ("another channel", by_voice.message_id(NoticeKind::Reminder, one)),
    ] {
        assert_ne!(different, id, "{what}");
    }
}

#[test]
fn a_link_opens_only_as_it_was_made() {
    let link = Link::to(&booking("2027-04-10T01:00:00Z"));
    assert_eq!(link.open_until, time("2027-05-10T02:00:00Z"));
    let token = link.token(&[7; 32]);
    assert_eq!(token.len(), super::link::TOKEN);
    assert_eq!(Link::read(&token, &[7; 32]), Some(link));
    assert_eq!(Link::read(&token, &[8; 32]), None, "another installation");
    for place in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).expect("a text");
        assert_eq!(Link::read(&changed, &[7; 32]), None, "at {place}");
        assert_eq!(Link::read(&token[..place], &[7; 32]), None, "up to {place}");
    }
}

proptest! {
    /// Whatever the times, no notice is wanted for a moment that has passed, no
    /// kind twice, and no reminder after the beginning.
    #[test]
    fn nothing_is_wanted_for_the_past(
        ahead in -100_000i64..5_000_000, minutes in 1u32..1_440, since in 0i64..6_000_000,
        before in 1u16..720, after in 0u16..720,
    ) {
        let mut b = booking(NOW);
        b.starts_at = time(NOW) + SignedDuration::from_secs(ahead);
        b.duration_minutes = minutes;
        let now = time(NOW) + SignedDuration::from_secs(since);
        let settings = BookingSettings {
            reminder_hours_before: before, feedback_hours_after: after, ..BookingSettings::default()
        };
        let found = wanted(&b, &settings, &[], now);
        for (place, one) in found.iter().enumerate() {
            prop_assert!(found[place + 1..].iter().all(|other| other.kind != one.kind));
            if let Ok(at) = one.at {
                prop_assert!(at >= now);
                prop_assert!(one.kind != NoticeKind::Reminder || at < b.starts_at);
            }
        }
    }
}
