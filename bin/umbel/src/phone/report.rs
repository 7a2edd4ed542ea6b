//! What the telephone tells: an event a line, for people or as JSON.

use std::cell::RefCell;
use std::io::Write;

use serde::Serialize;

/// One event of a call, by the names that scripts rely on.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event<'a> {
    /// The other side rings.
    Ringing { call_id: &'a str, code: u16, reason: &'a str },
    /// The call is up.
    Answered { call_id: &'a str, code: u16, reason: &'a str, codec: &'a str, encrypted: bool },
    /// The first RTP packet came. No response belongs to it, so code and reason are null.
    PromptStarted { call_id: &'a str, code: Option<u16>, reason: Option<&'a str> },
    /// The keys were pressed; they are not repeated here, since a PIN may be among them.
    Key { call_id: &'a str, code: Option<u16>, reason: Option<&'a str>, pressed: usize },
    /// The call is over.
    Ended { call_id: &'a str, code: u16, reason: &'a str, seconds: f64 },
}

/// Where events go.
pub(crate) struct Reporter {
    json: bool,
    /// Set once standard output turned out to be closed.
    closed: RefCell<bool>,
}

impl Reporter {
    pub(crate) fn new(json: bool) -> Self {
        Reporter { json, closed: RefCell::new(false) }
    }

    /// Whether the reader of our events is gone.
    pub(crate) fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    pub(crate) fn tell(&self, event: &Event<'_>) {
        let line = if self.json { serde_json::to_string(event).unwrap_or_default() } else { sentence(event) };
        let mut out = std::io::stdout().lock();
        if out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush()).is_err() {
            *self.closed.borrow_mut() = true;
        }
    }
}

fn sentence(event: &Event<'_>) -> String {
    match event {
        Event::Ringing { code, reason, .. } => format!("ringing ({code} {reason})"),
        Event::Answered { codec, encrypted, call_id, .. } => {
            format!("answered: {codec}{}, Call-ID {call_id}", if *encrypted { " over SRTP" } else { "" })
        }
        Event::PromptStarted { .. } => "hearing something".to_owned(),
        Event::Key { pressed, .. } => format!("pressed {pressed} keys"),
        Event::Ended { code, reason, seconds, .. } => format!("ended after {seconds:.1} s: {code} {reason}"),
    }
}
