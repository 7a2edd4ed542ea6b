//! Being sent on in the middle of a call, through the protocol server: RFC 3515, RFC 5589.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use umbel_sip_message::{Draft, HeaderName, Message, Method, Request, Response, StatusCode, Uri, parse};
use umbel_ua::{Credentials, DigestClient};

use crate::site::Site;
use crate::telephone::{Telephone, quiet};
use crate::wait::PATIENCE;

const BOB: &str = "sip:bob@example.test";

/// Bob's telephone, played by hand over TCP: one that sends its callers on.
struct Line {
    stream: TcpStream,
    unread: Vec<u8>,
    here: SocketAddr,
    sent: u32,
}

impl Line {
    fn registered(site: &Site) -> Line {
        let stream = TcpStream::connect(("127.0.0.1", site.server_tcp)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let here = stream.local_addr().unwrap();
        let mut line = Line { stream, unread: Vec::new(), here, sent: 0 };
        let mut register = line.request(Method::Register, "sip:example.test");
        register.push(HeaderName::From, format!("<{BOB}>;tag=registration"));
        register.push(HeaderName::To, format!("<{BOB}>"));
        register.push(HeaderName::CallId, "a-registration");
        register.push(HeaderName::CSeq, "1 REGISTER");
        register.push(HeaderName::Supported, "path, outbound");
        let instance = "\"<urn:uuid:00000000-0000-4000-8000-00000000000b>\"";
        register.push(
            HeaderName::Contact,
            format!("<sip:bob@{here};transport=tcp>;reg-id=1;+sip.instance={instance}"),
        );
        line.send(&register);
        let challenge = line.response();
        assert_eq!(challenge.status(), StatusCode::UNAUTHORIZED);
        let mut digest = DigestClient::new(Arc::new(Credentials {
            realm: "example.test".to_owned(),
            username: "bob".to_owned(),
            password: "the password of bob".to_owned(),
        }));
        let mut rng = ChaCha20Rng::from_seed([11; 32]);
        let answer = digest.answer(
            challenge.status(),
            challenge.headers(),
            &Method::Register,
            "sip:example.test",
            &mut rng,
        );
        let (name, value) = answer.unwrap();
        register.set(name, value);
        register.set(HeaderName::CSeq, "2 REGISTER");
        let via = line.via();
        register.set(HeaderName::Via, via);
        line.send(&register);
        assert_eq!(line.response().status(), StatusCode::OK);
        line
    }

    fn via(&mut self) -> String {
        self.sent += 1;
        format!("SIP/2.0/TCP {};branch=z9hG4bK-bob-{}", self.here, self.sent)
    }

    fn request(&mut self, method: Method, target: &str) -> Draft {
        let mut draft = Draft::request(method, &target.parse::<Uri>().unwrap());
        draft.push(HeaderName::Via, self.via());
        draft.push(HeaderName::MaxForwards, "70");
        draft
    }

    fn send(&mut self, draft: &Draft) {
        self.stream.write_all(&draft.print()).unwrap();
    }

    /// Whatever comes next.
    fn next(&mut self) -> Message {
        loop {
            let start = self.unread.iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count();
            self.unread.drain(..start);
            if let Some(end) = self.unread.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.unread[..end]).to_ascii_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).unwrap();
                let whole = end + 4 + length.trim().parse::<usize>().unwrap();
                if self.unread.len() >= whole {
                    return parse(Bytes::from(self.unread.drain(..whole).collect::<Vec<u8>>())).unwrap();
                }
            }
            let mut octets = [0; 4_096];
            let count = self.stream.read(&mut octets).unwrap();
            assert!(count > 0, "the server closed the connection");
            self.unread.extend_from_slice(&octets[..count]);
        }
    }

    /// The next final response.
    fn response(&mut self) -> Response {
        loop {
            match self.next() {
                Message::Response(response) if response.status().is_final() => return response,
                Message::Response(_) => {}
                Message::Request(request) => panic!("{request:?} instead of a response"),
            }
        }
    }

    /// The next request of this method; responses are passed over, and other requests are answered.
    fn asked(&mut self, method: &Method) -> Request {
        loop {
            match self.next() {
                Message::Request(request) if request.method() == method => return request,
                Message::Request(request) if *request.method() != Method::Ack => self.ok(&request),
                Message::Request(_) | Message::Response(_) => {}
            }
        }
    }

    fn ok(&mut self, request: &Request) {
        self.send(&Draft::reply(request, StatusCode::OK));
    }

    /// Answers a call, and waits until it is up.
    fn answer(&mut self, invite: &Request) {
        let mut draft = Draft::reply(invite, StatusCode::OK);
        draft.to_tag("bob");
        draft.copy(invite.headers(), &HeaderName::RecordRoute);
        draft.push(HeaderName::Contact, format!("<sip:bob@{};transport=tcp>", self.here));
        let description = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                           m=audio 9 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";
        draft.body("application/sdp", Bytes::from_static(description.as_bytes()));
        self.send(&draft);
        self.asked(&Method::Ack);
    }

    /// Sends the caller on, within the call, by its request of this number.
    fn refer(&mut self, invite: &Request, number: u32, to: &str) {
        let headers = invite.headers();
        let field = |name| headers.get_text(&name).unwrap().into_owned();
        let target = headers.contacts().unwrap().first().unwrap().uri.to_uri();
        let mut refer = self.request(Method::Refer, target.as_str());
        for route in headers.elements(&HeaderName::RecordRoute) {
            refer.push(HeaderName::Route, route);
        }
        refer.push(HeaderName::From, format!("{};tag=bob", field(HeaderName::To)));
        refer.push(HeaderName::To, field(HeaderName::From));
        refer.push(HeaderName::CallId, headers.call_id());
        refer.push(HeaderName::CSeq, format!("{number} REFER"));
        refer.push(HeaderName::Contact, format!("<sip:bob@{};transport=tcp>", self.here));
        refer.push(HeaderName::ReferTo, to);
        refer.push(HeaderName::ReferredBy, format!("<{BOB}>"));
        self.send(&refer);
    }
}

fn sipfrag(notify: &Request) -> String {
    String::from_utf8_lossy(notify.body()).trim_end().to_owned()
}

/// RFC 3515, RFC 3892: alice calls bob, bob sends her to carol, and carol's telephone rings and answers.
#[test]
fn a_caller_is_sent_on_and_the_third_one_rings() {
    let _quiet = quiet();
    let site = Site::with_telephones("");
    let _server = site.serve();
    let mut bob = Line::registered(&site);
    let mut carol = Telephone::start(&site, "carol", &["answer", "--after", "0s", "--for", "1s"]);
    carol.tells("registered");
    let mut alice = Telephone::start(&site, "alice", &["call", "bob", "--keys", "1", "--for", "60s"]);
    let invite = bob.asked(&Method::Invite);
    bob.answer(&invite);
    alice.tells("answered");

    // SEC-20: not with a header of bob's choice.
    bob.refer(&invite, 1, "<sip:alice@example.test;opaque=app:voicemail?Ms-Exchange-Command=skip-pin>");
    assert_eq!(bob.response().status(), StatusCode::FORBIDDEN);
    bob.refer(&invite, 2, "<sip:carol@example.test>");
    assert_eq!(bob.response().status(), StatusCode::ACCEPTED);
    assert_eq!(alice.tells("transferred")["to"], "sip:carol@example.test");
    let trying = bob.asked(&Method::Notify);
    assert_eq!(sipfrag(&trying), "SIP/2.0 100 Trying");
    bob.ok(&trying);
    let known = bob.asked(&Method::Notify);
    assert_eq!(sipfrag(&known), "SIP/2.0 200 OK");
    bob.ok(&known);
    let bye = bob.asked(&Method::Bye);
    bob.ok(&bye);

    let carol = carol.finished().documents();
    let ringing = carol.iter().find(|event| event["event"] == "ringing").unwrap();
    assert_eq!(ringing["from"], "sip:alice@example.test");
    let ran = alice.finished();
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    let alice = ran.documents();
    let calls = |name: &str| {
        let named = alice.iter().filter(|event| event["event"] == name);
        named.map(|event| event["call_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (answered, ended) = (calls("answered"), calls("ended"));
    assert_eq!(answered.len(), 2, "{alice:?}");
    assert_eq!(answered, ended, "bob's call ends, and then carol's");
    assert_eq!(answered[1], ringing["call_id"]);
    assert_eq!(calls("transferred"), [answered[0].clone()]);
    // SEC-42: what was pressed for bob is not pressed for carol.
    assert!(calls("key").iter().all(|call| *call == answered[0]), "{alice:?}");
}
