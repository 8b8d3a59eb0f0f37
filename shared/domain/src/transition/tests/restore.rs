//! What is presumed sent after a restore, and what becomes of it.

use super::*;
use crate::restore::Release;

/// Found at 100, released at 1,000.
fn release() -> Release {
    Release { found_at: at(100), released_at: at(1_000) }
}

/// Waits for a retry at this second.
fn refused_until(second: i64) -> Message {
    let mut m = claimed();
    m.refused(1, Answered::default(), &failure(), Next::Retry(at(second)), at(2));
    m
}

fn scheduled_for(second: i64) -> Message {
    Message { scheduled_for: at(second), due: Some(at(second)), ..message() }
}

#[test]
fn what_came_with_the_backup_and_was_due_before_the_release_may_have_been_sent() {
    let deferred_until = |second| {
        let mut m = message();
        m.defer("quiet_hours", at(second), at(second), String::new(), at(1));
        m
    };
    let newer = Message { created_at: at(100), scheduled_for: at(100), ..message() };
    let mut rescheduled = message();
    rescheduled.reschedule(at(2_000), at(1_100)).expect("it waits");
    let mut asked_again = refused_until(50);
    asked_again.state = State::Failed { failure: failure(), at: at(60), accepted: false };
    asked_again.retry(at(1_200), at(1_100)).expect("it failed");
    for (name, m, expected) in [
        ("was due at once", message(), true),
        ("was due before the release", scheduled_for(1_000), true),
        ("is due after it", scheduled_for(1_001), false),
        ("was to be tried again before", refused_until(900), true),
        ("is to be tried again after", refused_until(1_001), false),
        ("waited for the morning, which came", deferred_until(900), true),
        ("waits for the morning, which is to come", deferred_until(1_001), false),
        ("came after the restore", newer, false),
        ("was rescheduled after the release", rescheduled, false),
        ("somebody asked for another attempt", asked_again, false),
        ("was under way", claimed(), false),
        ("is unknown already", unknown(), false),
        ("had arrived", accepted(), false),
    ] {
        assert_eq!(release().may_have_sent(&m), expected, "{name}");
    }
}

#[test]
fn what_is_presumed_sent_is_unknown_and_is_settled_as_any_unknown() {
    let presumed = |mut m: Message| {
        assert_eq!(m.presume_sent(ProviderName::Twilio, at(1_010)), Verdict::Changed);
        m
    };
    let m = presumed(scheduled_for(500));
    assert_eq!(m.status(at(1_010)).as_str(), "unknown");
    assert_eq!(m.claimable(at(1_080), None), Err(NotClaimable::Unknown));
    assert_eq!((m.due, m.generation), (Some(at(1_010) + SETTLE_PAUSE), 1));
    // The look-up must reach back to when it could have gone.
    assert_eq!(m.attempts[0].started_at, at(500));
    assert_eq!(m.decisions.last().map(|d| d.reason.as_str()), Some(RESTORED));

    // Its receipt, which the original's callback address brings.
    let delivered = after(m.clone(), &ReceiptKind::Delivered);
    assert_eq!(delivered, (Verdict::Changed, "delivered"));
    // Never sent: goes once, and is not presumed sent again.
    let mut never = m.clone();
    never.not_found(Next::Retry(at(1_100)), at(1_080));
    never.not_found(Next::Retry(at(1_200)), at(1_140));
    assert_eq!(never.claimable(at(1_200), None), Ok(()));
    assert!(!release().may_have_sent(&never));
    // Nobody can be asked.
    let mut held = m;
    held.hold("no look-up", at(1_080));
    assert!(held.state.is_settled());

    // A retry that waited when the backup was made keeps its first attempt.
    let m = presumed(refused_until(900));
    assert_eq!((m.attempt(), m.attempts[1].started_at), (2, at(900)));
}

#[test]
fn only_what_waits_is_presumed_sent() {
    for mut m in [claimed(), unknown(), accepted()] {
        let before = m.clone();
        assert_eq!(m.presume_sent(ProviderName::Twilio, at(1_010)), Verdict::Ignored);
        assert_eq!(m, before);
    }
}
