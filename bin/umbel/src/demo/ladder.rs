//! Who sent what to whom, as a picture: lifelines side by side, a line a message.
//!
//! Made of what went over the wires and of nothing else. What would only repeat itself (100, ACK, challenges of
//! other requests than INVITE, registrations) is counted, and the count is told.

use std::collections::BTreeMap;

use bytes::Bytes;
use umbel_sip_message::{HeaderName, Message, Method, Request, Response, StatusCode, UriRef};
use umbel_time::Instant;

use crate::tap::{Seen, What};

/// Characters from one lifeline to the next.
const APART: usize = 12;
/// The first lifeline's place on a line.
const FIRST: usize = 12;
/// Characters of a line.
const WIDTH: usize = 100;
/// Header fields that are shown below the start line of an INVITE.
const SHOWN: [HeaderName; 3] =
    [HeaderName::MsExchangeCommand, HeaderName::MsSensitivity, HeaderName::Diversion];

/// A lifeline: an element's name on the wires, and what people call it.
pub(super) type Lifeline = (&'static str, &'static str);

/// A picture that grows.
pub(super) struct Ladder {
    lifelines: Vec<Lifeline>,
    begin: Instant,
    /// What is not shown, by what it is.
    left_out: BTreeMap<String, usize>,
}

/// One line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rung {
    /// Since the ladder began.
    pub(super) millis: u128,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) is_sound: bool,
    pub(super) label: String,
    /// Header fields, and what a NOTIFY says.
    pub(super) remarks: Vec<String>,
}

impl Ladder {
    pub(super) fn new(lifelines: &[Lifeline], begin: Instant) -> Self {
        Ladder { lifelines: lifelines.to_vec(), begin, left_out: BTreeMap::new() }
    }

    /// Something more went over the wires: its line, where it has one.
    pub(super) fn rung(&mut self, seen: &Seen) -> Option<Rung> {
        let rung = |is_sound, label, remarks| Rung {
            millis: seen.at.since(self.begin).as_millis(),
            from: seen.from.clone(),
            to: seen.to.clone(),
            is_sound,
            label,
            remarks,
        };
        match &seen.what {
            What::Sound(words) => Some(rung(true, words.clone(), Vec::new())),
            What::Web(words) => Some(rung(false, words.clone(), Vec::new())),
            What::Message { bytes, .. } => match label(bytes) {
                Label::Shown(label, remarks) => Some(rung(false, label, remarks)),
                Label::LeftOut(name) => {
                    *self.left_out.entry(name).or_default() += 1;
                    None
                }
            },
        }
    }

    /// The names above the lifelines, and their beginnings.
    pub(super) fn head(&self) -> Vec<String> {
        let mut names = String::new();
        for (number, (_, name)) in self.lifelines.iter().enumerate() {
            let middle = FIRST + number * APART;
            let start = middle.saturating_sub(name.chars().count() / 2);
            names.extend(std::iter::repeat_n(' ', start.saturating_sub(names.chars().count())));
            names.push_str(name);
        }
        vec![names, self.row(None, "", "")]
    }

    /// The lines of a rung.
    pub(super) fn draw(&self, rung: &Rung) -> Vec<String> {
        let seconds = rung.millis / 1_000;
        let time = format!("{seconds:>4}.{:03}", rung.millis % 1_000);
        let place = |name: &str| self.lifelines.iter().position(|(known, _)| *known == name);
        let (label, way) = match (place(&rung.from), place(&rung.to)) {
            (Some(from), Some(to)) if from != to => (rung.label.clone(), Some((from, to, rung.is_sound))),
            _ => (format!("{} to {}: {}", rung.from, rung.to, rung.label), None),
        };
        let first = self.row(way, &time, &label);
        let remarks = rung.remarks.iter().map(|remark| self.row(None, "", &format!("  {remark}")));
        std::iter::once(first).chain(remarks).collect()
    }

    /// What was left out, in words.
    pub(super) fn left_out(&self) -> Option<String> {
        let count: usize = self.left_out.values().sum();
        let names: Vec<&str> = self.left_out.keys().map(String::as_str).collect();
        (count > 0).then(|| format!("and {count} more: {}", names.join(", ")))
    }

    fn row(&self, way: Option<(usize, usize, bool)>, time: &str, label: &str) -> String {
        let count = self.lifelines.len();
        let width = FIRST + (count.max(1) - 1) * APART + 1;
        let mut row: Vec<char> = vec![' '; width];
        for number in 0..count {
            row[FIRST + number * APART] = '│';
        }
        if let Some((from, to, is_sound)) = way {
            let (left, right) = (FIRST + from.min(to) * APART, FIRST + from.max(to) * APART);
            let [line, start, crossing, end] =
                if is_sound { ['═', '╞', '╪', '╡'] } else { ['─', '├', '┼', '┤'] };
            for (at, cell) in row.iter_mut().enumerate().take(right).skip(left + 1) {
                *cell = if (at - FIRST).is_multiple_of(APART) { crossing } else { line };
            }
            match from < to {
                true => (row[left], row[right - 1]) = (start, '▶'),
                false => (row[right], row[left + 1]) = (end, '◀'),
            }
        }
        for (cell, character) in row.iter_mut().zip(time.chars()) {
            *cell = character;
        }
        let room = WIDTH.saturating_sub(width + 2);
        let text = row.into_iter().collect::<String>() + "  " + &cut(label, room);
        text.trim_end().to_owned()
    }
}

fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

enum Label {
    Shown(String, Vec<String>),
    LeftOut(String),
}

fn label(bytes: &Bytes) -> Label {
    match umbel_sip_message::parse(bytes.clone()) {
        Ok(Message::Request(request)) => request_label(&request),
        Ok(Message::Response(response)) => response_label(&response),
        // A sign of life between messages.
        Err(_) => Label::LeftOut("keep-alive".to_owned()),
    }
}

fn request_label(request: &Request) -> Label {
    let method = request.method();
    let begins = request.headers().to().tag().is_none();
    match method {
        Method::Invite if begins => {
            let field = |name: &HeaderName| {
                let value = request.headers().get(name)?;
                Some(format!("{name}: {}", plain(&String::from_utf8_lossy(&value))))
            };
            let label = format!("INVITE {}", target(&request.request_uri()));
            Label::Shown(label, SHOWN.iter().filter_map(field).collect())
        }
        Method::Cancel | Method::Bye => Label::Shown(method.to_string(), Vec::new()),
        Method::Notify => {
            let body = String::from_utf8_lossy(request.body()).into_owned();
            let said = body.lines().find(|line| line.to_ascii_lowercase().starts_with("messages-waiting"));
            match said {
                Some(line) => Label::Shown(format!("NOTIFY  {}", line.trim()), Vec::new()),
                None => Label::LeftOut("NOTIFY".to_owned()),
            }
        }
        other => Label::LeftOut(other.to_string()),
    }
}

fn response_label(response: &Response) -> Label {
    let status = response.status();
    let shown = format!("{} {}", status.as_u16(), String::from_utf8_lossy(response.reason()));
    match response.headers().method() {
        Method::Invite if status != StatusCode::TRYING => Label::Shown(shown, Vec::new()),
        Method::Invite => Label::LeftOut("100".to_owned()),
        method => Label::LeftOut(format!("{} to {method}", status.as_u16())),
    }
}

/// A name-addr without its brackets and its scheme.
fn plain(value: &str) -> String {
    value.replace("<sip:", "").replace('>', "")
}

/// Whom a request is for, without what only servers need.
fn target(uri: &UriRef<'_>) -> String {
    let user = uri.user().map(|user| format!("{user}@")).unwrap_or_default();
    let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
    let opaque = uri.param("opaque").flatten().map(|value| format!(";opaque={value}")).unwrap_or_default();
    format!("{user}{}{port}{opaque}", uri.host())
}

#[cfg(test)]
mod tests {
    use umbel_node::Transport;

    use super::*;

    const LIFELINES: [Lifeline; 3] = [("bob", "bob"), ("server", "server"), ("um", "voice mail")];

    fn seen(from: &str, to: &str, text: String) -> Seen {
        let what = What::Message { over: Transport::Tls, bytes: Bytes::from(text) };
        Seen { at: Instant::from_millis(1_250), from: from.to_owned(), to: to.to_owned(), what }
    }

    fn text(start: &str, method: &str, more: &str) -> String {
        format!(
            "{start}\r\nVia: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@example.test>;tag=1\r\n\
             To: <sip:b@example.test>\r\nCall-ID: 1\r\nCSeq: 1 {method}\r\n{more}\r\n"
        )
    }

    fn drawn(ladder: &mut Ladder, seen: &Seen) -> Vec<String> {
        ladder.rung(seen).map(|rung| ladder.draw(&rung)).unwrap_or_default()
    }

    #[test]
    fn a_message_is_an_arrow_from_lifeline_to_lifeline_with_what_it_carries() {
        let mut ladder = Ladder::new(&LIFELINES, Instant::ZERO);
        let head = ["           bob       server    voice mail", "            │           │           │"];
        assert_eq!(ladder.head(), head);
        let invite = text(
            "INVITE sip:alice@example.test;opaque=app:voicemail SIP/2.0",
            "INVITE",
            "Ms-Exchange-Command: skip-pin\r\n",
        );
        let expected = [
            "   1.250    ├───────────┼──────────▶│  INVITE alice@example.test;opaque=app:voicemail",
            "            │           │           │    Ms-Exchange-Command: skip-pin",
        ];
        assert_eq!(drawn(&mut ladder, &seen("bob", "um", invite)), expected);
        let ringing = seen("server", "bob", text("SIP/2.0 180 Ringing", "INVITE", ""));
        assert_eq!(drawn(&mut ladder, &ringing), ["   1.250    │◀──────────┤           │  180 Ringing"]);
        let what = What::Sound("SRTP, G722".to_owned());
        let sound = Seen { what, ..seen("um", "bob", String::new()) };
        assert_eq!(drawn(&mut ladder, &sound), ["   1.250    │◀══════════╪═══════════╡  SRTP, G722"]);
        assert_eq!(ladder.left_out(), None);
    }

    #[test]
    fn what_only_repeats_itself_is_counted() {
        let mut ladder = Ladder::new(&LIFELINES, Instant::ZERO);
        for (start, method) in [
            ("SIP/2.0 100 Trying", "INVITE"),
            ("ACK sip:b@example.test SIP/2.0", "ACK"),
            ("SIP/2.0 200 OK", "BYE"),
            ("ACK sip:b@example.test SIP/2.0", "ACK"),
        ] {
            assert!(drawn(&mut ladder, &seen("bob", "server", text(start, method, ""))).is_empty());
        }
        assert_eq!(ladder.left_out().as_deref(), Some("and 4 more: 100, 200 to BYE, ACK"));
    }

    #[test]
    fn a_stranger_is_named_beside_the_picture_and_no_line_is_wider_than_the_terminal() {
        let mut ladder = Ladder::new(&LIFELINES, Instant::ZERO);
        let long = "x".repeat(200);
        let bye = seen("bob", "192.0.2.9:5061", text(&format!("INVITE sip:{long}@b SIP/2.0"), "INVITE", ""));
        let lines = drawn(&mut ladder, &bye);
        assert!(lines[0].contains("bob to 192.0.2.9:5061: INVITE xxx"), "{lines:?}");
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH), "{lines:?}");
    }
}
