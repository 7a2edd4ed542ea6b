//! Two servers side by side: ours and Kamailio, started once and measured in turns.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use umbel_interop::kamailio::Kamailio;
use umbel_interop::umbel::{DOMAIN, Umbel};

use crate::figures::Figure;
use crate::process::{cpu, family, pss};

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What both are to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Registrar and proxy for whoever comes.
    Open,
    /// Only for those who know their password.
    Digest,
}

/// The servers. Kamailio's folder and ports are those of a test of ours that runs nothing.
pub(crate) struct Sides {
    pub(crate) umbel: Umbel,
    kamailio: Kamailio,
    _room: Umbel,
}

/// One of them, to be measured.
pub(crate) struct Side {
    pub(crate) name: &'static str,
    pub(crate) tcp: SocketAddr,
    /// The process that the others are children of; Kamailio has begun to listen before it has them.
    process: u32,
}

impl Sides {
    pub(crate) fn start(task: Task) -> Self {
        let authentication = if task == Task::Digest { "digest" } else { "none" };
        let lines = format!(
            "authentication = \"{authentication}\"\ndigest = [\"MD5\"]\nvoicemail = [\"sip:127.0.0.1:9\"]"
        );
        let umbel = Umbel::unconfigured().configured(Some(&lines), None).started();
        // Calls are for users only.
        umbel.import_many(&["probe".to_owned()]);
        let room = Umbel::unconfigured().configured(None, Some(""));
        let definitions = match task {
            Task::Open => Vec::new(),
            Task::Digest => vec![("DIGEST", "1".to_owned())],
        };
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("load/kamailio.cfg");
        let kamailio = Kamailio::start_from(&room, &config, &definitions, false);
        Sides { umbel, kamailio, _room: room }
    }

    /// Ours first in even rounds, Kamailio in odd ones.
    pub(crate) fn in_turn(&self, round: usize) -> [Side; 2] {
        let ours = Side { name: "Umbel", tcp: self.umbel.server_tcp(), process: self.umbel.id() };
        let theirs = Side { name: "Kamailio", tcp: self.kamailio.address(), process: self.kamailio.id() };
        if round.is_multiple_of(2) { [ours, theirs] } else { [theirs, ours] }
    }

    pub(crate) fn stop(self) {
        self.kamailio.stop();
        self.umbel.stop();
    }
}

impl Side {
    pub(crate) fn is_ours(&self) -> bool {
        self.name == "Umbel"
    }

    /// The CPU time of all its processes so far.
    pub(crate) fn cpu(&self) -> Duration {
        family(self.process).into_iter().map(cpu).sum()
    }

    /// The memory of all its processes, in KiB; what they share counts once.
    pub(crate) fn pss(&self) -> f64 {
        family(self.process).into_iter().map(pss).sum()
    }

    /// Registers `user` without a password; to be found at `contact`.
    pub(crate) fn register(&self, user: &str, contact: &str) {
        let mut stream = TcpStream::connect(self.tcp).expect("the server listens");
        register_on(&mut stream, user, contact, 1);
    }
}

/// Registers on a connection, and reads the answer.
pub(crate) fn register_on(stream: &mut (impl Read + Write), user: &str, contact: &str, number: u32) {
    let request = format!(
        "REGISTER sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKr{user}{number}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:{user}@{DOMAIN}>;tag=r{number}\r\nTo: <sip:{user}@{DOMAIN}>\r\n\
         Call-ID: register-{user}-{number}\r\nCSeq: {number} REGISTER\r\nContact: <{contact}>\r\n\
         Expires: 3600\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("the server takes requests");
    let mut answer = [0; 2_048];
    let length = stream.read(&mut answer).expect("the server answers");
    assert!(answer[..length].starts_with(b"SIP/2.0 200"), "{}", String::from_utf8_lossy(&answer[..length]));
}

/// A connection with a time limit.
pub(crate) fn connect(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).expect("the server listens");
    stream.set_nodelay(true).expect("an option can be set");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time limit can be set");
    stream
}

/// A figure of both, and the one by the other.
pub(crate) struct Pair {
    ours: Figure,
    theirs: Figure,
    ratio: Figure,
    last: [f64; 2],
}

impl Pair {
    /// `goal` is for the ratio, and may be none.
    pub(crate) fn new(name: &str, goal: f64) -> Self {
        Pair {
            ours: Figure::new(&format!("{name}: Umbel"), f64::NAN),
            theirs: Figure::new(&format!("{name}: Kamailio"), f64::NAN),
            ratio: Figure::new(&format!("{name}: ratio"), goal),
            last: [0.0; 2],
        }
    }

    /// The same with a goal for ours.
    pub(crate) fn with_goal(name: &str, goal: f64) -> Self {
        Pair { ours: Figure::new(&format!("{name}: Umbel"), goal), ..Pair::new(name, f64::NAN) }
    }

    pub(crate) fn add(&mut self, side: &Side, value: f64) {
        if side.is_ours() {
            self.last[0] = value;
            self.ours.add(value);
        } else {
            self.last[1] = value;
            self.theirs.add(value);
        }
    }

    /// Both have been measured.
    pub(crate) fn end_round(&mut self) {
        self.ratio.add(self.last[0] / self.last[1]);
    }

    pub(crate) fn figures(self) -> [Figure; 3] {
        [self.ours, self.theirs, self.ratio]
    }
}
