//! What was tried and what came of it, as a table for people.

use std::fmt::Write;

use crate::invariants::Violation;
use crate::run::Outcome;

/// Violations that are printed of each story.
const SHOWN: usize = 12;

/// What many runs of one story came to.
#[derive(Debug, Default)]
pub struct Line {
    pub name: String,
    pub operations: usize,
    /// Runs in which something went wrong as planned.
    pub tried: usize,
    /// Planned, and not reached: another order brought other operations.
    pub missed: usize,
    pub lost: usize,
    pub twice: usize,
    /// Messages held as Unknown, visibly.
    pub held: usize,
    /// Anything else that must not be.
    pub others: usize,
    pub violations: Vec<String>,
}

impl Line {
    pub fn new(name: &str, operations: usize) -> Self {
        Self { name: name.to_owned(), operations, ..Self::default() }
    }

    /// One more run; `Err` is one that panicked.
    pub fn add(&mut self, what: &str, outcome: &Result<Outcome, String>) {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(panic) => {
                self.tried += 1;
                self.others += 1;
                self.violations.push(format!("{what}: panicked: {panic}"));
                return;
            }
        };
        if outcome.struck {
            self.tried += 1;
        } else {
            self.missed += 1;
        }
        self.held += outcome.found.held;
        for violation in &outcome.found.violations {
            match violation {
                Violation::Lost(_) | Violation::WaitsNowhere(_) => self.lost += 1,
                Violation::Twice(_) => self.twice += 1,
                Violation::Restless
                | Violation::Untrue(_)
                | Violation::Miscounted(_)
                | Violation::OptedOut(_)
                | Violation::Trace(_)
                | Violation::DeadLetter(_) => self.others += 1,
            }
            self.violations.push(format!("{what}: {violation:?}"));
        }
    }
}

/// The table, with the sum below.
pub fn table(lines: &[Line]) -> String {
    let mut text = String::new();
    let head = "story                      operations   tried  missed  lost  twice  held  others";
    let _ = writeln!(text, "{head}");
    let row = |text: &mut String, name: &str, n: [usize; 7]| {
        let [operations, tried, missed, lost, twice, held, others] = n;
        let _ = writeln!(
            text,
            "{name:<26} {operations:>10} {tried:>7} {missed:>7} {lost:>5} {twice:>6} {held:>5} {others:>7}"
        );
    };
    let mut sum = [0; 7];
    for line in lines {
        let n = [
            line.operations,
            line.tried,
            line.missed,
            line.lost,
            line.twice,
            line.held,
            line.others,
        ];
        for (sum, n) in sum.iter_mut().zip(n) {
            *sum += n;
        }
        row(&mut text, &line.name, n);
    }
    row(&mut text, "all", sum);
    text
}

/// Prints the table; fails when anything was found.
///
/// # Panics
/// When there is a violation.
pub fn tell(lines: &[Line]) {
    println!("\n{}", table(lines));
    for line in lines {
        for violation in line.violations.iter().take(SHOWN) {
            println!("{}: {violation}", line.name);
        }
        if line.violations.len() > SHOWN {
            println!("{}: and {} more", line.name, line.violations.len() - SHOWN);
        }
    }
    let wrong: usize = lines.iter().map(|line| line.violations.len()).sum();
    assert_eq!(wrong, 0, "violations");
}
