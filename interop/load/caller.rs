//! A caller with a stopwatch: how long from its INVITE to the first packet of the greeting.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use umbel_interop::sipp::listening_socket;

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// One connection, one call after the other.
pub(crate) struct Caller {
    stream: TcpStream,
    unread: Vec<u8>,
    calls: u32,
}

impl Caller {
    pub(crate) fn connect(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).expect("the server listens");
        stream.set_nodelay(true).expect("an option can be set");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit can be set");
        Caller { stream, unread: Vec::new(), calls: 0 }
    }

    /// Calls bob, waits for the first RTP packet, hangs up.
    pub(crate) fn first_packet(&mut self, domain: &str) -> Duration {
        self.calls += 1;
        let socket = listening_socket(PATIENCE);
        let offer = offer(&socket);
        let target = format!("sip:bob@{domain}");
        let begun = Instant::now();
        self.send("INVITE", &target, "", 1, &offer);
        let mut packet = [0; 2_048];
        socket.recv_from(&mut packet).expect("sound comes");
        let passed = begun.elapsed();
        let answer = self.final_response();
        let tag = answer
            .lines()
            .find_map(|line| line.strip_prefix("To:")?.split_once(";tag="))
            .map(|(_, tag)| format!(";tag={tag}"))
            .expect("the answer has a tag");
        self.send("ACK", &target, &tag, 1, "");
        self.send("BYE", &target, &tag, 2, "");
        self.final_response();
        passed
    }

    fn send(&mut self, method: &str, target: &str, tag: &str, number: u32, body: &str) {
        let calls = self.calls;
        let address = self.stream.local_addr().expect("a connection has an address");
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let message = format!(
            "{method} {target} SIP/2.0\r\n\
             Via: SIP/2.0/TCP {address};branch=z9hG4bK{method}{calls}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:stopwatch@example.test>;tag=s{calls}\r\nTo: <{target}>{tag}\r\n\
             Call-ID: stopwatch-{calls}\r\nCSeq: {number} {method}\r\n\
             Contact: <sip:stopwatch@{address};transport=tcp>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(message.as_bytes()).expect("the server takes requests");
    }

    /// The next response of 200 and above, which has to be a 200.
    fn final_response(&mut self) -> String {
        loop {
            if let Some(response) = self.response() {
                if response.starts_with("SIP/2.0 1") {
                    continue;
                }
                assert!(response.starts_with("SIP/2.0 200"), "{response}");
                return response;
            }
            let mut bytes = [0; 4_096];
            let length = self.stream.read(&mut bytes).expect("the server answers");
            assert!(length > 0, "the server has closed the connection");
            self.unread.extend_from_slice(&bytes[..length]);
        }
    }

    /// The header of a response that has come whole.
    fn response(&mut self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.unread).into_owned();
        let end = text.find("\r\n\r\n")? + 4;
        let length = text[..end].lines().find_map(|line| line.strip_prefix("Content-Length:"));
        let body: usize = length.and_then(|length| length.trim().parse().ok()).unwrap_or_default();
        if self.unread.len() < end + body {
            return None;
        }
        self.unread.drain(..end + body);
        Some(text[..end].to_owned())
    }
}

fn offer(socket: &UdpSocket) -> String {
    let port = socket.local_addr().expect("a socket has an address").port();
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
    )
}
