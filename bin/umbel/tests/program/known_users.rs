//! DEC-5: the protocol server remembers users, and what a command in another process changes counts within a second.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use umbel_sip_message::{
    Draft, Framed, Framer, HeaderName, Message, Method, Response, StatusCode, Uri, parse,
};
use umbel_ua::{Credentials, DigestClient};

use crate::site::Site;
use crate::wait::PATIENCE;

/// The bound.
const SECOND: Duration = Duration::from_secs(1);

/// Bob's connection to the server.
struct Line {
    stream: TcpStream,
    unread: Vec<u8>,
    framer: Framer,
    here: SocketAddr,
    sent: u32,
}

impl Line {
    fn new(site: &Site) -> Line {
        let stream = TcpStream::connect(("127.0.0.1", site.server_tcp)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let here = stream.local_addr().unwrap();
        Line { stream, unread: Vec::new(), framer: Framer::default(), here, sent: 0 }
    }

    /// Sends a request that begins something, answers the challenge, and gives all that is said to that.
    fn ask(&mut self, method: Method, target: &str, password: &str) -> Vec<u16> {
        self.sent += 1;
        let uri = target.parse::<Uri>().unwrap();
        let mut draft = Draft::request(method.clone(), &uri);
        draft.push(HeaderName::Via, self.via());
        draft.push(HeaderName::MaxForwards, "70");
        draft.push(HeaderName::From, format!("<sip:bob@example.test>;tag={}", self.sent));
        let to = if method == Method::Register { "sip:bob@example.test" } else { target };
        draft.push(HeaderName::To, format!("<{to}>"));
        draft.push(HeaderName::CallId, format!("{}-{}", self.sent, self.here.port()));
        draft.push(HeaderName::CSeq, format!("1 {method}"));
        draft.push(HeaderName::Contact, format!("<sip:bob@{};transport=tcp>", self.here));
        self.send(&draft);
        let challenge = self.response();
        let mut digest = DigestClient::new(Arc::new(Credentials {
            realm: "example.test".to_owned(),
            username: "bob".to_owned(),
            password: password.to_owned(),
        }));
        let mut rng = ChaCha20Rng::from_seed([11; 32]);
        let answer = digest.answer(challenge.status(), challenge.headers(), &method, target, &mut rng);
        let (name, value) = answer.unwrap();
        draft.set(name, value);
        draft.set(HeaderName::CSeq, format!("2 {method}"));
        self.sent += 1;
        draft.set(HeaderName::Via, self.via());
        self.send(&draft);
        let mut codes = Vec::new();
        while codes.last().is_none_or(|code| *code < 200) {
            codes.push(self.response().status().as_u16());
        }
        codes
    }

    fn via(&self) -> String {
        format!("SIP/2.0/TCP {};branch=z9hG4bK-{}", self.here, self.sent)
    }

    fn send(&mut self, draft: &Draft) {
        self.stream.write_all(&draft.print()).unwrap();
    }

    /// The next one; what a registered telephone is told meanwhile is not heard.
    fn response(&mut self) -> Response {
        loop {
            if let Framed::Message { len } = self.framer.next(&self.unread) {
                let message: Vec<u8> = self.unread.drain(..len).collect();
                match parse(message.into()).unwrap() {
                    Message::Response(response) if response.status() != StatusCode::TRYING => {
                        return response;
                    }
                    Message::Response(_) | Message::Request(_) => continue,
                }
            }
            let mut octets = [0; 4_096];
            let count = self.stream.read(&mut octets).unwrap();
            assert!(count > 0, "the server has hung up");
            self.unread.extend_from_slice(&octets[..count]);
        }
    }
}

/// Asks again until the answer is another one. What is asked a second after the command or later must be
/// answered otherwise.
#[track_caller]
fn changes_in_time(mut ask: impl FnMut() -> Vec<u16>, before: &[u16]) -> Vec<u16> {
    let acknowledged = Instant::now();
    loop {
        let late = acknowledged.elapsed() >= SECOND;
        let answer = ask();
        if answer != before {
            return answer;
        }
        assert!(!late, "what was changed does not count");
    }
}

/// DEC-5
#[test]
fn what_another_process_changes_of_users_counts_within_a_second() {
    let site = Site::with_telephones("");
    for user in ["alice", "carol"] {
        site.umbel(&["user", "set", user, "no-voicemail=yes"]).succeeded();
    }
    let _server = site.serve();
    let mut line = Line::new(&site);
    let alice = "sip:alice@example.test";
    let (old, new) = ("the password of bob", "another password of bob");
    // Asked for again and again, they are known.
    for _ in 0..3 {
        assert_eq!(line.ask(Method::Invite, alice, old), [480]);
        assert_eq!(line.ask(Method::Register, "sip:example.test", old), [200]);
    }

    site.umbel(&["user", "set", "alice", "forward-immediate=carol@example.test"]).succeeded();
    let forwarded = changes_in_time(|| line.ask(Method::Invite, alice, old), &[480]);
    assert_eq!(forwarded[0], 181, "{forwarded:?}");

    let file = site.write("bob.password", new);
    site.umbel(&["user", "set", "bob", "--password-file", &file]).succeeded();
    let mut asks = 0;
    let refused = changes_in_time(
        || {
            asks += 1;
            // The new one counts at once.
            assert_eq!(line.ask(Method::Register, "sip:example.test", new), [200], "{asks}");
            line.ask(Method::Register, "sip:example.test", old)
        },
        &[200],
    );
    assert_eq!(refused, [403]);

    site.umbel(&["user", "remove", "alice"]).succeeded();
    let gone = changes_in_time(|| line.ask(Method::Invite, alice, new), &forwarded);
    assert_eq!(gone, [404]);
}
