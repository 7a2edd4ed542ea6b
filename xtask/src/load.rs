//! `cargo xtask load`: builds the program as users do and lets interop's load run measure it.

use std::process::{Command, ExitCode};

use crate::workplace::without_our_own_names;

/// Measures; words are handed on, such as `--rounds 3`.
pub(crate) fn run(words: &[&str]) -> ExitCode {
    let mut command = Command::new(env!("CARGO"));
    command.args([
        "run",
        "--quiet",
        "--release",
        "--locked",
        "--package",
        "umbel-interop",
        "--bin",
        "load",
        "--",
    ]);
    match without_our_own_names(&mut command).args(words).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the load run could not be started: {error}");
            ExitCode::FAILURE
        }
    }
}
