mod restore;

use super::*;
use crate::message::{Content, Direction, Source};
use crate::{AddressKey, Channel, Lane, MessageId, OrgId, Purpose};

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + seconds).expect("in range")
}

pub(crate) fn message() -> Message {
    let id = MessageId::new(AddressKey::from_bytes([1; 10]), 1, &[b"x"]);
    Message {
        id,
        org: OrgId::from_bytes([2; 10]),
        direction: Direction::Outbound,
        channel: Channel::Sms,
        address: "+61412345678".into(),
        our_address: None,
        state: State::Scheduled,
        content: Content::default(),
        purpose: Purpose::Transactional,
        lane: Lane::Transactional,
        source: Source::Single,
        related: None,
        contact: None,
        zone: None,
        campaign: None,
        integration: None,
        provider: None,
        provider_message_id: None,
        price: None,
        scheduled_for: at(0),
        expires_at: None,
        override_quiet_hours: false,
        created_by: "key_x".into(),
        created_at: at(0),
        updated_at: at(0),
        sent_at: None,
        erased_at: None,
        attempts: vec![],
        events: vec![],
        decisions: vec![],
        due: Some(at(0)),
        generation: 0,
        version: 1,
        token: String::new(),
        idle: 0,
    }
}

fn failure() -> Failure {
    Failure::new("30005", FailureReason::InvalidAddress, true, "no such handset")
}

fn claimed() -> Message {
    let mut m = message();
    m.claim(ProviderName::Twilio, at(0), at(60));
    m
}

fn unknown() -> Message {
    let mut m = claimed();
    m.unknown(1, Answered::default(), at(1));
    m
}

fn accepted() -> Message {
    let mut m = claimed();
    m.accepted(1, answered("SM1"), None, EventSource::Response, at(1));
    m
}

fn answered(id: &str) -> Answered {
    Answered { http_status: Some(201), provider_message_id: Some(id.into()), ..Answered::default() }
}

fn after(mut m: Message, kind: &ReceiptKind) -> (Verdict, &'static str) {
    let verdict = m.receipt(Some(1), Some("SM1"), kind, EventSource::Callback, at(2));
    (verdict, m.status(at(2)).as_str())
}

#[test]
fn receipts_in_any_order_end_in_the_right_state() {
    use ReceiptKind::{Delivered, Failed, InProgress, Read, Sent};
    let with = |kinds: &[ReceiptKind]| {
        let mut m = accepted();
        for kind in kinds {
            m.receipt(Some(1), Some("SM1"), kind, EventSource::Callback, at(2));
        }
        m
    };
    let refused = || {
        let mut m = claimed();
        let next = Next::Retry(at(90));
        m.refused(1, Answered::default(), &failure(), next, at(1));
        m
    };
    let failed = Failed(failure());
    let (changed, ignored) = (Verdict::Changed, Verdict::Ignored);
    for (name, start, kind, expected) in [
        ("before the answer: sent", claimed(), Sent, (changed, "sent")),
        ("before the answer: delivered", claimed(), Delivered, (changed, "delivered")),
        ("before the answer: failed", claimed(), failed.clone(), (changed, "failed")),
        ("unknown: in progress", unknown(), InProgress, (changed, "sent")),
        ("unknown: delivered", unknown(), Delivered, (changed, "delivered")),
        ("unknown: failed", unknown(), failed.clone(), (changed, "failed")),
        ("accepted: sent", accepted(), Sent, (ignored, "sent")),
        ("accepted: delivered", accepted(), Delivered, (changed, "delivered")),
        ("accepted: read", accepted(), Read, (changed, "read")),
        ("accepted: failed", accepted(), failed.clone(), (changed, "failed")),
        ("delivered: sent", with(&[Delivered]), Sent, (ignored, "delivered")),
        ("delivered: again", with(&[Delivered]), Delivered, (ignored, "delivered")),
        ("delivered: failed", with(&[Delivered]), failed.clone(), (ignored, "delivered")),
        ("delivered: read", with(&[Delivered]), Read, (changed, "read")),
        ("read: delivered", with(&[Read]), Delivered, (ignored, "read")),
        ("failed: delivered", with(std::slice::from_ref(&failed)), Delivered, (ignored, "failed")),
        ("refused, waits: delivered", refused(), Delivered, (changed, "delivered")),
        ("never claimed: delivered", message(), Delivered, (ignored, "queued")),
    ] {
        assert_eq!(after(start, &kind), expected, "{name}");
    }
}

#[test]
fn an_answer_after_its_receipt_completes_the_attempt_and_keeps_the_state() {
    let mut m = claimed();
    m.receipt(Some(1), Some("SM1"), &ReceiptKind::Delivered, EventSource::Callback, at(1));
    let verdict = m.accepted(1, answered("SM1"), None, EventSource::Response, at(2));
    assert_eq!(verdict, Verdict::Changed);
    assert_eq!(m.status(at(2)).as_str(), "delivered");
    assert_eq!(m.attempts[0].http_status, Some(201));
    assert_eq!(m.due, None);
}

#[test]
fn the_late_answer_of_a_lost_attempt_still_counts() {
    let mut m = unknown();
    assert_eq!(
        m.accepted(1, answered("SM1"), None, EventSource::Response, at(5)),
        Verdict::Changed
    );
    assert_eq!(m.status(at(5)).as_str(), "sent");
    assert_eq!(m.due, None);
}

#[test]
fn an_earlier_attempt_that_arrived_after_all_is_a_proven_duplicate() {
    let mut m = unknown();
    m.resend(at(10), at(5));
    m.claim(ProviderName::Twilio, at(10), at(70));
    let delivered = &ReceiptKind::Delivered;
    let verdict = m.receipt(Some(1), Some("SM1"), delivered, EventSource::Callback, at(11));
    assert_eq!(verdict, Verdict::ProvenDuplicate);
    let again = m.receipt(Some(1), Some("SM1"), delivered, EventSource::Callback, at(12));
    assert_eq!(again, Verdict::Ignored, "alarmed once");
    assert_eq!(m.status(at(12)).as_str(), "sending");
}

#[test]
fn evidence_before_the_next_claim_stops_the_next_claim() {
    let mut m = unknown();
    m.resend(at(10), at(5));
    let delivered = &ReceiptKind::Delivered;
    m.receipt(Some(1), Some("SM1"), delivered, EventSource::Callback, at(6));
    assert_eq!(m.claimable(at(10), None), Err(NotClaimable::Settled));
    assert_eq!(m.due, None);
}

#[test]
fn a_late_sent_of_a_failed_first_attempt_is_no_duplicate() {
    let mut m = accepted();
    m.receipt(Some(1), None, &ReceiptKind::Failed(failure()), EventSource::Callback, at(2));
    m.retry(at(3), at(3)).expect("a failed message can be retried");
    m.claim(ProviderName::Twilio, at(3), at(63));
    let verdict = m.receipt(Some(1), None, &ReceiptKind::Sent, EventSource::Callback, at(4));
    assert_eq!(verdict, Verdict::Ignored);
}

#[test]
fn not_found_counts_only_the_second_time() {
    let mut m = unknown();
    m.not_found(Next::Retry(at(200)), at(61));
    assert_eq!(m.status(at(61)).as_str(), "unknown");
    assert_eq!(m.due, Some(at(121)));
    m.not_found(Next::Retry(at(200)), at(121));
    assert_eq!(m.state, State::Scheduled);
    assert_eq!(m.attempts[0].outcome, AttemptOutcome::NotSent);
    assert_eq!(m.due, Some(at(200)));
}

#[test]
fn only_a_scheduled_message_can_be_cancelled_or_moved() {
    for mut m in [claimed(), unknown(), accepted()] {
        assert_eq!(m.cancel("key_x", at(3)), Err(TooLate));
        assert_eq!(m.reschedule(at(9), at(3)), Err(TooLate));
    }
    let mut m = message();
    assert_eq!(m.cancel("key_x", at(3)), Ok(()));
    assert_eq!(m.due, None);
    assert_eq!(m.claimable(at(9), None), Err(NotClaimable::Settled));
}

#[test]
fn a_claim_made_before_this_sole_process_began_is_lost() {
    let m = claimed();
    assert_eq!(m.claimable(at(1), None), Err(NotClaimable::InFlight));
    assert_eq!(m.claimable(at(60), None), Err(NotClaimable::LeaseLost));
    assert_eq!(m.claimable(at(1), Some(at(1))), Err(NotClaimable::LeaseLost));
    assert_eq!(m.claimable(at(1), Some(at(0))), Err(NotClaimable::InFlight));
}

#[test]
fn every_change_of_what_a_message_waits_for_raises_the_generation() {
    let mut m = message();
    let mut last = m.generation;
    let steps: [fn(&mut Message); 4] = [
        |m| {
            m.reschedule(at(5), at(0)).expect("scheduled");
        },
        |m| {
            m.claim(ProviderName::Twilio, at(5), at(65));
        },
        |m| {
            m.unknown(1, Answered::default(), at(6));
        },
        |m| {
            m.hold("no look-up", at(7));
        },
    ];
    for step in steps {
        step(&mut m);
        assert!(m.generation > last);
        last = m.generation;
    }
}

#[test]
fn an_earlier_attempt_that_arrived_ends_the_retries_of_a_later_one() {
    let mut m = unknown();
    m.resend(at(10), at(5));
    m.claim(ProviderName::Twilio, at(10), at(70));
    m.receipt(Some(1), Some("SM1"), &ReceiptKind::Delivered, EventSource::Callback, at(11));
    m.refused(2, Answered::default(), &failure(), Next::Retry(at(90)), at(12));
    assert_eq!(m.status(at(12)).as_str(), "sent");
    assert_eq!((m.due, m.provider_message_id.as_deref()), (None, Some("SM1")));
}

#[test]
fn a_repeated_receipt_does_not_take_a_promised_retry_away() {
    for kind in [ReceiptKind::Failed(failure()), ReceiptKind::Sent] {
        let mut m = accepted();
        m.receipt(Some(1), None, &ReceiptKind::Failed(failure()), EventSource::Callback, at(2));
        m.retry(at(9), at(3)).expect("a failed message can be retried");
        let verdict = m.receipt(Some(1), None, &kind, EventSource::Callback, at(4));
        assert_eq!((verdict, m.due), (Verdict::Ignored, Some(at(9))), "{kind:?}");
    }
}

#[test]
fn what_was_given_up_or_cancelled_and_arrived_after_all_is_shown_as_arrived() {
    let lost = || {
        let mut m = unknown();
        m.not_found(Next::GiveUp(failure()), at(61));
        m
    };
    let mut given_up = lost();
    given_up.not_found(Next::GiveUp(failure()), at(121));
    let mut cancelled = lost();
    cancelled.not_found(Next::Retry(at(500)), at(121));
    cancelled.cancel("key_x", at(130)).expect("it waits");
    for m in [given_up, cancelled] {
        assert_eq!(after(m, &ReceiptKind::Delivered), (Verdict::Changed, "delivered"));
    }
}

#[test]
fn not_found_counts_in_a_row_only() {
    let mut m = unknown();
    m.not_found(Next::Retry(at(200)), at(61));
    m.look_again(at(121));
    m.not_found(Next::Retry(at(200)), at(121));
    assert_eq!(m.status(at(121)).as_str(), "unknown");
}

#[test]
fn a_person_can_close_or_repeat_what_is_held() {
    let held = || {
        let mut m = unknown();
        m.hold("no look-up", at(61));
        m
    };
    let mut m = held();
    m.retry(at(70), at(62)).expect("held");
    assert_eq!((&m.state, m.due), (&State::Scheduled, Some(at(70))));
    let mut m = held();
    m.cancel("key_x", at(62)).expect("held");
    assert_eq!(m.status(at(62)).as_str(), "cancelled");
}

#[test]
fn a_claim_taken_back_leaves_no_attempt() {
    let mut m = claimed();
    m.unclaim(at(1));
    assert_eq!((m.attempt(), m.claimable(at(1), None), m.due), (0, Ok(()), Some(at(1))));
}

#[test]
fn work_that_fails_again_and_again_ends_where_a_person_can_take_it_up() {
    let held = |mut m: Message| {
        m.hold("x", at(5));
        m
    };
    for (name, mut m, expected) in [
        ("scheduled", message(), (Verdict::Changed, "failed", None)),
        ("unknown", unknown(), (Verdict::Changed, "unknown", None)),
        ("held already", held(unknown()), (Verdict::Ignored, "unknown", None)),
        ("sending", claimed(), (Verdict::Ignored, "sending", Some(at(60)))),
        ("accepted", accepted(), (Verdict::Ignored, "sent", None)),
    ] {
        let verdict = m.give_up_working("the table", at(9));
        assert_eq!((verdict, m.status(at(9)).as_str(), m.due), expected, "{name}");
        let can_retry = m.retry(at(10), at(10)).is_ok();
        assert_eq!(can_retry, m.state == State::Scheduled, "{name}");
        assert_eq!(can_retry, ["scheduled", "unknown", "held already"].contains(&name), "{name}");
    }
}
