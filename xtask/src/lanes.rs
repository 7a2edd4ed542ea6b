//! Lanes: suites that mostly wait for sound run beside each other, and beside the compiler.
//!
//! Each lane takes its steps one after another. The compiler's lane gives way to the others (`nice`), since
//! telephones send sound by the clock and compilers do not mind.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

use crate::digest;
use crate::ledger::{self, Entry, Ledger};
use crate::steps::{Outcome, Step};
use crate::workplace::{Made, Program, Workplace};

/// What a step keeps busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// The compiler, which locks the build folder.
    Compiler,
    /// Our own tests.
    Tests,
    /// Programs that telephone.
    Telephones,
    /// Programs that ask over HTTP, or get mail.
    Web,
}

const LANES: [Lane; 4] = [Lane::Compiler, Lane::Tests, Lane::Telephones, Lane::Web];

/// What is through, for lanes that wait for others.
#[derive(Default)]
struct Through {
    entries: Mutex<Vec<Entry>>,
    changed: Condvar,
}

/// Runs the steps, each in its lane; gives what became of them, in the order of the list.
pub(crate) fn run_beside(steps: &[&'static Step], program: &Program) -> Ledger {
    let started = Instant::now();
    let through = Through::default();
    let made = Made::default();
    // A single step writes to the terminal as it goes; of several, each shows its whole when it is through.
    let is_alone = steps.len() == 1;
    let gives_way = steps.iter().any(|step| step.lane != Lane::Compiler);
    std::thread::scope(|scope| {
        for lane in LANES {
            let through = &through;
            let made = &made;
            let run = move |step: &'static Step| {
                let gives_way = gives_way && lane == Lane::Compiler;
                let workplace = Workplace::new(step, steps, made, program, is_alone, gives_way);
                println!("{} …", step.heading());
                // Whatever happens, the others hear of it.
                let run = std::panic::AssertUnwindSafe(|| step.run(&workplace));
                let outcome = std::panic::catch_unwind(run);
                (
                    outcome.unwrap_or_else(|_| Outcome::Failed("the step broke off".to_owned())),
                    workplace.written(),
                )
            };
            scope.spawn(move || {
                for step in steps.iter().copied().filter(|step| step.lane == lane) {
                    let unmade = through.await_all(step.after);
                    let started = Instant::now();
                    let (outcome, text) = match unmade {
                        Some(name) => (Outcome::Failed(format!("`{name}` failed")), String::new()),
                        None => run(step),
                    };
                    through.note(Entry { step, outcome, time: started.elapsed(), text }, !is_alone);
                }
            });
        }
    });
    let mut entries = through.entries.into_inner().unwrap_or_else(PoisonError::into_inner);
    entries.sort_by_key(|entry| steps.iter().position(|step| step.name == entry.step.name));
    Ledger { entries, whole: started.elapsed() }
}

impl Through {
    /// Waits for all of these; gives one that did not pass.
    fn await_all(&self, names: &[&'static str]) -> Option<&'static str> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let of = |name: &str| entries.iter().find(|entry| entry.step.name == name);
            if names.iter().all(|name| of(name).is_some()) {
                let has_failed = |entry: &Entry| matches!(entry.outcome, Outcome::Failed(_));
                return names.iter().copied().find(|name| of(name).is_some_and(has_failed));
            }
            entries = self.changed.wait(entries).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Notes what became of a step, and shows what it wrote.
    fn note(&self, entry: Entry, is_shown: bool) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if is_shown {
            let (word, seconds) = (ledger::word(&entry.outcome), entry.time.as_secs());
            let text = digest::without_progress(&entry.text);
            println!("\n{}\n{text}── {}: {word} after {seconds} s\n", entry.step.heading(), entry.step.name);
        }
        entries.push(entry);
        self.changed.notify_all();
    }
}
