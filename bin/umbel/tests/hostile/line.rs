//! One connection to the server, and what comes back on it, read without any of our own SIP code.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use crate::certificates::Shown;
use crate::server::Server;
use crate::wait::PATIENCE;

/// How long one look for octets lasts.
const LOOK: Duration = Duration::from_millis(200);

trait Octets: Read + Write + Send {}
impl<T: Read + Write + Send> Octets for T {}

/// A connection.
pub(crate) struct Line {
    octets: Box<dyn Octets>,
    unread: Vec<u8>,
    pub(crate) transport: &'static str,
}

/// A message from the server.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) first_line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// What came next.
#[derive(Debug)]
pub(crate) enum Came {
    Message(Answer),
    /// The server closed the connection, or broke it.
    End,
}

impl Line {
    pub(crate) fn tcp(server: &Server) -> Line {
        Line::over(Box::new(socket(server.tcp)), "TCP")
    }

    /// Over TLS from the peer that is on the list.
    pub(crate) fn trusted(server: &Server) -> Line {
        Line::tls(server, Shown::Listed)
    }

    /// Over TLS, showing this.
    pub(crate) fn tls(server: &Server, shown: Shown) -> Line {
        Line::try_tls(server, shown).unwrap_or_else(|error| panic!("{shown:?}: {error}"))
    }

    /// The same where the handshake may be refused. In TLS 1.3 a refused certificate shows with the first read.
    pub(crate) fn try_tls(server: &Server, shown: Shown) -> std::io::Result<Line> {
        let name = ServerName::IpAddress(server.tls.ip().into());
        let client = ClientConnection::new(server.certificates.client(shown), name).unwrap();
        let mut stream = StreamOwned::new(client, socket(server.tls));
        while stream.conn.is_handshaking() {
            match stream.conn.complete_io(&mut stream.sock) {
                Err(error) if is_patience(&error) => {}
                other => drop(other?),
            }
        }
        Ok(Line::over(Box::new(stream), "TLS"))
    }

    fn over(octets: Box<dyn Octets>, transport: &'static str) -> Line {
        Line { octets, unread: Vec::new(), transport }
    }

    /// Sends octets; the server may have closed the connection before it has them all.
    pub(crate) fn send(&mut self, octets: impl AsRef<[u8]>) {
        let _ = self.octets.write_all(octets.as_ref());
        let _ = self.octets.flush();
    }

    /// The next message, or the end.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Came {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(answer) = self.take_message() {
                return Came::Message(answer);
            }
            assert!(Instant::now() < deadline, "nothing came in {PATIENCE:?}; unread: {:?}", self.unread);
            if !self.read() {
                return Came::End;
            }
        }
    }

    /// The next message; there must be one.
    #[track_caller]
    pub(crate) fn answer(&mut self) -> Answer {
        match self.next() {
            Came::Message(answer) => answer,
            Came::End => panic!("the connection was closed instead of an answer"),
        }
    }

    /// The final response to the request with this CSeq and Call-ID; what else comes is passed over, and the
    /// server's own requests are answered.
    #[track_caller]
    pub(crate) fn response(&mut self, call_id: &str, cseq: &str) -> Answer {
        loop {
            let answer = self.answer();
            if answer.is_request() {
                self.send(answer.ok());
            } else if answer.status() >= 200
                && answer.header("Call-ID") == call_id
                && answer.header("CSeq") == cseq
            {
                return answer;
            }
        }
    }

    /// Everything that still comes, until the server closes the connection; it must.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> Vec<Answer> {
        let mut all = Vec::new();
        while let Came::Message(answer) = self.next() {
            all.push(answer);
        }
        all
    }

    /// The octets that come until there are so many, or the end.
    #[track_caller]
    pub(crate) fn octets(&mut self, count: usize) -> Vec<u8> {
        let deadline = Instant::now() + PATIENCE;
        while self.unread.len() < count {
            assert!(Instant::now() < deadline, "only {:?} came in {PATIENCE:?}", self.unread);
            if !self.read() {
                break;
            }
        }
        let count = count.min(self.unread.len());
        self.unread.drain(..count).collect()
    }

    /// Reads once; says whether there may be more.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.octets.read(&mut buffer) {
            Ok(0) => false,
            Ok(count) => {
                self.unread.extend_from_slice(&buffer[..count]);
                true
            }
            Err(error) => is_patience(&error),
        }
    }

    fn take_message(&mut self) -> Option<Answer> {
        // Pongs and empty lines between messages.
        while self.unread.starts_with(b"\r\n") {
            self.unread.drain(..2);
        }
        let end = self.unread.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(&self.unread[..end]).into_owned();
        let mut lines = head.split("\r\n").filter(|line| !line.is_empty());
        let first_line = lines.next()?.to_owned();
        let field = |line: &str| {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            (name.trim().to_owned(), value.trim().to_owned())
        };
        let mut answer = Answer { first_line, headers: lines.map(field).collect(), body: String::new() };
        let length: usize = answer.header("Content-Length").parse().unwrap();
        if self.unread.len() < end + length {
            return None;
        }
        answer.body = String::from_utf8(self.unread[end..end + length].to_vec()).unwrap();
        self.unread.drain(..end + length);
        Some(answer)
    }
}

impl Answer {
    pub(crate) fn is_request(&self) -> bool {
        !self.first_line.starts_with("SIP/2.0 ")
    }

    #[track_caller]
    pub(crate) fn status(&self) -> u16 {
        let status = self.first_line.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3));
        status.and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no response: {self:?}"))
    }

    /// The value of a header, by its long name; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let compact = match name {
            "Via" => "v",
            "From" => "f",
            "To" => "t",
            "Call-ID" => "i",
            "Contact" => "m",
            "Content-Length" => "l",
            _ => name,
        };
        let same = |(other, _): &&(String, String)| {
            [name, compact].iter().any(|name| other.eq_ignore_ascii_case(name))
        };
        self.headers.iter().find(same).map_or("", |(_, value)| value)
    }

    /// `200 OK` to a request of the server.
    fn ok(&self) -> String {
        let copied = ["Via", "From", "To", "Call-ID", "CSeq"];
        let lines: String = copied.iter().map(|name| format!("{name}: {}\r\n", self.header(name))).collect();
        format!("SIP/2.0 200 OK\r\n{lines}Content-Length: 0\r\n\r\n")
    }
}

/// A socket whose reads come back soon.
pub(crate) fn socket(to: std::net::SocketAddr) -> TcpStream {
    let socket = TcpStream::connect_timeout(&to, PATIENCE).unwrap();
    socket.set_read_timeout(Some(LOOK)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}

/// Whether this is only a look that found nothing.
fn is_patience(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// The server answers an OPTIONS on a connection of its own: it lives, and nobody is in its way.
#[track_caller]
pub(crate) fn still_serves(server: &Server) {
    let mut line = Line::tcp(server);
    serves(&mut line);
    server.never_panicked();
}

/// The server answers the next OPTIONS on this connection.
#[track_caller]
pub(crate) fn serves(line: &mut Line) {
    let call_id = crate::invite::fresh("still-there");
    line.send(options(&call_id));
    assert_eq!(line.response(&call_id, "1 OPTIONS").status(), 200);
}

/// A good OPTIONS request.
pub(crate) fn options(call_id: &str) -> String {
    format!(
        "OPTIONS sip:example.test SIP/2.0\r\n\
         Via: SIP/2.0/TCP 127.0.0.1:5;branch=z9hG4bK-{call_id}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:dana@elsewhere.test>;tag=d\r\n\
         To: <sip:example.test>\r\n\
         Call-ID: {call_id}\r\n\
         CSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    )
}
