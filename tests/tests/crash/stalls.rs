//! A sender that stands still past its lease, and then goes on.

use carillon_domain::message::{AttemptOutcome, State};
use serde_json::json;

use crate::point::{Effect, Fault, Place, Point, Step};
use crate::run::{Outcome, once, side_by_side};
use crate::story::{self, Story};

fn still(what: &str, kind: Effect) -> Point {
    let place = Place { step: Step::Sender, what: what.to_owned(), kind };
    Point { place, nth: 1, fault: Fault::StallAfter, attempts: 1 }
}

fn run(story: &Story, point: &Point) -> Outcome {
    let mut outcomes =
        side_by_side(&[()], async |theatre, ()| once(theatre, story, Some(point.clone())).await);
    let outcome = outcomes.remove(0);
    assert!(outcome.struck, "{point}");
    assert_eq!(outcome.found.violations, [], "{point}");
    outcome
}

fn calls(outcome: &Outcome) -> u32 {
    let calls = outcome.counts.iter().filter(|(place, _)| place.what == "POST provider");
    calls.map(|(_, count)| *count).sum()
}

/// Another has found the claim run out meanwhile, asked the provider twice, and
/// sent the message: the late sender must not do so too.
#[test]
fn who_stood_still_between_claim_and_call_makes_no_call() {
    let story = story::named("single now");
    let outcome = run(&story, &still("PutItem m/snd", Effect::Writes));
    assert_eq!(calls(&outcome), 1);
    let m = &outcome.found.messages[0];
    assert_eq!(m.attempts.len(), 2, "{:?}", m.attempts);
    assert_eq!(m.attempts[0].outcome, AttemptOutcome::NotSent);
    assert!(matches!(m.state, State::Delivered { .. }), "{m:?}");
}

/// Nobody can be asked and no receipt comes, so it is held as Unknown; then the
/// answer arrives after all.
#[test]
fn who_stood_still_inside_a_call_brings_its_result_late() {
    let mut story = story::named("no receipts");
    story.setting.account = json!({"look_up": false});
    let outcome = run(&story, &still("POST provider", Effect::Calls));
    assert_eq!(calls(&outcome), 1);
    let m = &outcome.found.messages[0];
    assert_eq!(m.attempts.len(), 1);
    assert_eq!(m.attempts[0].outcome, AttemptOutcome::Accepted);
    assert!(matches!(m.state, State::Accepted { .. }), "{m:?}");
    let kinds: Vec<_> = m.events.iter().map(|e| e.kind.as_str()).collect();
    assert_eq!(kinds, ["unknown", "sent"]);
}
