//! The steps of the test run: what each shows, what it needs, beside which others it runs.

use std::process::ExitCode;

use crate::lanes::{Lane, run_beside};
use crate::prerequisites::{
    self, AIOSMTPD, ALSA, BARESIP, CHROMIUM, KAMAILIO, LINPHONE, NODE, OPENSSL, SIPP, SOX, Tool,
};
use crate::workplace::{Program, Workplace};
use crate::{browser, checks, suites, tests};

/// One check.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    what: &'static str,
    needs: &'static [Tool],
    /// Steps of the same lane come one after another, in the order of the list.
    pub(crate) lane: Lane,
    /// Steps that have to be through before; they come earlier in the list.
    pub(crate) after: &'static [&'static str],
    run: fn(&Workplace) -> Outcome,
}

pub(crate) enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

/// Builds every test; what runs tests comes after it.
pub(crate) const COMPILE: &str = "compile";
/// Builds the program as users do; the suites of other people's programs come after it.
pub(crate) const PROGRAM: &str = "program";

const BOTH: &[&str] = &[COMPILE, PROGRAM];

/// What others wait for comes first in its lane.
pub(crate) const STEPS: [Step; 22] = [
    step("format", "every file is formatted", &[], Lane::Compiler, &[], checks::format),
    step(COMPILE, "the tests and the suites compile", &[], Lane::Compiler, &[], tests::compile),
    step(PROGRAM, "the program builds as users build it", &[], Lane::Compiler, &[], checks::program),
    step("lint", "no warning from the compiler or clippy", &[], Lane::Compiler, &[], checks::lint),
    step(
        "documentation",
        "the documentation builds without a warning, and its examples run",
        &[],
        Lane::Compiler,
        &[],
        checks::documentation,
    ),
    step("fuzz-targets", "the fuzz targets build", &[], Lane::Compiler, &[], checks::fuzz_targets),
    step(
        "dependencies",
        "licences, sources and wrappers of dependencies",
        &[],
        Lane::Compiler,
        &[],
        checks::dependencies,
    ),
    step("advisories", "no dependency has a known fault", &[], Lane::Compiler, &[], checks::advisories),
    step("test", "unit, simulated, conformance and loopback tests", &[], Lane::Tests, &[COMPILE], tests::run),
    // It puts another build where the tests look for the program: after them.
    step(
        "audio",
        "the telephone with a sound card builds, keeps to its bounds, plays and takes sound",
        &[ALSA],
        Lane::Tests,
        &[],
        checks::audio,
    ),
    step(
        "peers",
        "who skips the PIN: listed peers, unlisted ones, strangers",
        &[OPENSSL],
        Lane::Telephones,
        BOTH,
        suites::peers,
    ),
    step(
        "baresip",
        "a softphone leaves and fetches messages",
        &[BARESIP],
        Lane::Telephones,
        BOTH,
        suites::baresip,
    ),
    step(
        "linphone",
        "another softphone: registers, leaves and fetches a message, over TLS and SRTP",
        &[LINPHONE],
        Lane::Telephones,
        BOTH,
        suites::linphone,
    ),
    step("sipp", "scripted callers, one and many", &[SIPP, SOX], Lane::Telephones, BOTH, suites::sipp),
    step("kamailio", "a call server in front", &[KAMAILIO, SIPP], Lane::Telephones, BOTH, suites::kamailio),
    step(
        "server-sipp",
        "the protocol server: where calls go, whose word counts, many telephones",
        &[SIPP],
        Lane::Telephones,
        BOTH,
        suites::server_sipp,
    ),
    step(
        "server-kamailio",
        "Kamailio in the protocol server's place, to the same result",
        &[KAMAILIO, SIPP],
        Lane::Telephones,
        BOTH,
        suites::server_kamailio,
    ),
    step(
        "server-baresip",
        "two softphones at the protocol server",
        &[BARESIP],
        Lane::Telephones,
        BOTH,
        suites::server_baresip,
    ),
    step(
        "clients",
        "libraries of mail programs ask the web services for messages and calls",
        &[],
        Lane::Web,
        BOTH,
        suites::clients,
    ),
    step(
        "browser",
        "the mailbox page: signing in, messages, Play on Phone, greetings, barriers",
        &[CHROMIUM, NODE],
        Lane::Web,
        &[PROGRAM],
        browser::run,
    ),
    step(
        "schemathesis",
        "the API is as its description says, whatever it is sent",
        &[],
        Lane::Web,
        BOTH,
        suites::schemathesis,
    ),
    step(
        "mail",
        "mails to a foreign server: encrypted, late, again after a crash",
        &[AIOSMTPD, SOX],
        Lane::Web,
        BOTH,
        suites::mail,
    ),
];

const fn step(
    name: &'static str,
    what: &'static str,
    needs: &'static [Tool],
    lane: Lane,
    after: &'static [&'static str],
    run: fn(&Workplace) -> Outcome,
) -> Step {
    Step { name, what, needs, lane, after, run }
}

impl Step {
    /// Runs it, or says what the machine lacks.
    pub(crate) fn run(&self, workplace: &Workplace) -> Outcome {
        match self.needs.iter().find(|tool| !tool.is_here()) {
            Some(missing) => Outcome::Skipped(format!("{} is not here", missing.name)),
            None => (self.run)(workplace),
        }
    }

    /// How it is announced.
    pub(crate) fn heading(&self) -> String {
        format!("── {}: {}", self.name, self.what)
    }
}

pub(crate) fn list() -> ExitCode {
    for step in &STEPS {
        println!("{:15} {}", step.name, step.what);
    }
    ExitCode::SUCCESS
}

/// Runs the named steps, or all, with what they come after, and prints the ledger.
pub(crate) fn run(words: &[&str]) -> ExitCode {
    let (options, names): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.starts_with("--"));
    if let Some(unknown) = options.iter().find(|option| **option != "--debug") {
        eprintln!("there is no option `{unknown}`; `--debug` runs the suites with the debug build");
        return ExitCode::from(64);
    }
    if let Some(unknown) = names.iter().find(|name| !STEPS.iter().any(|step| step.name == **name)) {
        eprintln!("there is no step `{unknown}`; `cargo xtask steps` lists them");
        return ExitCode::from(64);
    }
    for line in prerequisites::install() {
        println!("prerequisites: {line}");
    }
    let program = Program::chosen(!options.is_empty());
    let steps = with_what_they_come_after(&names);
    run_beside(&steps, &program).conclude()
}

/// The named steps, or all, and those that come before them, in the order of the list.
fn with_what_they_come_after(names: &[&str]) -> Vec<&'static Step> {
    let is_wanted = |step: &Step| names.is_empty() || names.contains(&step.name);
    let before = |step: &Step| STEPS.iter().any(|later| is_wanted(later) && later.after.contains(&step.name));
    STEPS.iter().filter(|step| is_wanted(step) || before(step)).collect()
}

#[cfg(test)]
mod tests_of_the_list {
    use super::*;

    /// Each lane goes through the list in its order: so the first step that is not through can always go on.
    #[test]
    fn what_a_step_comes_after_is_earlier_in_the_list_and_comes_after_nothing() {
        for (place, step) in STEPS.iter().enumerate() {
            for name in step.after {
                let earlier = STEPS[..place].iter().find(|earlier| earlier.name == *name);
                let earlier = earlier.unwrap_or_else(|| panic!("{}: {name} is not earlier", step.name));
                assert!(earlier.after.is_empty(), "{name}");
            }
        }
    }

    #[test]
    fn a_named_step_brings_what_it_comes_after() {
        let names = |wanted: &[&str]| -> Vec<&str> {
            with_what_they_come_after(wanted).iter().map(|step| step.name).collect()
        };
        assert_eq!(names(&["format"]), ["format"]);
        assert_eq!(names(&["browser"]), ["program", "browser"]);
        assert_eq!(names(&["sipp", "lint"]), ["compile", "program", "lint", "sipp"]);
        assert_eq!(names(&[]).len(), STEPS.len());
    }
}
