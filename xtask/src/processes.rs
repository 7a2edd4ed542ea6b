//! A command that is waited for, but not for ever, and what it leaves behind.

use std::io::{self, IsTerminal};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// No test and no suite takes as long, on whatever machine.
pub(crate) const LONGEST: Duration = Duration::from_secs(40 * 60);
/// Nor does a compiler that gives way to them.
pub(crate) const LONGEST_BUILD: Duration = Duration::from_secs(3 * 3_600);
/// What a command started is given so long to end after it: a server lets its calls go on for a minute.
const LEAVING: Duration = Duration::from_secs(90);
/// How often is looked.
const EVERY: Duration = Duration::from_millis(100);

/// A running command.
pub(crate) struct Running {
    child: Child,
    /// Whether its process begins a group of its own.
    has_group: bool,
}

/// How it ended.
pub(crate) struct Ended {
    /// `None`: it took too long and was ended.
    pub(crate) status: Option<ExitStatus>,
    /// What it started and left running, which was ended.
    pub(crate) left: Vec<String>,
}

/// Starts a command with nothing to read.
pub(crate) fn start(command: &mut Command) -> io::Result<Running> {
    // At a terminal, Ctrl-C is for all of them together.
    let has_group = !io::stdin().is_terminal();
    if has_group {
        command.process_group(0);
    }
    Ok(Running { child: command.stdin(Stdio::null()).spawn()?, has_group })
}

impl Running {
    /// Waits for its end, or ends it when it has taken so long.
    pub(crate) fn ended_within(mut self, longest: Duration) -> io::Result<Ended> {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break Some(status);
            }
            if begun.elapsed() >= longest {
                self.end_group();
                self.child.kill()?;
                self.child.wait()?;
                break None;
            }
            std::thread::sleep(EVERY);
        };
        let leaving = Instant::now();
        let mut left = self.group();
        while status.is_some() && !left.is_empty() && leaving.elapsed() < LEAVING {
            std::thread::sleep(EVERY);
            left = self.group();
        }
        if !left.is_empty() {
            self.end_group();
        }
        Ok(Ended { status, left })
    }

    /// The commands of its group that run, where the system tells.
    fn group(&self) -> Vec<String> {
        let entries = std::fs::read_dir("/proc").ok().filter(|_| self.has_group);
        let processes = entries.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
        let ours = processes.filter(|process| {
            let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
            is_running_in(&stat, self.child.id())
        });
        ours.map(|process| {
            let command = std::fs::read(process.join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&command).replace('\0', " ").trim().to_owned()
        })
        .collect()
    }

    fn end_group(&self) {
        if self.has_group {
            let group = format!("-{}", self.child.id());
            let _ = Command::new("kill").args(["-s", "KILL", "--", &group]).stderr(Stdio::null()).status();
        }
    }
}

/// Whether a process is of this group and has not ended, by what the system tells of it: proc_pid_stat(5).
fn is_running_in(stat: &str, group: u32) -> bool {
    // The name is in brackets, and may have any letters.
    let mut fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ');
    let (state, of) = (fields.next(), fields.nth(1));
    !matches!(state, None | Some("Z" | "X")) && of == Some(group.to_string().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Running {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::null()).process_group(0);
        let child = command.stdin(Stdio::null()).spawn().expect("there is a shell");
        Running { child, has_group: true }
    }

    #[test]
    fn a_command_that_ends_is_told_by_its_status() {
        let ended = shell("exit 3").ended_within(LONGEST).expect("it is waited for");
        assert_eq!(ended.status.and_then(|status| status.code()), Some(3));
        assert!(ended.left.is_empty());
    }

    #[test]
    fn a_command_that_does_not_end_is_ended_with_all_that_it_started() {
        let running = shell("sleep 1000 & sleep 1000");
        let group = running.child.id();
        let ended = running.ended_within(Duration::from_millis(200)).expect("it is waited for");
        assert!(ended.status.is_none());
        let is_left = || {
            let processes = std::fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
            let mut stats =
                processes.filter_map(|process| std::fs::read_to_string(process.path().join("stat")).ok());
            stats.any(|stat| is_running_in(&stat, group))
        };
        let begun = Instant::now();
        while is_left() {
            assert!(begun.elapsed() < Duration::from_secs(60), "something runs on");
            std::thread::sleep(EVERY);
        }
    }

    #[test]
    fn of_what_the_system_tells_state_and_group_are_read() {
        assert!(is_running_in("12 (a) b) (c) S 1 77 77 0 -1", 77));
        assert!(!is_running_in("12 (a) b) (c) Z 1 77 77 0 -1", 77));
        assert!(!is_running_in("12 (77) S 1 12 77 0 -1", 77));
        assert!(!is_running_in("", 77));
    }
}
