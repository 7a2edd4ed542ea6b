//! What a step works with: the commands it runs and where they write, what is built for it, which others run.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;
use std::{env, io};

use crate::executables::Executable;
use crate::lanes::Lane;
use crate::prerequisites::on_path;
use crate::processes::{self, Ended};
use crate::steps::{Outcome, Step};

/// Where the steps write what they have to say.
pub(crate) const LOGS: &str = "target/xtask";

/// Which build of the program the suites of other people's programs run.
pub(crate) enum Program {
    /// The release build, as users make it.
    Release,
    /// The debug build: soon made, for a look at a change.
    Debug,
    /// One that is there already, by `UMBEL_BINARY`.
    Named(PathBuf),
}

impl Program {
    pub(crate) fn chosen(is_debug: bool) -> Program {
        match (env::var_os("UMBEL_BINARY"), is_debug) {
            (_, true) => Program::Debug,
            (Some(named), false) => Program::Named(named.into()),
            (None, false) => Program::Release,
        }
    }
}

/// What steps have made for those after them.
#[derive(Default)]
pub(crate) struct Made {
    pub(crate) tests: OnceLock<Vec<Executable>>,
    pub(crate) program: OnceLock<PathBuf>,
}

/// Where one step works.
pub(crate) struct Workplace<'a> {
    /// Nothing: the terminal.
    log: Option<PathBuf>,
    steps: &'a [&'static Step],
    pub(crate) made: &'a Made,
    pub(crate) program: &'a Program,
    gives_way: bool,
    longest: Duration,
}

impl<'a> Workplace<'a> {
    pub(crate) fn new(
        step: &Step,
        steps: &'a [&'static Step],
        made: &'a Made,
        program: &'a Program,
        is_alone: bool,
        gives_way: bool,
    ) -> Self {
        let log = (!is_alone).then(|| Path::new(LOGS).join(format!("{}.log", step.name)));
        if let Some(log) = &log {
            let _ = fs::create_dir_all(LOGS);
            let _ = fs::remove_file(log);
        }
        let longest = if step.lane == Lane::Compiler { processes::LONGEST_BUILD } else { processes::LONGEST };
        Workplace { log, steps, made, program, gives_way, longest }
    }

    /// Whether a step of this name runs too.
    pub(crate) fn has_step(&self, name: &str) -> bool {
        self.steps.iter().any(|step| step.name == name)
    }

    /// Cargo with these arguments.
    pub(crate) fn cargo<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = if self.gives_way && on_path("nice").is_some() {
            let mut nice = Command::new("nice");
            nice.args(["-n", "15", env!("CARGO")]);
            nice
        } else {
            Command::new(env!("CARGO"))
        };
        without_our_own_names(command.args(arguments));
        command
    }

    /// Runs it to its end, or until it has taken too long.
    pub(crate) fn run(&self, command: &mut Command) -> Outcome {
        match self.writes(command).and_then(processes::start).and_then(|it| it.ended_within(self.longest)) {
            Ok(Ended { status, left }) => {
                if !left.is_empty() {
                    self.say(&format!("left behind: {}", left.join("; ")));
                }
                match status {
                    Some(status) if status.success() => Outcome::Passed,
                    Some(status) => Outcome::Failed(status.to_string()),
                    None => Outcome::Failed("it did not come to an end".to_owned()),
                }
            }
            Err(error) => Outcome::Failed(format!("could not be started: {error}")),
        }
    }

    /// Runs it to its end; gives what it wrote to its standard output.
    pub(crate) fn output(&self, command: &mut Command) -> Result<String, String> {
        let command = self.writes(command).map_err(|error| error.to_string())?;
        let output =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().and_then(|it| it.wait_with_output());
        let output = output.map_err(|error| format!("could not be started: {error}"))?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(output.status.to_string()),
        }
    }

    /// Says something where the step's commands write.
    pub(crate) fn say(&self, text: &str) {
        let said = match self.file() {
            Ok(Some(mut file)) => io::Write::write_all(&mut file, text.as_bytes()),
            _ => {
                println!("{text}");
                Ok(())
            }
        };
        if let Err(error) = said {
            eprintln!("{error}: {text}");
        }
    }

    /// What was written, if not to the terminal.
    pub(crate) fn written(&self) -> String {
        let log = self.log.as_ref().and_then(|log| fs::read(log).ok());
        String::from_utf8_lossy(&log.unwrap_or_default()).into_owned()
    }

    fn writes<'c>(&self, command: &'c mut Command) -> io::Result<&'c mut Command> {
        if let Some(file) = self.file()? {
            command.stderr(file.try_clone()?).stdout(file);
        }
        Ok(command)
    }

    fn file(&self) -> io::Result<Option<File>> {
        self.log.as_ref().map(|log| File::options().create(true).append(true).open(log)).transpose()
    }
}

/// Takes away what Cargo told this process about its own package. A build script that looks at it (ring's) would
/// run again, and all that stands on it be built again, whenever another package asks for a build.
pub(crate) fn without_our_own_names(command: &mut Command) -> &mut Command {
    const OWN: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_NAME", "CARGO_CRATE_NAME"];
    for (name, _) in env::vars_os() {
        if OWN.iter().any(|own| name.to_string_lossy().starts_with(own)) {
            command.env_remove(&name);
        }
    }
    command
}
