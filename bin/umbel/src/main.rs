//! `umbel`, the one program: servers, administration and a telephone.

mod admin;
mod check;
mod cli;
mod config;
mod control;
mod demo;
mod exit;
mod log;
mod mail;
mod output;
mod phone;
mod progress;
mod refused;
mod runtime;
mod serve;
mod store;
mod tap;
mod tls;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use cli::{Cli, Command};
use exit::{Exit, Failure};

fn main() -> ExitCode {
    let json = std::env::args_os().any(|argument| argument == "--json");
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error, json),
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // A reader that went away needs no explanation.
            if failure.exit != Exit::OutputClosed {
                failure.report(json);
            }
            ExitCode::from(failure.exit as u8)
        }
    }
}

/// Help and version go to standard output with success; everything else is wrong use.
fn misused(error: &clap::Error, json: bool) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match error.print() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::from(Exit::OutputClosed as u8),
        },
        _ if json => {
            Failure::usage(sentence(&error.to_string())).report(true);
            ExitCode::from(Exit::Usage as u8)
        }
        _ => {
            let _ = error.print();
            ExitCode::from(Exit::Usage as u8)
        }
    }
}

/// What is wrong, out of a text that goes on to explain the usage.
fn sentence(text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty() && !line.starts_with("For more")).collect();
    format!("{}; try --help", lines.join(" "))
}

fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "umbel", &mut script);
            output::write(&script)
        }
        Command::Man { directory } => std::fs::create_dir_all(&directory)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), &directory))
            .map_err(|error| exit::at_path("write manual pages into", &directory, &error)),
        Command::Serve(place) => serve::run(&place),
        Command::Demo(options) => demo::run(&options, cli.json),
        Command::Check { place, print_config } => check::run(&place, print_config, cli.json),
        Command::Reload(place) => control::reload(&place, cli.json),
        Command::Phone { command } => phone::run(*command, cli.json),
        Command::Backup(_) | Command::Restore(_) => Err(Failure::not_yet(
            "backups are not in this version; stop the server and copy the data directory, secret.key with it",
        )),
        Command::Import(_) => Err(Failure::not_yet(
            "`umbel import asterisk` is not in this version; users come by `umbel user import FILE.csv`",
        )),
        other => admin::run(other, cli.json),
    }
}
