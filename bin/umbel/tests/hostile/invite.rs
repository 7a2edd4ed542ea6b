//! INVITEs in every shape, and the calls that come of them.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::line::{Answer, Line};
use crate::server::Server;

/// alice's own voice mail ([MS-OCEXUM] 4.1).
pub(crate) const OWN: &str = "sip:alice@example.test;opaque=app:voicemail";
pub(crate) const SKIP: &str = "Ms-Exchange-Command: skip-pin";

/// A Call-ID, or anything else that nobody has used yet.
pub(crate) fn fresh(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{what}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// An INVITE before it is written.
#[derive(Clone)]
pub(crate) struct Invite {
    pub(crate) call_id: String,
    pub(crate) uri: String,
    pub(crate) from: String,
    pub(crate) to: String,
    /// Whole lines, in front of the other headers.
    pub(crate) first: Vec<Vec<u8>>,
    /// Whole lines, somewhere in the middle.
    pub(crate) lines: Vec<Vec<u8>>,
    /// Whole lines, after all others.
    pub(crate) last: Vec<Vec<u8>>,
    pub(crate) content_type: String,
    pub(crate) body: String,
    pub(crate) branch: String,
    pub(crate) cseq: u32,
}

impl Invite {
    /// alice calls her own voice mail; nothing else is said.
    pub(crate) fn own() -> Invite {
        Invite::from_to("<sip:alice@example.test>", OWN)
    }

    /// alice calls her own voice mail and asks to skip the PIN.
    pub(crate) fn skip() -> Invite {
        Invite::own().with(SKIP)
    }

    pub(crate) fn from_to(from: &str, uri: &str) -> Invite {
        Invite {
            call_id: fresh("hostile"),
            uri: uri.to_owned(),
            from: format!("{from};tag=caller"),
            to: format!("<{uri}>"),
            first: Vec::new(),
            lines: Vec::new(),
            last: Vec::new(),
            content_type: "application/sdp".to_owned(),
            body: offer(DISCARD),
            branch: fresh("z9hG4bK-i"),
            cseq: 1,
        }
    }

    /// With one more line.
    pub(crate) fn with(mut self, line: impl AsRef<[u8]>) -> Invite {
        self.lines.push(line.as_ref().to_vec());
        self
    }

    pub(crate) fn calling(mut self, uri: &str) -> Invite {
        self.uri = uri.to_owned();
        self.to = format!("<{uri}>");
        self
    }

    pub(crate) fn by(mut self, from: &str) -> Invite {
        self.from = format!("{from};tag=caller");
        self
    }

    pub(crate) fn offering(mut self, body: impl Into<String>) -> Invite {
        self.body = body.into();
        self
    }

    /// As it goes along a connection of this transport.
    pub(crate) fn written(&self, transport: &str) -> Vec<u8> {
        let Invite { uri, from, to, call_id, branch, cseq, .. } = self;
        let mut text = format!("INVITE {uri} SIP/2.0\r\n").into_bytes();
        let mut lines =
            |lines: &[Vec<u8>]| lines.iter().for_each(|line| text.extend([line, &b"\r\n"[..]].concat()));
        lines(&self.first);
        lines(&[format!(
            "Via: SIP/2.0/{transport} 127.0.0.1:5;branch={branch}\r\nMax-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\n\
             Call-ID: {call_id}\r\nCSeq: {cseq} INVITE\r\nContact: <sip:caller@127.0.0.1:5;transport={transport}>"
        )
        .into_bytes()]);
        lines(&self.lines);
        if !self.body.is_empty() {
            lines(&[format!("Content-Type: {}", self.content_type).into_bytes()]);
        }
        lines(&[format!("Content-Length: {}", self.body.len()).into_bytes()]);
        lines(&self.last);
        text.extend([b"\r\n", self.body.as_bytes()].concat());
        text
    }

    /// Sends it and gives its final response.
    #[track_caller]
    pub(crate) fn send(&self, line: &mut Line) -> Answer {
        line.send(self.written(line.transport));
        line.response(&self.call_id, &format!("{} INVITE", self.cseq))
    }

    /// Calls; a call that is answered is acknowledged.
    #[track_caller]
    pub(crate) fn call(&self, line: &mut Line) -> Call {
        let answer = self.send(line);
        assert_eq!(answer.status(), 200, "{answer:?}");
        let call = Call { invite: self.clone(), to: answer.header("To").to_owned(), answer };
        line.send(call.request("ACK", self.cseq, "", ""));
        call
    }

    /// Calls and hangs up; gives what was decided about the PIN: `none` where the call was refused, and
    /// nothing was recorded of it.
    #[track_caller]
    pub(crate) fn pin(&self, server: &Server, line: &mut Line) -> String {
        let answer = self.send(line);
        if answer.status() != 200 {
            return server
                .decided(&self.call_id)
                .unwrap_or_else(|| format!("refused with {}", answer.status()));
        }
        let call = Call { invite: self.clone(), to: answer.header("To").to_owned(), answer };
        line.send(call.request("ACK", self.cseq, "", ""));
        let pin = server.pin(&self.call_id);
        call.hang_up(line);
        pin
    }
}

/// A call that was answered.
pub(crate) struct Call {
    pub(crate) invite: Invite,
    /// To, with the server's tag.
    pub(crate) to: String,
    pub(crate) answer: Answer,
}

impl Call {
    /// A request within the call, with one more line (or none, or several).
    pub(crate) fn request(&self, method: &str, cseq: u32, line: &str, body: &str) -> String {
        let Invite { uri, from, call_id, .. } = &self.invite;
        let line = if line.is_empty() { String::new() } else { format!("{line}\r\n") };
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:5;branch={branch}\r\nMax-Forwards: 70\r\n\
             From: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n\
             Contact: <sip:caller@127.0.0.1:5;transport=tcp>\r\n{line}Content-Length: {length}\r\n\r\n{body}",
            branch = fresh("z9hG4bK-d"),
            to = self.to,
            length = body.len(),
        )
    }

    /// The response to a request within the call.
    #[track_caller]
    pub(crate) fn ask(&self, line: &mut Line, method: &str, cseq: u32, header: &str, body: &str) -> Answer {
        line.send(self.request(method, cseq, header, body));
        line.response(&self.invite.call_id, &format!("{cseq} {method}"))
    }

    /// A re-INVITE, acknowledged.
    #[track_caller]
    pub(crate) fn reinvite(&self, line: &mut Line, cseq: u32, header: &str, body: &str) -> Answer {
        let header = [header, "Content-Type: application/sdp"].join("\r\n");
        let answer = self.ask(line, "INVITE", cseq, header.trim_start(), body);
        line.send(self.request("ACK", cseq, "", ""));
        answer
    }

    /// Where the server listens for sound.
    #[track_caller]
    pub(crate) fn rtp(&self) -> std::net::SocketAddr {
        media_address(&self.answer.body)
    }

    #[track_caller]
    pub(crate) fn hang_up(&self, line: &mut Line) {
        // 481: the server was quicker.
        let status = self.ask(line, "BYE", 1_000, "", "").status();
        assert!([200, 481].contains(&status), "{status}");
    }
}

/// The address and port of the audio line.
#[track_caller]
pub(crate) fn media_address(description: &str) -> std::net::SocketAddr {
    let value = |key: &str| description.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim();
    let port = value("m=audio ").split(' ').next().unwrap().parse().unwrap();
    (value("c=IN IP4 ").parse::<std::net::IpAddr>().unwrap(), port).into()
}

/// The port of RFC 863: nobody is there, and nobody minds.
pub(crate) const DISCARD: u16 = 9;

/// A plain offer of G.711 and keys, for sound to this port.
pub(crate) fn offer(port: u16) -> String {
    format!(
        "v=0\r\no=caller 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    )
}

/// A socket for sound, and the offer that names it.
pub(crate) fn sound() -> (UdpSocket, String) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let offer = offer(socket.local_addr().unwrap().port());
    (socket, offer)
}
