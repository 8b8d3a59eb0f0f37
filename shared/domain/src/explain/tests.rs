use super::*;
use crate::message::{EventSource, SuppressionReason};
use crate::pack::{GivenUp, Stage};
use crate::retry::Next;
use crate::transition::Answered;
use crate::transition::tests::{at, message};
use crate::{Channel, Failure, FailureReason, ImportId, Lane, OrgId, PackId, ProviderName};

/// `at(0)` is 18 Nov 2026, 11:06:40 UTC.
const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;

fn told(m: &Message, now: i64, policy: UnknownPolicy, pack: Option<&Pack>) -> String {
    let zone = TimeZone::get("Australia/Sydney").expect("a zone");
    explain(m, &Around { now: at(now), zone: &zone, unknown_policy: policy, pack })
}

fn with(change: impl FnOnce(&mut Message)) -> Message {
    let mut m = message();
    change(&mut m);
    m
}

fn sending() -> Message {
    with(|m| {
        m.claim(ProviderName::Twilio, at(0), at(60));
    })
}

fn refusal(reason: FailureReason, permanent: bool) -> Failure {
    Failure::new("30003", reason, permanent, "unreachable destination handset")
}

fn refused(next: Next) -> Message {
    let mut m = sending();
    let failure = refusal(FailureReason::Unreachable, false);
    m.refused(1, Answered::default(), &failure, next, at(1));
    m
}

fn unknown() -> Message {
    let mut m = sending();
    m.unknown(1, Answered::default(), at(20));
    m
}

fn accepted() -> Message {
    let mut m = sending();
    m.accepted(1, Answered::default(), None, EventSource::Response, at(20));
    m
}

fn deferred(reason: &str, detail: &str) -> Message {
    with(|m| m.defer(reason, at(HOUR), at(HOUR), detail.to_owned(), at(0)))
}

fn pack(given_up: Option<GivenUp>, due: Option<Timestamp>) -> Pack {
    Pack {
        org: OrgId::from_bytes([2; 10]),
        id: PackId::from_bytes([3; 10]),
        source: ImportId::from_bytes([4; 10]),
        page: 0,
        from: 0,
        to: 3,
        channel: Channel::Sms,
        lane: Lane::Bulk,
        stage: Stage::Send,
        due,
        generation: 0,
        idle_runs: 0,
        given_up,
    }
}

#[track_caller]
fn check(m: &Message, now: i64, expected: &str) {
    assert_eq!(told(m, now, UnknownPolicy::Hold, None), expected);
}

#[test]
fn why_a_message_waits() {
    check(
        &with(|m| m.scheduled_for = at(HOUR)),
        0,
        "It waits for its time, 18 Nov 2026, 23:06:40 Australia/Sydney.",
    );
    check(&message(), 5, "Its time has come, and it waits in the queue.");
    check(
        &with(|m| m.expires_at = Some(at(24 * HOUR))),
        5,
        "Its time has come, and it waits in the queue. It fails if it cannot be sent before 19 Nov \
         2026, 22:06:40 Australia/Sydney.",
    );
    check(
        &message(),
        15 * MINUTE,
        "Its time came on 18 Nov 2026, 22:06:40 Australia/Sydney, and nothing has begun to send \
         it: either much is queued, or dispatch stands still (docs/guides/troubleshooting.md, \
         “stays queued”).",
    );
}

#[test]
fn each_reason_to_wait_has_its_words() {
    for (reason, words) in [
        ("quiet_hours", "these are quiet hours for the person (x)"),
        ("promotional_hours", "promotional messages may go to this person at other hours only (x)"),
        ("unknown_time_zone", "nobody knows what time it is for the person (x)"),
        ("never_open", "there is no hour at which it may go (x)"),
        ("contact_cap", "the person has had as many messages as one may have in a day (x)"),
        ("max_per_hour", "the organization has sent as many messages as it may in an hour (x)"),
        ("max_per_day", "the organization has sent as many messages as it may in a day (x)"),
        ("spend_limit_per_day", "the organization has spent what it may in a day (x)"),
        ("spend_limit_per_month", "the organization has spent what it may in a month (x)"),
        ("sending_disabled", "sending is switched off in the organization's settings (x)"),
        ("integration_disabled", "the account that would send it is switched off (x)"),
        ("provider_down", "calls to the provider fail at this time (x)"),
        ("rate", "the account sends no faster (x)"),
        ("one_of_the_next_release", "one_of_the_next_release (x)"),
    ] {
        let until = "18 Nov 2026, 23:06:40 Australia/Sydney";
        let expected = format!("It waits until {until}, because {words}.");
        check(&deferred(reason, "x"), 5, &expected);
        let expected = format!("{expected} That time has come, and it waits in the queue.");
        check(&deferred(reason, "x"), 2 * HOUR, &expected);
    }
}

#[test]
fn what_the_ledger_and_the_quiet_hours_say_has_words() {
    use crate::ledger::Wait;
    use crate::quiet::Reason;
    let waits = [
        Wait::Rate,
        Wait::MaxPerHour,
        Wait::MaxPerDay,
        Wait::SpendPerDay,
        Wait::SpendPerMonth,
        Wait::ProviderDown,
    ];
    let quiet =
        [Reason::QuietHours, Reason::PromotionalHours, Reason::UnknownTimeZone, Reason::NeverOpen];
    let all = waits.map(Wait::as_str).into_iter().chain(quiet.map(Reason::as_str));
    for reason in all {
        assert_ne!(reasons::of_deferral(reason, ""), reason, "{reason} is shown as it is");
    }
}

#[test]
fn a_retry_a_failover_and_a_second_message_by_policy_are_told() {
    check(
        &refused(Next::Retry(at(5 * MINUTE))),
        5,
        "twilio did not take it (attempt 1: unreachable destination handset); it is tried again at \
         18 Nov 2026, 22:11:40 Australia/Sydney.",
    );
    let mut m = sending();
    let failure = refusal(FailureReason::ProviderDown, false);
    m.fail_over(1, Answered::default(), &failure, ProviderName::Fast2sms, at(10));
    m.accepted(2, Answered::default(), None, EventSource::Response, at(20));
    check(
        &m,
        30,
        "fast2sms took it on 18 Nov 2026, 22:07 Australia/Sydney; it has not said yet whether it \
         arrived. On 18 Nov 2026, 22:06:50 Australia/Sydney another account took over (twilio: \
         unreachable destination handset; fast2sms is used instead).",
    );
    let mut m = unknown();
    m.resend(at(MINUTE), at(40));
    check(
        &m,
        45,
        "It is sent again at 18 Nov 2026, 22:07:40 Australia/Sydney, as the organization's policy \
         for such messages says, since nobody can tell whether attempt 1 arrived.",
    );
    m.claim(ProviderName::Twilio, at(MINUTE), at(2 * MINUTE));
    m.accepted(2, Answered::default(), None, EventSource::Response, at(70));
    m.accepted(1, Answered::default(), None, EventSource::Callback, at(80));
    let said = told(&m, 90, UnknownPolicy::Resend, None);
    assert!(said.contains("it was sent again by the organization's policy"), "{said}");
    assert!(said.ends_with("The provider has it twice: the person may have got two."), "{said}");
}

#[test]
fn an_attempt_in_flight_and_one_that_was_cut_off() {
    check(
        &sending(),
        10,
        "It is being handed to twilio (attempt 1, since 18 Nov 2026, 22:06:40 Australia/Sydney).",
    );
    check(
        &sending(),
        70,
        "It was being handed to twilio on 18 Nov 2026, 22:06:40 Australia/Sydney when the sender \
         was cut off. Whether it arrived is found out next; it is not simply sent again.",
    );
}

#[test]
fn nobody_knows_whether_it_arrived() {
    let asked = "twilio did not answer attempt 1 on 18 Nov 2026, 22:07 Australia/Sydney, so nobody \
                 knows whether it has the message.";
    let again = "This is looked into again at 18 Nov 2026, 22:08 Australia/Sydney.";
    let hold = "If the provider cannot tell, it is held for a person, as the organization has set.";
    let resend = "If the provider cannot tell, it is sent again, as the organization has set.";
    check(&unknown(), 30, &format!("{asked} {again} {hold}"));
    let said = told(&unknown(), 30, UnknownPolicy::Resend, None);
    assert_eq!(said, format!("{asked} {again} {resend}"));
    check(&unknown(), HOUR, &format!("{asked} This is looked into again now. {hold}"));

    let mut m = unknown();
    m.not_found(Next::Retry(at(HOUR)), at(50));
    let once = "twilio did not have it when it was asked; it is asked once more.";
    let said = told(&m, 55, UnknownPolicy::Hold, None);
    assert!(said.starts_with(&format!("{asked} {once} ")), "{said}");

    let mut m = unknown();
    m.hold("this provider keeps no list that can be asked", at(90));
    check(
        &m,
        95,
        &format!(
            "{asked} It could not be found out (this provider keeps no list that can be asked), so \
             it is held: look it up at twilio, then cancel it or retry it. A delivery receipt \
             still settles it."
        ),
    );
}

#[test]
fn after_a_restore_it_counts_as_sent_until_it_is_looked_up() {
    let mut m = message();
    m.presume_sent(ProviderName::Twilio, at(0));
    let said = told(&m, 30, UnknownPolicy::Hold, None);
    assert!(
        said.starts_with("On 18 Nov 2026, 22:06:40 Australia/Sydney the database was restored")
    );
    assert_eq!(said.matches("restored from a backup").count(), 1, "{said}");
    m.accepted(1, Answered::default(), None, EventSource::LookUp, at(40));
    let said = told(&m, 50, UnknownPolicy::Hold, None);
    assert_eq!(said.matches("restored from a backup").count(), 1, "{said}");
}

#[test]
fn what_was_sent_says_whether_it_arrived() {
    let sent = "twilio took it on 18 Nov 2026, 22:07 Australia/Sydney";
    check(&accepted(), 30, &format!("{sent}; it has not said yet whether it arrived."));
    check(
        &accepted(),
        25 * HOUR,
        &format!("{sent}; it never said whether it arrived; some carriers give no receipts."),
    );
    let mut m = accepted();
    m.state = State::Delivered { at: at(20) };
    check(&m, 90, "It was delivered on 18 Nov 2026, 22:07 Australia/Sydney.");
    m.state = State::Read { at: at(20) };
    check(&m, 90, "The person read it on 18 Nov 2026, 22:07 Australia/Sydney.");
}

#[test]
fn every_failure_says_why_and_what_to_do() {
    check(
        &refused(Next::GiveUp(refusal(FailureReason::Unreachable, false))),
        30,
        "It failed on 18 Nov 2026, 22:06:41 Australia/Sydney after the first attempt: the handset \
         could not be reached (twilio 30003: unreachable destination handset). Try again later, or \
         reach the person in another way.",
    );
    let mut m = accepted();
    let failure = refusal(FailureReason::ContentRejected, true);
    m.state = State::Failed { failure, at: at(80), accepted: true };
    check(
        &m,
        90,
        "twilio took it, and on 18 Nov 2026, 22:08 Australia/Sydney reported that it did not \
         arrive: the text was rejected (30003: unreachable destination handset). Change the text; \
         links and certain words are filtered.",
    );
    let failure = Failure::new("no_integration", FailureReason::Misconfigured, true, "none serves");
    check(
        &with(|m| m.give_up(failure, at(20))),
        30,
        "It failed on 18 Nov 2026, 22:07 Australia/Sydney before it was sent: the account is not \
         set up for this (none serves). Test the integration under /v1/integrations, repair it, \
         then retry.",
    );
    let late = with(|m| {
        m.expires_at = Some(at(MINUTE));
        m.defer("quiet_hours", at(HOUR), at(HOUR), "21:00–08:00".to_owned(), at(20));
    });
    check(
        &late,
        30,
        "It was not sent: on 18 Nov 2026, 22:07 Australia/Sydney its time had passed before it \
         could go (it would have expired before it could be sent: 21:00–08:00). Retry it if it is \
         still of use.",
    );
    for reason in FailureReason::ALL {
        assert!(reasons::of_remedy(reason).ends_with('.'), "{reason:?}");
        assert!(!reasons::of_failure(reason).ends_with('.'), "{reason:?}");
    }
}

#[test]
fn what_was_not_to_be_sent() {
    let stop = "the person wrote “STOP” on 1 Nov";
    for (reason, detail, expected) in [
        (
            SuppressionReason::StopKeyword,
            stop,
            "the person wrote “STOP” on 1 Nov. Only the person can change that, by \
             writing START.",
        ),
        (
            SuppressionReason::Manual,
            "suppressed by key_1",
            "suppressed by key_1. An admin can lift that under /v1/suppressions.",
        ),
        (
            SuppressionReason::NoConsent,
            "none is recorded",
            "none is recorded. It needs a consent, recorded under /v1/consents with its \
             proof.",
        ),
    ] {
        let m = with(|m| m.suppress(reason, detail.to_owned(), at(20)));
        let when = "It was not sent on 18 Nov 2026, 22:07 Australia/Sydney:";
        check(&m, 30, &format!("{when} {expected}"));
    }
    check(
        &with(|m| m.cancel("key_1", at(20)).expect("scheduled")),
        30,
        "It was cancelled by key_1 on 18 Nov 2026, 22:07 Australia/Sydney.",
    );
    let mut m = refused(Next::Retry(at(MINUTE)));
    m.drop_given_up("key_1", "10 runs came to nothing", at(20)).expect("scheduled");
    check(
        &m,
        30,
        "It was cancelled by key_1 on 18 Nov 2026, 22:07 Australia/Sydney. It was given up by the \
         sender, then dropped by key_1: 10 runs came to nothing. An attempt had been made before: \
         twilio may have it all the same.",
    );
}

#[test]
fn a_message_in_a_pack_tells_what_becomes_of_the_pack() {
    let dead = pack(Some(GivenUp { at: at(20), reason: "its page is gone".to_owned() }), None);
    let said = told(&message(), HOUR, UnknownPolicy::Hold, Some(&dead));
    assert_eq!(
        said,
        format!(
            "Sending the group of messages that it belongs to was given up on 18 Nov 2026, 22:07 \
             Australia/Sydney: its page is gone. It waits until somebody redrives or drops the \
             dead letter {}.",
            dead.id
        )
    );
    let planned = pack(None, Some(at(HOUR)));
    let said = told(&message(), 15 * MINUTE, UnknownPolicy::Hold, Some(&planned));
    assert_eq!(
        said,
        "Its time has come; it goes at about 18 Nov 2026, 23:06:40 Australia/Sydney, as fast as \
         the account sends."
    );
}

#[test]
fn an_inbound_message_tells_how_it_was_read() {
    let inbound = |kind, detail: &str| {
        with(|m| {
            m.state = State::Received;
            m.decide(kind, at(0), "x", None, detail.to_owned());
        })
    };
    let wrote = "The person wrote this on 18 Nov 2026, 22:06:40 Australia/Sydney.";
    check(
        &inbound(DecisionKind::Suppressed, "stop word: no more messages to this number"),
        5,
        &format!("{wrote} It was read as an opt-out (stop word: no more messages to this number)."),
    );
    check(
        &inbound(DecisionKind::Hold, "may be an opt-out; a person should read it"),
        5,
        &format!("{wrote} It may be an opt-out; a person should read it."),
    );
}

#[test]
fn whatever_state_it_is_in_there_is_a_sentence() {
    for m in [message(), sending(), unknown(), accepted()] {
        for now in [0, 5, HOUR, 100 * HOUR] {
            let said = told(&m, now, UnknownPolicy::Hold, None);
            assert!(said.ends_with('.') && !said.contains("..") && !said.contains("  "), "{said}");
            assert!(!said.contains(&m.address), "no number in it: {said}");
        }
    }
}
