//! The ledger: what passed, failed and was skipped, and how long each took.

use std::process::ExitCode;
use std::time::Duration;

use crate::digest;
use crate::steps::{Outcome, Step};
use crate::workplace::LOGS;

/// Lines about all failures together: who sees the last two hundred lines of a run sees them and the ledger.
const FAILURES_LINES_MAX: usize = 150;

/// What became of a step.
pub(crate) struct Entry {
    pub(crate) step: &'static Step,
    pub(crate) outcome: Outcome,
    pub(crate) time: Duration,
    /// What it wrote, if not to the terminal.
    pub(crate) text: String,
}

/// What became of all of them, and how long the whole took: less than their sum, since lanes run side by side.
pub(crate) struct Ledger {
    pub(crate) entries: Vec<Entry>,
    pub(crate) whole: Duration,
}

/// An outcome in a word.
pub(crate) fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed(_) => "FAILED",
        Outcome::Skipped(_) => "skipped",
    }
}

impl Ledger {
    /// Prints what failed and why, and then the ledger, so that the end of the run tells all of it; the run is good
    /// if nothing failed.
    pub(crate) fn conclude(&self) -> ExitCode {
        let failed = || self.entries.iter().filter(|entry| matches!(entry.outcome, Outcome::Failed(_)));
        let lines_max = FAILURES_LINES_MAX.checked_div(failed().count()).unwrap_or_default();
        for Entry { step, text, .. } in failed().filter(|entry| !entry.text.is_empty()) {
            println!("\n── why {} failed (all of it: {LOGS}/{}.log)", step.name, step.name);
            for line in digest::of_failure(text, lines_max.min(digest::LINES_MAX)) {
                println!("{line}");
            }
        }
        println!("\n── ledger");
        for Entry { step, outcome, time, .. } in &self.entries {
            let why = match outcome {
                Outcome::Passed => "",
                Outcome::Failed(why) | Outcome::Skipped(why) => why.as_str(),
            };
            println!("{:15} {:8} {:4} s  {why}", step.name, word(outcome), time.as_secs());
        }
        let count = |wanted: &str| self.entries.iter().filter(|entry| word(&entry.outcome) == wanted).count();
        let (passed, failed, skipped) = (count("passed"), count("FAILED"), count("skipped"));
        println!("\n{passed} passed, {failed} failed, {skipped} skipped, in {} s", self.whole.as_secs());
        if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
