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

mod front;
mod invariants;
mod plot;
mod point;
mod quiet;
mod report;
mod run;
mod schedules;
mod stage;
mod story;
mod theatre;

use carillon_runtime::config::variable;

/// All stories, or the one named by `CARILLON_CRASH_STORY`.
fn stories() -> Vec<story::Story> {
    let mut stories = story::all();
    if let Some(name) = variable("CARILLON_CRASH_STORY") {
        stories.retain(|story| story.name == name);
        assert!(!stories.is_empty(), "there is no story {name:?}");
    }
    stories
}

#[test]
fn nothing_is_lost_or_sent_twice_wherever_a_step_is_cut() {
    report::tell(&run::all(&stories(), false));
}
