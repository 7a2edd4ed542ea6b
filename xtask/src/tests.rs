//! The steps `compile` and `test`: every test is built once, by one call of Cargo, and then run from here.
//!
//! Cargo would run the executables one after another. Some mostly wait, so here several run at once.

use std::io;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::executables::{Executable, built};
use crate::prerequisites;
use crate::processes::{self, Ended};
use crate::steps::Outcome;
use crate::suites;
use crate::workplace::Workplace;

/// The package whose tests are the suites of other people's programs.
const SUITES: &str = "interop";
/// The package whose tests start the program, and mostly wait for it.
const PROGRAM: &str = "umbel";
/// How many of its tests run at once, in each of its executables.
const TESTS_THAT_WAIT: &str = "4";
/// How many executables run at once.
const AT_ONCE: usize = 2;

/// The features with which the suites compile, for all calls of Cargo: others would build them again.
pub(crate) fn suite_features() -> String {
    let mut features = vec![
        "baresip",
        "linphone",
        "sipp",
        "kamailio",
        "mail",
        "peers",
        "schemathesis",
        "clients",
        "sound-card",
    ];
    // SIPp presses keys through a raw socket.
    if prerequisites::is_root() {
        features.push("raw-sockets");
    }
    features.iter().map(|feature| format!("umbel-interop/{feature}")).collect::<Vec<_>>().join(",")
}

/// Builds all tests, or those of the suites that are asked for.
pub(crate) fn compile(workplace: &Workplace) -> Outcome {
    let features = suite_features();
    let mut arguments = vec!["test", "--workspace", "--locked", "--no-run", "--features", &features];
    let is_whole = workplace.has_step("test") || !suites::targets(workplace).any(|_| true);
    if !is_whole {
        arguments.extend(suites::targets(workplace).flat_map(|target| ["--test", target]));
    }
    match built(workplace, &arguments) {
        Ok(executables) => {
            let tests = executables.into_iter().filter(|executable| executable.is_test);
            let _ = workplace.made.tests.set(tests.collect());
            Outcome::Passed
        }
        Err(why) => Outcome::Failed(why),
    }
}

/// Runs all tests but the suites.
pub(crate) fn run(workplace: &Workplace) -> Outcome {
    let all = workplace.made.tests.get().map(Vec::as_slice).unwrap_or_default();
    let mut tests: Vec<&Executable> = all.iter().filter(|test| !is_suite(test)).collect();
    // Those that wait longest begin.
    tests.sort_by_key(|test| !(is_of(test, PROGRAM) && test.kind == "test"));
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(test) = tests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if !passes(workplace, test) {
                        failed.lock().expect("nobody panics with it").push(test.target.clone());
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("nobody panics with it");
    match (tests.is_empty(), failed.is_empty()) {
        (true, _) => Outcome::Failed("there are no tests".to_owned()),
        (_, true) => Outcome::Passed,
        (_, false) => Outcome::Failed(failed.join(", ")),
    }
}

/// A suite's executable.
pub(crate) fn suite<'a>(workplace: &'a Workplace, target: &str) -> Option<&'a Executable> {
    workplace.made.tests.get()?.iter().find(|test| is_suite(test) && test.target == target)
}

/// Runs one executable to its end, and shows what it said.
fn passes(workplace: &Workplace, test: &Executable) -> bool {
    let mut command = Command::new(&test.path);
    command.current_dir(&test.folder);
    // Not the unit tests within it, some of which keep time.
    if is_of(test, PROGRAM) && test.kind == "test" {
        command.env("RUST_TEST_THREADS", TESTS_THAT_WAIT);
    }
    let (said, passed) = said(&mut command).unwrap_or_else(|error| (format!("error: {error}\n"), false));
    workplace.say(&format!("     Running {} of {}\n{said}\n", test.target, test.folder.display()));
    passed
}

/// All that it wrote, in the order in which it did, and whether it ended well: in time, and with all that it started.
fn said(command: &mut Command) -> io::Result<(String, bool)> {
    let (mut reader, writer) = io::pipe()?;
    let running = processes::start(command.stderr(writer.try_clone()?).stdout(writer))?;
    // The command has copies of the pipe's end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let reading = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut reader, &mut bytes).map(|_| bytes)
    });
    let Ended { status, left } = running.ended_within(processes::LONGEST)?;
    let bytes = reading.join().map_err(|_| io::Error::other("its words were not read"))??;
    let mut said = String::from_utf8_lossy(&bytes).into_owned();
    match status {
        None => said.push_str("took longer than any test may, and was ended\n"),
        Some(_) if !left.is_empty() => said.push_str(&format!("left behind: {}\n", left.join("; "))),
        Some(_) => {}
    }
    Ok((said, left.is_empty() && status.is_some_and(|status| status.success())))
}

fn is_suite(test: &Executable) -> bool {
    is_of(test, SUITES) && test.kind == "test"
}

fn is_of(test: &Executable, folder: &str) -> bool {
    test.folder.file_name().is_some_and(|name| name == folder)
}
