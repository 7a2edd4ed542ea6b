//! `umbel phone`, the protocol client: a telephone for people, scripts and tests.
//!
//! The telephone itself is the crate `umbel_phone`; here is what makes a program of it: the command line
//! (`options`), what one run is to achieve (`errand`) and what is done in its calls (`script`), the event loop,
//! what is told of it all (`report`, `verdict`), what a
//! person sees of it and types (`face`, `terminal`), and says and hears (`card`). `directed` is a telephone for
//! `umbel demo`.

#[cfg_attr(not(feature = "audio"), path = "no_card.rs")]
mod card;
mod check;
mod directed;
mod errand;
mod event_loop;
mod face;
mod keys;
mod options;
mod report;
mod script;
mod server;
mod sound;
mod terminal;
mod verdict;

pub(crate) use directed::{Duty, Handset, Told, Want};

use crate::cli::PhoneCommand;
use crate::exit::Failure;
use errand::Goal;

/// Runs one of the telephone's commands.
pub(crate) fn run(command: PhoneCommand, json: bool) -> Result<(), Failure> {
    let mut job = match command {
        PhoneCommand::Check { options, direct, rows } => {
            return check::run(&options, &direct, &rows, json);
        }
        PhoneCommand::Voicemail { options, no_skip_pin } => {
            // [MS-OCEXUM] 2.2.1: who has a password shows it to the server before asking to skip the PIN.
            let registers = options.secrets.password_file.is_some();
            options::job(&options, json, Goal::VoiceMail { skip_pin: !no_skip_pin, registers })?
        }
        PhoneCommand::Call { options, target, subject, priority, headers } => {
            let target = options::callee(&target, options::owner(&options)?.host())?;
            let headers = options::headers(subject, priority.as_deref(), &headers)?;
            options::job(&options, json, Goal::Call { target, headers, registers: false })?
        }
        PhoneCommand::Answer { options, answer, within } => {
            let terminal = terminal(json);
            let (answering, wanted) = options::answering(&answer, true, terminal.is_some())?;
            let within = options::within(within.as_deref())?;
            let mut job = options::job(&options, json, Goal::Answer { within, answering: wanted })?;
            job.terminal = terminal;
            job.telephone.answering = answering;
            job.telephone.appear_offline = answer.appear_offline;
            return event_loop::run(job);
        }
        PhoneCommand::MessageWaiting { mut options } => {
            let stay = options::time(options.for_time.take().as_deref(), "--for")?;
            options::job(&options, json, Goal::MessageWaiting { stay })?
        }
        PhoneCommand::Register { mut options, answer } => {
            let (answering, _) = options::answering(&answer, false, false)?;
            // Here `--for` is how long to be registered, not how long a call may last.
            let stay = options::time(options.for_time.take().as_deref(), "--for")?;
            let mut job = options::job(&options, json, Goal::Register { stay })?;
            job.telephone.answering = answering;
            job.telephone.appear_offline = answer.appear_offline;
            job
        }
    };
    job.terminal = terminal(json);
    event_loop::run(job)
}

/// The terminal of a person who looks on.
fn terminal(json: bool) -> Option<terminal::Terminal> {
    if json { None } else { terminal::Terminal::take() }
}
