//! Crash safety, tried exhaustively: every operation of every story fails, loses
//! its answer, or is the last thing that its step did; then all must come to
//! rest, with nothing lost, nothing twice and every count right.
//!
//! - [`story`]: the stories; a new one is ten lines
//! - [`point`], [`plot`]: one place at which a story is cut, and the layer that does it
//! - [`stage`], [`theatre`], [`front`]: a run, what all runs of a thread share, the providers' door
//! - [`quiet`], [`invariants`]: the way to the end, and what must hold there
//! - [`run`], [`report`]: all points on all cores, and the table of what came of it
//!
//! `docs/crash-suite.md` says what is tried and what was found.

#![expect(clippy::print_stdout, reason = "the table is for people")]

mod contacts;
mod dice;
mod front;
mod invariants;
mod large;
mod mishaps;
mod person;
mod plot;
mod point;
mod quiet;
mod report;
mod run;
mod sabotage;
mod schedules;
mod stage;
mod stalls;
mod story;
mod theatre;
mod workshop;

use carillon_runtime::config::variable;
use carillon_store::Mechanism;

use crate::report::Line;
use crate::run::Kind;

/// All stories, or the one named by `CARILLON_CRASH_STORY`.
fn stories() -> Vec<story::Story> {
    let mut stories = story::all();
    if let Some(name) = variable("CARILLON_CRASH_STORY") {
        stories.retain(|story| story.name == name);
        assert!(!stories.is_empty(), "there is no story {name:?}");
        return whole(stories);
    }
    stories
}

/// With each of their points.
fn whole(mut stories: Vec<story::Story>) -> Vec<story::Story> {
    stories.iter_mut().for_each(|story| story.every = 1);
    stories
}

#[test]
fn nothing_is_lost_or_sent_twice_wherever_a_step_is_cut() {
    report::tell(&run::all(&stories(), Kind::Crashes));
}

/// What the test above tries each n-th point of.
#[test]
#[ignore = "minutes"]
fn full_long_stories_are_cut_at_each_of_their_points() {
    let long = stories().into_iter().filter(|story| story.every > 1).collect();
    report::tell(&run::all(&whole(long), Kind::Crashes));
}

#[test]
fn a_mechanism_that_is_taken_away_is_missed() {
    let mut unnoticed = Vec::new();
    for mechanism in Mechanism::ALL {
        match sabotage::first_violation(mechanism) {
            Some((what, tried)) => println!("without {mechanism:?}, run {tried}: {what}"),
            None => unnoticed.push(mechanism),
        }
    }
    assert!(unnoticed.is_empty(), "nobody noticed: {unnoticed:?}");
}

/// Seeds from `first` on; the one of `CARILLON_CRASH_SEED` alone, if it is set.
fn random_schedules(first: u64, count: u64) {
    let seed = variable("CARILLON_CRASH_SEED");
    let seeds: Vec<u64> = match seed {
        Some(seed) => vec![seed.parse().expect("CARILLON_CRASH_SEED is a number")],
        None => (first..first + count).collect(),
    };
    let outcomes = run::side_by_side(&seeds, async |theatre, seed| {
        run::caught(schedules::run(theatre, *seed)).await
    });
    let operations = outcomes.iter().flatten().map(|o| o.counts.values().sum::<u32>()).sum::<u32>();
    let mut line = Line::new("random", usize::try_from(operations).expect("few"));
    for (seed, outcome) in seeds.iter().zip(&outcomes) {
        line.add(&format!("CARILLON_CRASH_SEED={seed}"), outcome);
    }
    report::tell(&[line]);
}

#[test]
fn random_schedules_come_to_rest_with_nothing_lost_or_twice() {
    random_schedules(1, 150);
}

/// Other seeds each time.
#[test]
#[ignore = "minutes"]
fn full_random_schedules() {
    let first = u64::from_be_bytes(carillon_runtime::random::bytes()) >> 16;
    println!("seeds from {first}");
    random_schedules(first, 5_000);
}

#[test]
#[ignore = "minutes"]
fn full_points_that_equal_another_come_to_the_same() {
    report::tell(&run::all(&stories(), Kind::Equals));
}

/// By kind of operation and its place in page and pack.
#[test]
#[ignore = "minutes"]
fn full_a_large_file_loses_nothing_at_the_ends_of_pages_and_packs() {
    large::run();
}

/// Every step stands still for twenty minutes at every operation, and then goes
/// on as if nothing had been.
#[test]
#[ignore = "minutes"]
fn full_a_step_that_stood_still_does_no_harm() {
    report::tell(&run::all(&stories(), Kind::Stalls));
}
