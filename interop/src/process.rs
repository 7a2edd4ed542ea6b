//! A program that a test started: its output in a file, its end certain.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// Lines of a log that are shown when a test fails.
const TAIL: usize = 30;

/// A running program; killed when dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts `command` with both its outputs in the file `log`.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        Program::start_from(command, log, Stdio::null())
    }

    /// The same for a program that reads what it is to do from its standard input.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start_with_input(command: &mut Command, log: &Path) -> (Self, ChildStdin) {
        let mut program = Program::start_from(command, log, Stdio::piped());
        let input = program.child.stdin.take().expect("it was piped");
        (program, input)
    }

    fn start_from(command: &mut Command, log: &Path, input: Stdio) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let file = File::options().create(true).append(true).open(log).expect("the log can be written");
        let both = file.try_clone().expect("a file has two handles");
        let child = command
            .stdin(input)
            .stdout(file)
            .stderr(both)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
        Program { name, child, log: log.to_owned() }
    }

    /// What it has written so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its end, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be asked")
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// When it has not ended in time, with the end of its log.
    pub fn wait(&mut self, within: Duration) -> ExitStatus {
        let deadline = std::time::Instant::now() + within;
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            if std::time::Instant::now() > deadline {
                panic!("{} still runs after {within:?}; it wrote\n{}", self.name, self.tail());
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Asks it to end (SIGTERM) and waits for that.
    pub fn terminate(&mut self, within: Duration) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait(within)
    }

    /// The same where nobody is to hear of a failure: while dropping.
    pub(crate) fn end(&mut self, within: Duration) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        self.signal(Signal::TERM);
        let deadline = std::time::Instant::now() + within;
        while matches!(self.child.try_wait(), Ok(None)) && std::time::Instant::now() < deadline {
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Takes it away without a word (SIGKILL).
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        let status = self.wait(Duration::from_secs(60));
        assert_eq!(status.signal(), Some(9), "{} was killed, and ended as {status}", self.name);
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(id, signal).expect("a child can be signalled");
    }

    /// The last lines of its log, for the message of a panic.
    pub fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let tail = self.tail();
            // Shown by the test harness beside the panic.
            #[expect(clippy::print_stderr, reason = "a failed test shows what the program said")]
            {
                eprintln!("── {} ──\n{tail}", self.name);
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
