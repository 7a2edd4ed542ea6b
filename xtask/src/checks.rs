//! The steps that compile, or look at files.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::executables::built;
use crate::prerequisites::{self, PULSEAUDIO};
use crate::steps::Outcome;
use crate::tests::suite_features;
use crate::workplace::{Program, Workplace};

pub(crate) fn format(workplace: &Workplace) -> Outcome {
    workplace.run(&mut workplace.cargo(["fmt", "--all", "--check"]))
}

pub(crate) fn lint(workplace: &Workplace) -> Outcome {
    let features = suite_features();
    let clippy = ["clippy", "--workspace", "--all-targets", "--features", &features, "--locked"];
    workplace.run(&mut workplace.cargo(clippy.iter().chain(&["--", "-D", "warnings"])))
}

/// In the name of the whole workspace, as everything here: so dependencies have the same features, and what is
/// built once serves all.
pub(crate) fn audio(workplace: &Workplace) -> Outcome {
    let features = format!("{},umbel/audio", suite_features());
    let whole = ["--workspace", "--locked", "--features", &features, "--bin", "umbel"];
    // A test of the package brings the features that `lint` and `compile` have; and the program itself.
    let targets = ["--test", "program"];
    let lint = ["clippy"].iter().chain(&whole).chain(&targets).chain(&["--", "-D", "warnings"]);
    let lint = workplace.run(&mut workplace.cargo(lint));
    if !matches!(lint, Outcome::Passed) {
        return lint;
    }
    let build = [&["test", "--no-run"], &whole[..], &targets, &["--test", "sound_card"]].concat();
    let executables = match built(workplace, &build) {
        Ok(executables) => executables,
        Err(why) => return Outcome::Failed(why),
    };
    let of = |target: &str, is_test: bool| {
        let mut found = executables.iter().filter(|it| it.target == target && it.is_test == is_test);
        found.next().ok_or_else(|| format!("Cargo names no {target}"))
    };
    let run = || -> Result<Outcome, String> {
        let unit = of("umbel", true)?;
        let outcome = workplace.run(Command::new(&unit.path).arg("card").current_dir(&unit.folder));
        if !matches!(outcome, Outcome::Passed) {
            return Ok(outcome);
        }
        if !PULSEAUDIO.is_here() {
            return Ok(Outcome::Skipped(
                "passed but for a call with a card: PulseAudio is not here".to_owned(),
            ));
        }
        let program = copied(&of("umbel", false)?.path, "umbel-audio").map_err(|error| error.to_string())?;
        let suite = of("sound_card", true)?;
        let mut command = Command::new(&suite.path);
        Ok(workplace.run(command.current_dir(&suite.folder).env("UMBEL_BINARY", program)))
    };
    run().unwrap_or_else(Outcome::Failed)
}

pub(crate) fn documentation(workplace: &Workplace) -> Outcome {
    // There are no examples: naming them brings the features that the tests have, and what was checked for them.
    let targets = ["--lib", "--bins", "--examples"];
    let mut build = workplace.cargo(["doc", "--workspace", "--no-deps", "--locked"].iter().chain(&targets));
    match workplace.run(build.env("RUSTDOCFLAGS", "-D warnings")) {
        Outcome::Passed => {
            let features = suite_features();
            let run = ["test", "--workspace", "--locked", "--doc", "--no-fail-fast", "--features", &features];
            workplace.run(&mut workplace.cargo(run))
        }
        outcome => outcome,
    }
}

pub(crate) fn fuzz_targets(workplace: &Workplace) -> Outcome {
    workplace.run(&mut workplace.cargo([
        "check",
        "--manifest-path",
        "fuzz/Cargo.toml",
        "--target-dir",
        "target/fuzz",
    ]))
}

pub(crate) fn program(workplace: &Workplace) -> Outcome {
    let profile: &[&str] = match workplace.program {
        Program::Named(path) => {
            let _ = workplace.made.program.set(path.clone());
            return Outcome::Skipped(format!("UMBEL_BINARY names {}", path.display()));
        }
        Program::Release => &["--release"],
        Program::Debug => &[],
    };
    let build = [&["build", "--locked", "--package", "umbel"], profile].concat();
    let program = match built(workplace, &build) {
        Ok(executables) => executables.into_iter().find(|executable| executable.target == "umbel"),
        Err(why) => return Outcome::Failed(why),
    };
    let Some(program) = program else { return Outcome::Failed("Cargo names no program".to_owned()) };
    let path = match workplace.program {
        // Other steps build it again, with other features, in the same place.
        Program::Debug => match copied(&program.path, "umbel") {
            Ok(path) => path,
            Err(error) => return Outcome::Failed(error.to_string()),
        },
        _ => program.path,
    };
    let _ = workplace.made.program.set(path);
    Outcome::Passed
}

fn copied(program: &Path, name: &str) -> std::io::Result<std::path::PathBuf> {
    let copy = std::path::absolute(Path::new("target/xtask").join(name))?;
    if let Some(folder) = copy.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(program, &copy)?;
    Ok(copy)
}

pub(crate) fn dependencies(workplace: &Workplace) -> Outcome {
    match prerequisites::cargo_deny() {
        Ok(deny) => workplace.run(Command::new(deny).args([
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
pub(crate) fn advisories(workplace: &Workplace) -> Outcome {
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
                workplace.say(&said);
                Outcome::Failed(output.status.to_string())
            }
        }
        Err(error) => Outcome::Failed(format!("could not be started: {error}")),
    }
}
