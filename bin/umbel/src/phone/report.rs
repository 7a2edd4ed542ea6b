//! What the telephone tells: an event a line, for people or as JSON.

use std::cell::Cell;
use std::io::Write;

use serde::Serialize;
use umbel_media::Event as Sound;
use umbel_phone::{Ended, How, Incoming, Kind, MessageWaiting, News, Progress, Registration, meaning};
use umbel_sip_message::StatusCode;

/// One event, by the names that scripts rely on. Each has a Call-ID, a code and a reason; the latter two are
/// null where no response belongs to it.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Event<'a> {
    /// The server has our registration.
    Registered { call_id: &'a str, code: u16, reason: &'a str, expires_seconds: u64, authenticated: bool },
    /// It has none any more: withdrawn, refused, or lost and tried again.
    Unregistered { call_id: &'a str, code: Option<u16>, reason: &'a str },
    /// It rings: there, or here.
    Ringing {
        call_id: &'a str,
        code: u16,
        reason: &'a str,
        direction: Direction,
        #[serde(flatten)]
        caller: Option<Caller<'a>>,
    },
    /// The call is up.
    Answered {
        call_id: &'a str,
        code: u16,
        reason: &'a str,
        codec: &'a str,
        encrypted: bool,
        automatic: bool,
        takes_keys: bool,
    },
    /// Whom we call is to be found elsewhere, and is called there.
    Redirected { call_id: &'a str, code: u16, reason: &'a str, to: &'a str },
    /// The other side put us on hold, or goes on.
    Held { call_id: &'a str, code: Option<u16>, reason: Option<&'a str>, held: bool },
    /// The other side sends us on: another call begins.
    Transferred { call_id: &'a str, code: Option<u16>, reason: Option<&'a str>, to: &'a str },
    /// Somebody takes the other side's place: another call begins.
    Replaced { call_id: &'a str, code: Option<u16>, reason: Option<&'a str>, by: &'a str },
    /// The first RTP packet came.
    PromptStarted { call_id: &'a str, code: Option<u16>, reason: Option<&'a str> },
    /// Keys: `pressed` counts ours, which are not repeated here, since a PIN may be among them; `key` is one
    /// that the other side pressed.
    Key {
        call_id: &'a str,
        code: Option<u16>,
        reason: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pressed: Option<usize>,
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<char>,
    },
    /// What waits in the mailbox; all null where that is not known.
    MessageWaiting {
        call_id: &'a str,
        code: Option<u16>,
        reason: Option<&'a str>,
        /// The lamp.
        waiting: Option<bool>,
        new: Option<u32>,
        old: Option<u32>,
        urgent_new: Option<u32>,
        urgent_old: Option<u32>,
        /// Whom the message key calls.
        account: Option<String>,
        /// Whether we had asked.
        subscribed: bool,
    },
    /// The call is over.
    Ended {
        call_id: &'a str,
        code: u16,
        reason: String,
        direction: Direction,
        seconds: f64,
        /// Whether it belongs to the missed calls.
        missed: bool,
        /// The ErrorId of ms-diagnostics, where a server sent one.
        error_id: Option<u32>,
    },
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Direction {
    Incoming,
    Outgoing,
}

/// Who calls, and why.
#[derive(Debug, Serialize)]
struct Caller<'a> {
    from: &'a str,
    from_name: Option<&'a str>,
    play_on_phone: bool,
    automatic: bool,
    subject: Option<&'a str>,
    priority: Option<&'a str>,
}

impl<'a> Caller<'a> {
    fn of(incoming: &'a Incoming) -> Self {
        Caller {
            from: incoming.caller.as_str(),
            from_name: incoming.caller_name.as_deref(),
            play_on_phone: incoming.kind == Kind::PlayOnPhone,
            automatic: incoming.automatic,
            subject: incoming.subject.as_deref(),
            priority: incoming.priority.as_deref(),
        }
    }
}

/// Where events go.
pub(super) struct Reporter {
    json: bool,
    silent: bool,
    /// Whether a person types keys, which are seen on the line.
    typed: bool,
    /// Set once standard output turned out to be closed.
    closed: Cell<bool>,
}

impl Reporter {
    pub(super) fn new(json: bool, typed: bool) -> Self {
        Reporter { json, silent: false, typed, closed: Cell::new(false) }
    }

    /// One that tells nothing.
    pub(super) fn silent() -> Self {
        Reporter { json: false, silent: true, typed: false, closed: Cell::new(false) }
    }

    /// Whether the reader of our events is gone.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Tells what is worth a line. `keys` is how many keys the script presses.
    pub(super) fn tell(&self, news: &News, keys: usize) {
        let Some(event) = event(news, keys).filter(|_| !self.silent) else { return };
        if self.typed && matches!(event, Event::Key { pressed: Some(_), .. }) {
            return;
        }
        let line =
            if self.json { serde_json::to_string(&event).unwrap_or_default() } else { sentence(&event) };
        let mut out = std::io::stdout().lock();
        if out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush()).is_err() {
            self.closed.set(true);
        }
    }
}

fn event(news: &News, keys: usize) -> Option<Event<'_>> {
    match news {
        News::Registration { call_id, change } => Some(registration(call_id, *change)),
        News::Call { call_id, change, .. } => call(call_id, change, keys),
        News::MessageWaiting { call_id, change } => Some(message_waiting(call_id, change)),
    }
}

fn message_waiting<'a>(call_id: &'a str, change: &'a MessageWaiting) -> Event<'a> {
    let (summary, subscribed) = match change {
        MessageWaiting::Summary { summary, subscribed } => (Some(summary), *subscribed),
        MessageWaiting::Lost | MessageWaiting::Refused(_) | MessageWaiting::Ended => (None, false),
    };
    let (code, reason) = match change {
        MessageWaiting::Summary { .. } => (None, None),
        MessageWaiting::Lost => (None, Some("the subscription is lost; trying again")),
        MessageWaiting::Refused(status) => (Some(status.as_u16()), Some(status.reason())),
        MessageWaiting::Ended => (None, Some("the subscription has ended")),
    };
    let counts = summary.and_then(|summary| summary.voice);
    Event::MessageWaiting {
        call_id,
        code,
        reason,
        waiting: summary.map(|summary| summary.waiting),
        new: counts.map(|counts| counts.new),
        old: counts.map(|counts| counts.old),
        urgent_new: counts.map(|counts| counts.urgent_new),
        urgent_old: counts.map(|counts| counts.urgent_old),
        account: summary.and_then(|summary| summary.account.as_ref()).map(ToString::to_string),
        subscribed,
    }
}

fn registration(call_id: &str, change: Registration) -> Event<'_> {
    match change {
        Registration::Registered { expires, authenticated } => Event::Registered {
            call_id,
            code: StatusCode::OK.as_u16(),
            reason: StatusCode::OK.reason(),
            expires_seconds: expires.as_secs(),
            authenticated,
        },
        Registration::Lost { status: None } => {
            Event::Unregistered { call_id, code: None, reason: "the server cannot be reached" }
        }
        Registration::Lost { status: Some(StatusCode::OK) } => Event::Unregistered {
            call_id,
            code: Some(StatusCode::OK.as_u16()),
            reason: "the server keeps no registration of ours",
        },
        Registration::Lost { status: Some(status) } => {
            Event::Unregistered { call_id, code: Some(status.as_u16()), reason: status.reason() }
        }
        Registration::Refused(status) => {
            Event::Unregistered { call_id, code: Some(status.as_u16()), reason: status.reason() }
        }
        Registration::Withdrawn => Event::Unregistered { call_id, code: None, reason: "withdrawn" },
    }
}

fn call<'a>(call_id: &'a str, change: &'a Progress, keys: usize) -> Option<Event<'a>> {
    let (code, reason) = (None, None);
    Some(match change {
        Progress::Ringing { status } => Event::Ringing {
            call_id,
            code: status.as_u16(),
            reason: status.reason(),
            direction: Direction::Outgoing,
            caller: None,
        },
        Progress::Invited(incoming) => Event::Ringing {
            call_id,
            code: StatusCode::RINGING.as_u16(),
            reason: StatusCode::RINGING.reason(),
            direction: Direction::Incoming,
            caller: Some(Caller::of(incoming)),
        },
        Progress::Answered(answered) => Event::Answered {
            call_id,
            code: answered.status.as_u16(),
            reason: answered.status.reason(),
            codec: codec_name(answered.codec),
            encrypted: answered.encrypted,
            automatic: answered.automatic,
            takes_keys: answered.takes_keys,
        },
        Progress::Redirected { status, to } => {
            Event::Redirected { call_id, code: status.as_u16(), reason: status.reason(), to: to.as_str() }
        }
        Progress::Held { held } => Event::Held { call_id, code, reason, held: *held },
        Progress::Transferred { to, .. } => Event::Transferred { call_id, code, reason, to: to.as_str() },
        Progress::Replaced { by, .. } => Event::Replaced { call_id, code, reason, by: by.caller.as_str() },
        Progress::Sound(Sound::FirstPacketReceived) => Event::PromptStarted { call_id, code, reason },
        Progress::Sound(Sound::DigitsSent) => {
            Event::Key { call_id, code, reason, pressed: Some(keys), key: None }
        }
        Progress::Sound(Sound::Digit(digit)) => {
            Event::Key { call_id, code, reason, pressed: None, key: Some(digit.as_char()) }
        }
        Progress::Sound(_) => return None,
        Progress::Ended(ended) => {
            let (code, reason) = ending(ended);
            Event::Ended {
                call_id,
                code,
                reason,
                direction: if ended.incoming.is_some() { Direction::Incoming } else { Direction::Outgoing },
                seconds: ended.lasted.unwrap_or_default().as_secs_f64(),
                missed: ended.missed,
                error_id: match &ended.how {
                    How::Refused { error_id, .. } => *error_id,
                    _ => None,
                },
            }
        }
    })
}

/// The response that ended a call, or the one that would say the same.
fn ending(ended: &Ended) -> (u16, String) {
    match &ended.how {
        How::ByPeer => (200, "the other side hung up".to_owned()),
        How::ByUs => (200, "hung up".to_owned()),
        How::RefusedByUs(status) => (status.as_u16(), status.reason().to_owned()),
        How::Cancelled => (487, "the caller gave up".to_owned()),
        How::CompletedElsewhere => (487, "answered elsewhere".to_owned()),
        How::Refused { status, reason, .. } => (status.as_u16(), reason.clone()),
        How::NoSession { status, why } => (status.as_u16(), why.clone()),
        // Who calls us hears 480.
        How::NoAnswer if ended.incoming.is_some() => (480, "nobody answered".to_owned()),
        How::NoAnswer => (408, "nobody answered".to_owned()),
        How::Lost if ended.lasted.is_none() => (408, "there was no response in time".to_owned()),
        How::Lost => (408, "the other side fell silent".to_owned()),
        How::NoConnection => (503, "the connection failed".to_owned()),
        How::NoRoom => (503, "no ports for the sound".to_owned()),
    }
}

fn sentence(event: &Event<'_>) -> String {
    match event {
        Event::Registered { expires_seconds, authenticated, .. } => {
            let how = if *authenticated { "by password" } else { "without being asked for a password" };
            format!("registered {how}, for {expires_seconds} s")
        }
        Event::Unregistered { code: Some(code), reason, .. } => format!("not registered: {code} {reason}"),
        Event::Unregistered { code: None, reason, .. } => format!("not registered: {reason}"),
        Event::Ringing { caller: None, code, reason, .. } => {
            format!("{} ({code} {reason})", on_the_way(*code))
        }
        Event::Ringing { caller: Some(caller), call_id, .. } => incoming(caller, call_id),
        Event::Answered { codec, encrypted, call_id, automatic, .. } => format!(
            "answered{}: {codec}{}, Call-ID {call_id}",
            if *automatic { " by an automatic system" } else { "" },
            if *encrypted { " over SRTP" } else { "" }
        ),
        Event::Redirected { to, code, reason, .. } => format!("to be found at {to} ({code} {reason})"),
        Event::Held { held: true, .. } => "on hold".to_owned(),
        Event::Held { held: false, .. } => "no longer on hold".to_owned(),
        Event::Transferred { to, .. } => format!("sent on to {to}"),
        Event::Replaced { by, .. } => format!("{by} takes over"),
        Event::PromptStarted { .. } => "hearing something".to_owned(),
        Event::Key { pressed: Some(pressed), .. } => format!("pressed {pressed} keys"),
        Event::Key { key, .. } => format!("the other side pressed {}", key.unwrap_or(' ')),
        Event::MessageWaiting { waiting: Some(waiting), new, old, urgent_new, .. } => {
            let lamp = if *waiting { "the lamp is on" } else { "the lamp is off" };
            let counts = new.zip(*old).map(|(new, old)| format!(": {new} new, {old} old messages"));
            let urgent = urgent_new.filter(|urgent| *urgent > 0).map(|urgent| format!(", {urgent} urgent"));
            format!("{lamp}{}{}", counts.unwrap_or_default(), urgent.unwrap_or_default())
        }
        Event::MessageWaiting { reason, .. } => {
            format!("what waits in the mailbox is not known: {}", reason.unwrap_or_default())
        }
        Event::Ended { code, reason, seconds, missed, error_id, .. } => {
            let missed = if *missed { ", missed" } else { "" };
            let meaning = error_id.map(|id| format!(" ({})", meaning(id))).unwrap_or_default();
            format!("ended after {seconds:.1} s{missed}: {code} {reason}{meaning}")
        }
    }
}

/// What a provisional response says (RFC 3261 21.1). To scripts all of them are `ringing`, with the code beside it.
fn on_the_way(code: u16) -> &'static str {
    match code {
        181 => "being sent on",
        182 => "waiting in a queue",
        180 => "ringing",
        _ => "under way",
    }
}

fn incoming(caller: &Caller<'_>, call_id: &str) -> String {
    // POP-12: "Show the call as voice mail playback".
    if caller.play_on_phone {
        return format!("voice mail playback is calling, Call-ID {call_id}");
    }
    let name = caller.from_name.map(|name| format!("{name} ")).unwrap_or_default();
    let urgent = caller.priority.map(|word| format!(", {word}")).unwrap_or_default();
    let subject = caller.subject.map(|text| format!(", about: {text}")).unwrap_or_default();
    let automatic = if caller.automatic { ", an automatic system" } else { "" };
    format!("{name}<{}> is calling{automatic}{urgent}{subject}, Call-ID {call_id}", caller.from)
}

pub(super) const fn codec_name(codec: umbel_media::Codec) -> &'static str {
    match codec {
        umbel_media::Codec::Pcmu => "PCMU",
        umbel_media::Codec::Pcma => "PCMA",
        umbel_media::Codec::G722 => "G722",
        #[cfg(feature = "opus")]
        umbel_media::Codec::Opus => "opus",
    }
}
