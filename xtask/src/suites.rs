//! The suites of other people's programs: which part of which executable each step runs.

use std::path::Path;
use std::process::Command;

use crate::prerequisites::{self, DAVMAIL};
use crate::steps::Outcome;
use crate::tests;
use crate::workplace::Workplace;

/// The steps, and the tests of `interop` that they run.
const TARGETS: [(&str, &str); 11] = [
    ("peers", "peers"),
    ("baresip", "baresip"),
    ("linphone", "linphone"),
    ("sipp", "sipp"),
    ("kamailio", "kamailio"),
    ("server-sipp", "protocol_server"),
    ("server-kamailio", "protocol_server"),
    ("server-baresip", "protocol_server"),
    ("clients", "clients"),
    ("schemathesis", "schemathesis"),
    ("mail", "mail"),
];

/// What has to be built for the steps that run.
pub(crate) fn targets(workplace: &Workplace) -> impl Iterator<Item = &'static str> {
    TARGETS.iter().filter(|(step, _)| workplace.has_step(step)).map(|(_, target)| *target)
}

pub(crate) fn peers(workplace: &Workplace) -> Outcome {
    run(workplace, "peers", &[], |_| ())
}

pub(crate) fn baresip(workplace: &Workplace) -> Outcome {
    run(workplace, "baresip", &[], |_| ())
}

pub(crate) fn linphone(workplace: &Workplace) -> Outcome {
    run(workplace, "linphone", &[], |_| ())
}

pub(crate) fn sipp(workplace: &Workplace) -> Outcome {
    match run(workplace, "sipp", &[], |_| ()) {
        Outcome::Passed if !prerequisites::is_root() => {
            Outcome::Skipped("passed but for SIPp's keys, which need root".to_owned())
        }
        other => other,
    }
}

pub(crate) fn mail(workplace: &Workplace) -> Outcome {
    run(workplace, "mail", &[], |_| ())
}

pub(crate) fn kamailio(workplace: &Workplace) -> Outcome {
    run(workplace, "kamailio", &[], |_| ())
}

/// Where the protocol server's suite needs more than one program, each step runs its parts.
pub(crate) fn server_sipp(workplace: &Workplace) -> Outcome {
    let parts = ["diversion::", "loops::", "registrations::", "trust::", "voice_mail::"];
    run(workplace, "protocol_server", &parts, |_| ())
}

pub(crate) fn server_kamailio(workplace: &Workplace) -> Outcome {
    run(workplace, "protocol_server", &["kamailio::"], |_| ())
}

pub(crate) fn server_baresip(workplace: &Workplace) -> Outcome {
    run(workplace, "protocol_server", &["baresip::", "our_telephone::"], |_| ())
}

/// Each interpreter's clients run where they could be installed; the ledger says what is missing.
pub(crate) fn clients(workplace: &Workplace) -> Outcome {
    let (python, node) = (prerequisites::python_clients(), prerequisites::node_clients());
    let davmail = if DAVMAIL.is_here() { Ok(()) } else { Err("DavMail is not here".to_owned()) };
    let found = [
        ("with_python::", python.as_ref().err()),
        ("with_node::", node.as_ref().err()),
        ("with_davmail::", davmail.as_ref().err()),
    ];
    let missing: Vec<&str> = found.iter().filter_map(|(_, why)| why.map(String::as_str)).collect();
    let parts: Vec<&str> = found.iter().filter(|(_, why)| why.is_none()).map(|(part, _)| *part).collect();
    if parts.is_empty() {
        return Outcome::Skipped(missing.join("; "));
    }
    let outcome = run(workplace, "clients", &parts, |command| {
        for (name, folder) in [("UMBEL_CLIENTS_PYTHON", &python), ("UMBEL_CLIENTS_NODE", &node)] {
            if let Ok(folder) = folder {
                command.env(name, folder);
            }
        }
    });
    match outcome {
        Outcome::Passed if !missing.is_empty() => {
            Outcome::Skipped(format!("passed but for: {}", missing.join("; ")))
        }
        other => other,
    }
}

pub(crate) fn schemathesis(workplace: &Workplace) -> Outcome {
    match prerequisites::schemathesis() {
        Ok(program) => run(workplace, "schemathesis", &[], |command| {
            command.env("SCHEMATHESIS", program);
        }),
        Err(why) => Outcome::Skipped(why),
    }
}

/// Runs these parts of a suite, or all of it, with the program that was built.
fn run(workplace: &Workplace, target: &str, parts: &[&str], with: impl FnOnce(&mut Command)) -> Outcome {
    let (Some(suite), Some(program)) = (tests::suite(workplace, target), workplace.made.program.get()) else {
        return Outcome::Failed(format!("`{target}` was not built"));
    };
    // A part whose name has changed would pass with no test at all.
    if let Some(empty) = parts.iter().find(|part| !has_tests(&suite.path, part)) {
        return Outcome::Failed(format!("`{target}` has no tests in {empty}"));
    }
    let mut command = Command::new(&suite.path);
    command.args(parts).current_dir(&suite.folder).env("UMBEL_BINARY", program);
    with(&mut command);
    workplace.run(&mut command)
}

fn has_tests(suite: &Path, part: &str) -> bool {
    let listed = Command::new(suite).args([part, "--list"]).output();
    listed.is_ok_and(|listed| String::from_utf8_lossy(&listed.stdout).contains(": test"))
}
