//! The project's own chores. `cargo xtask test` runs every check that guards a change.

mod browser;
mod checks;
mod digest;
mod executables;
mod lanes;
mod ledger;
mod load;
mod prerequisites;
mod processes;
mod steps;
mod suites;
mod tests;
mod workplace;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask COMMAND

  test          every check that guards a change: format, lints, tests, documentation, licences, other people's programs
  test STEP …   only these steps, and what they come after
  test --debug STEP …  the same, the suites of other people's programs with the debug build, which is sooner made
  steps         list the steps
  load          what a call, a deposit and a connection cost, under SIPp: the figures of docs/performance.md
  prerequisites install what the checks use, where this user may
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut words = arguments.iter().map(String::as_str);
    match words.next() {
        Some("test") => steps::run(&words.collect::<Vec<_>>()),
        Some("load") => load::run(&words.collect::<Vec<_>>()),
        Some("steps") => steps::list(),
        Some("prerequisites") => prerequisites::report(),
        _ => {
            eprint!("{USAGE}");
            ExitCode::from(64)
        }
    }
}
