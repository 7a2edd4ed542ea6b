//! `umbel play-on-phone`: has the running server play a message on a telephone, and follows the call.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::cli::Place;
use crate::config::Config;
use crate::control::{Answer, PhoneCall, Request, ask};
use crate::exit::{Exit, Failure};
use crate::{output, runtime};

/// How often it is asked how the call stands.
const ASKED_EVERY: Duration = Duration::from_millis(200);

/// Plays a message on its owner's telephone, or on a number that the owner may call; tells how the call stands
/// until it is over. Interrupted once it hangs up; twice it leaves the call to itself.
pub(super) fn run(place: &Place, message: &str, number: Option<&str>, json: bool) -> Result<(), Failure> {
    let data = Config::at(place)?.data;
    let wanted = Request::PlayOnPhone { message: message.to_owned(), number: number.map(str::to_owned) };
    runtime::run(async {
        let no_signals =
            |error: std::io::Error| Failure::new(Exit::TemporaryFailure, "no-signals", error.to_string());
        let interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
        let mut every = interval(ASKED_EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let call = asked(&data, wanted)?;
        Follower { data: &data, json, interrupt, every, is_interrupted: false, shown: None }
            .follow(call)
            .await
    })
}

/// Who follows a call.
struct Follower<'a> {
    data: &'a Path,
    json: bool,
    interrupt: Signal,
    every: Interval,
    is_interrupted: bool,
    /// How it stood when that was told last.
    shown: Option<Value>,
}

impl Follower<'_> {
    async fn follow(mut self, mut call: PhoneCall) -> Result<(), Failure> {
        loop {
            self.tell(&call)?;
            if call.is_over {
                return if self.is_interrupted { Err(interrupted()) } else { outcome(&call) };
            }
            let (mailbox, id) = (call.mailbox.clone(), call.call.id.clone());
            tokio::select! {
                _ = self.every.tick() => call = asked(self.data, Request::PhoneCall { mailbox, id })?,
                _ = self.interrupt.recv() => {
                    if std::mem::replace(&mut self.is_interrupted, true) {
                        return Err(interrupted());
                    }
                    call = asked(self.data, Request::HangUp { mailbox, id })?;
                }
            }
        }
    }

    /// Tells how the call stands, where that is news.
    fn tell(&mut self, call: &PhoneCall) -> Result<(), Failure> {
        let document = serde_json::to_value(call).unwrap_or_default();
        if self.shown.as_ref() == Some(&document) {
            return Ok(());
        }
        let told = if self.json { output::json(&document) } else { output::line(sentence(call)) };
        self.shown = Some(document);
        told
    }
}

fn asked(data: &Path, request: Request) -> Result<PhoneCall, Failure> {
    match ask(data, request)? {
        Answer::PhoneCall(call) => Ok(call),
        Answer::Refused { message } => Err(Failure::new(Exit::Failed, "refused", message)),
        Answer::Done { .. } => Err(Failure::new(Exit::Failed, "internal", "the server did something else")),
    }
}

fn interrupted() -> Failure {
    Failure::new(Exit::Interrupted, "interrupted", "interrupted")
}

/// The call is over: whether somebody answered it, and if not, why.
fn outcome(call: &PhoneCall) -> Result<(), Failure> {
    use umbel_play_on_phone::EventCause;
    let (code, why) = match call.call.cause {
        EventCause::None => return Ok(()),
        EventCause::UserBusy => ("busy", "the line is busy"),
        EventCause::NoAnswer => ("no-answer", "nobody answered"),
        EventCause::Unavailable => ("unavailable", "there is no such number, or it cannot be reached"),
        EventCause::Other => ("call-failed", "the call failed"),
    };
    Err(Failure::new(Exit::Failed, code, format!("{why}{}", response(call))))
}

fn sentence(call: &PhoneCall) -> String {
    use umbel_play_on_phone::CallState;
    match call.call.state {
        CallState::Connecting => format!("calling for {}", call.mailbox),
        CallState::Alerted => format!("it rings{}", response(call)),
        CallState::Connected => "answered; the message is played".to_owned(),
        CallState::Disconnected => "the call is over".to_owned(),
    }
}

/// What was responded last, as a remark.
fn response(call: &PhoneCall) -> String {
    // SEC-123: the other side wrote it.
    let reason = output::printable(call.call.sip_reason.as_deref().unwrap_or_default());
    call.call.sip_code.map(|code| format!(" ({code} {reason})")).unwrap_or_default()
}
