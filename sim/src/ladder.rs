//! Who sent what to whom, and when: a picture of a run that people can read and tests can compare.

use std::fmt;

use umbel_sip_message::{HeaderName, Message, Method, Request, Response};
use umbel_time::Instant;

/// Header fields that a ladder shows beside the start line, where they occur.
const SHOWN: [HeaderName; 3] =
    [HeaderName::MsExchangeCommand, HeaderName::MsSensitivity, HeaderName::MsDiagnostics];

/// One line.
#[derive(Clone, Debug)]
pub struct Rung {
    /// When it was sent.
    pub at: Instant,
    /// Who sent it.
    pub from: String,
    /// To whom.
    pub to: String,
    /// What.
    pub what: What,
}

/// What a line is about.
#[derive(Clone, Debug)]
pub enum What {
    /// A SIP message.
    Message(Box<Message>),
    /// Anything else: "flow broken", "stored m1".
    Note(String),
}

/// The lines of a run, in the order in which they were sent.
#[derive(Clone, Debug, Default)]
pub struct Ladder {
    rungs: Vec<Rung>,
}

impl Ladder {
    pub(crate) fn push(&mut self, at: Instant, from: &str, to: &str, what: What) {
        self.rungs.push(Rung { at, from: from.to_owned(), to: to.to_owned(), what });
    }

    /// The lines.
    pub fn rungs(&self) -> &[Rung] {
        &self.rungs
    }

    /// The requests with a method, with their lines.
    pub fn requests(&self, method: &Method) -> impl Iterator<Item = (&Rung, &Request)> {
        self.rungs.iter().filter_map(move |rung| match &rung.what {
            What::Message(message) => match &**message {
                Message::Request(request) if request.method() == method => Some((rung, request)),
                _ => None,
            },
            What::Note(_) => None,
        })
    }

    /// The picture without the requests of one method, and without what is said about them.
    pub fn without(&self, method: &Method) -> Ladder {
        let is_other = |rung: &&Rung| match &rung.what {
            What::Message(message) => message.headers().cseq().method != *method,
            What::Note(_) => true,
        };
        Ladder { rungs: self.rungs.iter().filter(is_other).cloned().collect() }
    }

    /// The responses, with their lines.
    pub fn responses(&self) -> impl Iterator<Item = (&Rung, &Response)> {
        self.rungs.iter().filter_map(|rung| match &rung.what {
            What::Message(message) => match &**message {
                Message::Response(response) => Some((rung, response)),
                Message::Request(_) => None,
            },
            What::Note(_) => None,
        })
    }

    /// Requests other than ACK that got no final response from where they were sent, or several
    /// different ones: what must be empty when all is over.
    pub fn not_answered_once(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for rung in &self.rungs {
            let What::Message(message) = &rung.what else { continue };
            let Message::Request(request) = &**message else { continue };
            if *request.method() == Method::Ack {
                continue;
            }
            let mut finals: Vec<_> = self
                .responses()
                .filter(|(answer, _)| {
                    answer.from == rung.to && answer.to == rung.from && answer.at >= rung.at
                })
                .filter(|(_, response)| response.status().is_final() && answers(response, request))
                .map(|(_, response)| response.status())
                .collect();
            finals.dedup();
            if finals.len() != 1 {
                faults.push(format!("{rung}: {} final responses", finals.len()));
            }
        }
        faults
    }

    /// The picture; names padded to one width.
    pub fn print(&self) -> String {
        let width = self.rungs.iter().flat_map(|rung| [rung.from.len(), rung.to.len()]).max().unwrap_or(0);
        let line = |rung: &Rung| {
            let (at, from, to) = (rung.at.to_string(), &rung.from, &rung.to);
            format!("{at:>7}  {from:<width$}  {to:<width$}  {}", rung.what).trim_end().to_owned() + "\n"
        };
        self.rungs.iter().map(line).collect()
    }

    /// Says where this run differs from the expected picture; `None` where it does not.
    ///
    /// In the expected text, lines that begin with `#` and what stands in brackets at the end of a
    /// line after two spaces are remarks; widths do not matter.
    pub fn difference(&self, expected: &str) -> Option<String> {
        let actual = self.print();
        let ours: Vec<_> = actual.lines().map(words).collect();
        let theirs: Vec<_> = expected.lines().map(without_remark).map(words).collect();
        let theirs: Vec<_> = theirs.into_iter().filter(|line| !line.is_empty()).collect();
        let at = (0..ours.len().max(theirs.len())).find(|at| ours.get(*at) != theirs.get(*at))?;
        let line = |lines: &[String]| lines.get(at).cloned().unwrap_or_else(|| "(end)".to_owned());
        Some(format!(
            "the ladder differs in line {}\n  expected: {}\n  happened: {}\n\nall of it:\n{actual}",
            at + 1,
            line(&theirs),
            line(&ours),
        ))
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.at, self.from, self.to, self.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = match self {
            What::Note(note) => return write!(f, "({note})"),
            What::Message(message) => message,
        };
        match &**message {
            Message::Request(request) => {
                write!(f, "{}", request.method())?;
                let begins = request.headers().to().tag().is_none();
                if begins && *request.method() != Method::Cancel {
                    write!(f, " {}", request.request_uri())?;
                }
            }
            Message::Response(response) => {
                write!(f, "{}", response.status().as_u16())?;
                if *response.headers().method() != Method::Invite {
                    write!(f, " {}", response.headers().method())?;
                }
            }
        }
        for name in &SHOWN {
            if let Some(value) = message.headers().get(name) {
                write!(f, "  {name}: {}", String::from_utf8_lossy(&value))?;
            }
        }
        Ok(())
    }
}

fn answers(response: &Response, request: &Request) -> bool {
    let (theirs, ours) = (response.headers(), request.headers());
    theirs.cseq() == ours.cseq()
        && theirs.call_id() == ours.call_id()
        && theirs.via().branch() == ours.via().branch()
}

fn without_remark(line: &str) -> &str {
    match line.rfind("  (") {
        _ if line.starts_with('#') => "",
        // A note is a line of its own; a remark has something before it.
        Some(at) if line.ends_with(')') && line.get(..at).is_some_and(has_message) => {
            line.get(..at).unwrap_or(line)
        }
        _ => line,
    }
}

/// Time, sender, receiver and at least one word.
fn has_message(line: &str) -> bool {
    line.split_whitespace().count() > 3
}

fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use umbel_sip_message::{Draft, StatusCode, Uri};

    use super::*;

    fn options() -> Draft {
        let uri: Uri = "sip:a@b.example".parse().expect("a URI");
        let mut draft = Draft::request(Method::Options, &uri);
        draft
            .push(HeaderName::From, "<sip:c@d>;tag=1")
            .push(HeaderName::To, "<sip:a@b.example>")
            .push(HeaderName::CallId, "1")
            .push(HeaderName::CSeq, "1 OPTIONS")
            .push(HeaderName::MsSensitivity, "private-no-diversion")
            .push_via("TCP", "c.example", None, "z9hG4bK1", false);
        draft
    }

    /// A question, and what is said to it.
    fn ladder(answers: &[StatusCode]) -> Ladder {
        let mut ladder = Ladder::default();
        let request = options().into_request().expect("a request");
        ladder.push(Instant::ZERO, "alice", "um", What::Message(Box::new(Message::Request(request.clone()))));
        for status in answers {
            let response = Draft::reply(&request, *status).into_response().expect("a response");
            let at = Instant::from_millis(20_004);
            ladder.push(at, "um", "alice", What::Message(Box::new(Message::Response(response))));
        }
        ladder
    }

    #[test]
    fn a_ladder_reads_like_a_table() {
        let mut ladder = ladder(&[StatusCode::OK]);
        ladder.push(Instant::from_millis(20_004), "um", "um", What::Note("stored m1".to_owned()));
        let expected = "  0.000  alice  um     OPTIONS sip:a@b.example  Ms-Sensitivity: private-no-diversion\n \
                        20.004  um     alice  200 OPTIONS\n 20.004  um     um     (stored m1)\n";
        assert_eq!(ladder.print(), expected);
    }

    #[test]
    fn widths_and_remarks_do_not_matter() {
        let ladder = ladder(&[StatusCode::OK]);
        let expected = "# a remark\n0.000 alice um OPTIONS sip:a@b.example Ms-Sensitivity: private-no-diversion\n\n\
                        20.004  um  alice  200 OPTIONS   (and that is all)\n";
        assert_eq!(ladder.difference(expected), None);
    }

    #[test]
    fn missing_and_surplus_lines_are_differences() {
        let ladder = ladder(&[StatusCode::OK]);
        let first = ladder.print().lines().next().expect("a line").to_owned();
        let difference = ladder.difference(&first).expect("a line too many");
        assert!(difference.contains("line 2\n  expected: (end)"), "{difference}");
        let longer = ladder.print() + "30.000 um alice BYE";
        let difference = ladder.difference(&longer).expect("a line missing");
        assert!(difference.contains("line 3") && difference.contains("happened: (end)"), "{difference}");
    }

    // I4
    #[test]
    fn requests_without_one_final_response_are_found() {
        assert_eq!(ladder(&[StatusCode::OK]).not_answered_once(), Vec::<String>::new());
        assert_eq!(ladder(&[StatusCode::TRYING]).not_answered_once().len(), 1);
        assert_eq!(ladder(&[StatusCode::OK, StatusCode::OK]).not_answered_once(), Vec::<String>::new());
        assert_eq!(ladder(&[StatusCode::OK, StatusCode::NOT_FOUND]).not_answered_once().len(), 1);
    }
}
