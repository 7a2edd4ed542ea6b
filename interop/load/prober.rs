//! A caller and a telephone with one stopwatch: how long an INVITE takes through a server.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use umbel_interop::umbel::DOMAIN;

use crate::sides::{Side, connect, register_on};

/// Time between two calls, so that they are a burden to nobody.
const PAUSE: Duration = Duration::from_millis(10);

pub(crate) struct Prober {
    caller: TcpStream,
    telephone: TcpStream,
    calls: u32,
}

impl Prober {
    /// The telephone registers, and takes its calls on that connection.
    pub(crate) fn new(side: &Side) -> Self {
        let mut telephone = connect(side.tcp);
        let at = telephone.local_addr().expect("a connection has an address");
        register_on(&mut telephone, "probe", &format!("sip:probe@{at};transport=tcp"), 1);
        Prober { caller: connect(side.tcp), telephone, calls: 0 }
    }

    /// Calls; the telephone is busy, and the caller is to be told so rather than sent to voice mail.
    pub(crate) fn way_of_an_invite(&mut self) -> Duration {
        std::thread::park_timeout(PAUSE);
        self.calls += 1;
        let (calls, at) = (self.calls, self.caller.local_addr().expect("a connection has an address"));
        let head = |method: &str, tag: &str| {
            format!(
                "{method} sip:probe@{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/TCP {at};branch=z9hG4bKp{calls}\r\n\
                 Max-Forwards: 70\r\nFrom: <sip:prober@elsewhere.test>;tag=p{calls}\r\n\
                 To: <sip:probe@{DOMAIN}>{tag}\r\nCall-ID: probe-{at}-{calls}\r\nCSeq: 1 {method}\r\n\
                 Contact: <sip:prober@{at};transport=tcp>\r\nMs-Sensitivity: private-no-diversion\r\n\
                 Content-Length: 0\r\n\r\n"
            )
        };
        let begun = Instant::now();
        self.caller.write_all(head("INVITE", "").as_bytes()).expect("the server takes requests");
        let invite = read_message(&mut self.telephone);
        let passed = begun.elapsed();
        assert!(invite.starts_with("INVITE "), "{invite}");
        let busy = busy(&invite);
        self.telephone.write_all(busy.as_bytes()).expect("the server takes responses");
        while !read_message(&mut self.caller).starts_with("SIP/2.0 486") {}
        self.caller.write_all(head("ACK", ";tag=busy").as_bytes()).expect("the server takes requests");
        let ack = read_message(&mut self.telephone);
        assert!(ack.starts_with("ACK "), "{ack}");
        passed
    }
}

fn busy(invite: &str) -> String {
    let mut answer = "SIP/2.0 486 Busy Here\r\n".to_owned();
    for line in invite.lines() {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        match name.as_str() {
            "via" | "from" | "call-id" | "cseq" => answer += &format!("{line}\r\n"),
            "to" => answer += &format!("{line};tag=busy\r\n"),
            _ => {}
        }
    }
    answer + "Content-Length: 0\r\n\r\n"
}

/// One message without a body. Nothing else comes meanwhile, so that no byte of the next is taken.
fn read_message(stream: &mut TcpStream) -> String {
    let mut message = Vec::new();
    let mut byte = [0; 1];
    while !message.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("the server passes messages on");
        message.push(byte[0]);
    }
    String::from_utf8_lossy(&message).into_owned()
}
