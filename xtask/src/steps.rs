//! The steps of the test run, and the ledger of what passed, failed and was skipped.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::browser;
use crate::prerequisites::{
    self, AIOSMTPD, ALSA, BARESIP, CHROMIUM, DAVMAIL, KAMAILIO, NODE, OPENSSL, SIPP, SOX, Tool,
};

/// One check.
struct Step {
    name: &'static str,
    what: &'static str,
    needs: &'static [Tool],
    run: fn() -> Outcome,
}

pub(crate) enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

const STEPS: [Step; 20] = [
    Step { name: "format", what: "every file is formatted", needs: &[], run: format },
    Step { name: "lint", what: "no warning from the compiler or clippy", needs: &[], run: lint },
    Step { name: "test", what: "unit, simulated, conformance and loopback tests", needs: &[], run: test },
    Step {
        name: "documentation",
        what: "the documentation builds without a warning",
        needs: &[],
        run: documentation,
    },
    Step { name: "fuzz-targets", what: "the fuzz targets build", needs: &[], run: fuzz_targets },
    Step { name: "program", what: "the program builds as users build it", needs: &[], run: program },
    Step {
        name: "audio",
        what: "the telephone with a sound card builds, and keeps to its bounds",
        needs: &[ALSA],
        run: audio,
    },
    Step {
        name: "peers",
        what: "who skips the PIN: listed peers, unlisted ones, strangers",
        needs: &[OPENSSL],
        run: peers,
    },
    Step {
        name: "baresip",
        what: "a softphone leaves and fetches messages",
        needs: &[BARESIP],
        run: baresip,
    },
    Step { name: "sipp", what: "scripted callers, one and many", needs: &[SIPP, SOX], run: sipp },
    Step { name: "kamailio", what: "a call server in front", needs: &[KAMAILIO, SIPP], run: kamailio },
    Step {
        name: "server-sipp",
        what: "the protocol server: where calls go, whose word counts, many telephones",
        needs: &[SIPP],
        run: server_sipp,
    },
    Step {
        name: "server-kamailio",
        what: "Kamailio in the protocol server's place, to the same result",
        needs: &[KAMAILIO, SIPP],
        run: server_kamailio,
    },
    Step {
        name: "server-baresip",
        what: "two softphones at the protocol server",
        needs: &[BARESIP],
        run: server_baresip,
    },
    Step {
        name: "clients",
        what: "libraries of mail programs ask the web services for messages and calls",
        needs: &[],
        run: clients,
    },
    Step {
        name: "browser",
        what: "the mailbox page: signing in, messages, Play on Phone, greetings, barriers",
        needs: &[CHROMIUM, NODE],
        run: browser::run,
    },
    Step {
        name: "schemathesis",
        what: "the API is as its description says, whatever it is sent",
        needs: &[],
        run: schemathesis,
    },
    Step {
        name: "mail",
        what: "mails to a foreign server: encrypted, late, again after a crash",
        needs: &[AIOSMTPD, SOX],
        run: mail,
    },
    Step {
        name: "dependencies",
        what: "licences, sources and wrappers of dependencies",
        needs: &[],
        run: dependencies,
    },
    Step { name: "advisories", what: "no dependency has a known fault", needs: &[], run: advisories },
];

pub(crate) fn list() -> ExitCode {
    for step in &STEPS {
        println!("{:14} {}", step.name, step.what);
    }
    ExitCode::SUCCESS
}

/// Runs the named steps, or all, and prints the ledger.
pub(crate) fn run(names: &[&str]) -> ExitCode {
    let steps: Vec<&Step> = STEPS.iter().collect();
    if let Some(unknown) = names.iter().find(|name| !steps.iter().any(|step| step.name == **name)) {
        eprintln!("there is no step `{unknown}`; `cargo xtask steps` lists them");
        return ExitCode::from(64);
    }
    for line in prerequisites::install() {
        println!("prerequisites: {line}");
    }
    let mut ledger = Vec::new();
    for step in steps.into_iter().filter(|step| names.is_empty() || names.contains(&step.name)) {
        println!("\n── {}: {}", step.name, step.what);
        let started = Instant::now();
        let outcome = match step.needs.iter().find(|tool| !tool.is_here()) {
            Some(missing) => Outcome::Skipped(format!("{} is not here", missing.name)),
            None => (step.run)(),
        };
        ledger.push((step, outcome, started.elapsed()));
    }
    conclude(&ledger)
}

fn conclude(ledger: &[(&Step, Outcome, Duration)]) -> ExitCode {
    println!("\n── ledger");
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (step, outcome, time) in ledger {
        let seconds = time.as_secs();
        let (word, why) = match outcome {
            Outcome::Passed => {
                passed += 1;
                ("passed", "")
            }
            Outcome::Failed(why) => {
                failed += 1;
                ("FAILED", why.as_str())
            }
            Outcome::Skipped(why) => {
                skipped += 1;
                ("skipped", why.as_str())
            }
        };
        println!("{:14} {word:8} {seconds:4} s  {why}", step.name);
    }
    println!("\n{passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn format() -> Outcome {
    cargo(&["fmt", "--all", "--check"])
}

fn lint() -> Outcome {
    let features = "umbel-interop/baresip,umbel-interop/sipp,umbel-interop/raw-sockets,\
                    umbel-interop/kamailio,umbel-interop/mail,umbel-interop/peers,umbel-interop/schemathesis,\
                    umbel-interop/clients-python,umbel-interop/clients-node,umbel-interop/clients-davmail";
    cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--features",
        features,
        "--locked",
        "--",
        "-D",
        "warnings",
    ])
}

fn audio() -> Outcome {
    let of_the_program = ["--package", "umbel", "--features", "audio", "--locked"];
    let lint = [&["clippy", "--bins"], &of_the_program[..], &["--", "-D", "warnings"]].concat();
    let test = [&["test", "--bin", "umbel"], &of_the_program[..], &["card"]].concat();
    match cargo(&lint) {
        Outcome::Passed => cargo(&test),
        outcome => outcome,
    }
}

fn test() -> Outcome {
    cargo(&["test", "--workspace", "--locked", "--no-fail-fast"])
}

fn documentation() -> Outcome {
    let mut command = Command::new(env!("CARGO"));
    command.args(["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-D warnings");
    outcome(&mut command)
}

fn fuzz_targets() -> Outcome {
    let mut command = Command::new(env!("CARGO"));
    command.args(["check", "--manifest-path", "fuzz/Cargo.toml", "--target-dir", "target/fuzz"]);
    outcome(&mut command)
}

fn program() -> Outcome {
    cargo(&["build", "--release", "--locked", "--package", "umbel"])
}

fn peers() -> Outcome {
    interop("peers", "peers")
}

fn baresip() -> Outcome {
    interop("baresip", "baresip")
}

fn sipp() -> Outcome {
    // SIPp presses keys through a raw socket.
    if prerequisites::is_root() {
        return interop("sipp", "sipp,raw-sockets");
    }
    match interop("sipp", "sipp") {
        Outcome::Passed => Outcome::Skipped("passed but for SIPp's keys, which need root".to_owned()),
        other => other,
    }
}

fn mail() -> Outcome {
    interop("mail", "mail")
}

fn kamailio() -> Outcome {
    interop("kamailio", "kamailio")
}

fn server_sipp() -> Outcome {
    interop("protocol_server", "sipp")
}

fn server_kamailio() -> Outcome {
    protocol_server("sipp,kamailio", "kamailio::")
}

fn server_baresip() -> Outcome {
    interop("protocol_server", "baresip")
}

/// Each interpreter's clients run where they could be installed; the ledger says what is missing.
fn clients() -> Outcome {
    let (python, node) = (prerequisites::python_clients(), prerequisites::node_clients());
    let davmail = match DAVMAIL.is_here() {
        true => Ok(()),
        false => Err("DavMail is not here".to_owned()),
    };
    let found = [
        ("clients-python", python.as_ref().err()),
        ("clients-node", node.as_ref().err()),
        ("clients-davmail", davmail.as_ref().err()),
    ];
    let missing: Vec<&str> = found.iter().filter_map(|(_, why)| why.map(String::as_str)).collect();
    let features: Vec<&str> =
        found.iter().filter(|(_, why)| why.is_none()).map(|(feature, _)| *feature).collect();
    if features.is_empty() {
        return Outcome::Skipped(missing.join("; "));
    }
    let features = features.join(",");
    let mut command = Command::new(env!("CARGO"));
    command.args([
        "test",
        "--locked",
        "--package",
        "umbel-interop",
        "--features",
        &features,
        "--test",
        "clients",
    ]);
    for (name, folder) in [("UMBEL_CLIENTS_PYTHON", &python), ("UMBEL_CLIENTS_NODE", &node)] {
        if let Ok(folder) = folder {
            command.env(name, folder);
        }
    }
    match outcome(&mut command) {
        Outcome::Passed if !missing.is_empty() => {
            Outcome::Skipped(format!("passed but for: {}", missing.join("; ")))
        }
        other => other,
    }
}

fn schemathesis() -> Outcome {
    match prerequisites::schemathesis() {
        Ok(program) => {
            let arguments = ["test", "--locked", "--package", "umbel-interop", "--features", "schemathesis"];
            let mut command = Command::new(env!("CARGO"));
            command.args(arguments).args(["--test", "schemathesis"]).env("SCHEMATHESIS", program);
            outcome(&mut command)
        }
        Err(why) => Outcome::Skipped(why),
    }
}

/// One part of the protocol server's suite, which needs more than one program.
fn protocol_server(features: &str, part: &str) -> Outcome {
    let package = ["test", "--locked", "--package", "umbel-interop", "--features", features];
    cargo(&[&package[..], &["--test", "protocol_server", part]].concat())
}

/// One suite of other people's programs; each has a feature of its own so that a machine without
/// them skips it here, in the ledger, rather than inside a test that then asserts nothing.
fn interop(suite: &str, features: &str) -> Outcome {
    cargo(&["test", "--locked", "--package", "umbel-interop", "--features", features, "--test", suite])
}

fn dependencies() -> Outcome {
    match prerequisites::cargo_deny() {
        Ok(deny) => outcome(Command::new(deny).args([
            "--offline",
            "--all-features",
            "check",
            "licenses",
            "bans",
            "sources",
        ])),
        Err(why) => Outcome::Skipped(why),
    }
}

/// The list of known faults comes from the network; where that cannot be had, the ledger says so.
fn advisories() -> Outcome {
    let deny = match prerequisites::cargo_deny() {
        Ok(deny) => deny,
        Err(why) => return Outcome::Skipped(why),
    };
    match Command::new(deny).args(["--all-features", "check", "advisories"]).output() {
        Ok(output) if output.status.success() => Outcome::Passed,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            if said.contains("failed to fetch advisory database") {
                Outcome::Skipped("the list of known faults cannot be fetched from here".to_owned())
            } else {
                eprintln!("{said}");
                Outcome::Failed(output.status.to_string())
            }
        }
        Err(error) => Outcome::Failed(format!("could not be started: {error}")),
    }
}

pub(crate) fn cargo(arguments: &[&str]) -> Outcome {
    outcome(Command::new(env!("CARGO")).args(arguments))
}

pub(crate) fn outcome(command: &mut Command) -> Outcome {
    match command.status() {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(status.to_string()),
        Err(error) => Outcome::Failed(format!("could not be started: {error}")),
    }
}
