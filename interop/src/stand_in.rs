//! Telephones and voice mail servers that SIPp plays, and what came to them.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use crate::process::Program;
use crate::sipp::Sipp;
use crate::trace::{self, Traced};
use crate::umbel::{DOMAIN, Umbel};
use crate::wait::until;

/// SIPp starts and ends in a fraction of this.
const PATIENCE: Duration = Duration::from_secs(90);

/// What it does with calls.
#[derive(Clone, Copy, Debug)]
pub enum Manner<'a> {
    /// Takes each.
    Answers,
    /// Rings until it is told to stop.
    RingsInVain,
    /// Rings, and then says this; a Contact goes with it.
    Refuses {
        /// Code and phrase.
        status: &'a str,
        /// The Contact: a URI.
        elsewhere: &'a str,
    },
}

/// One of them, waiting for calls over TCP.
#[derive(Debug)]
pub struct StandIn {
    _program: Program,
    address: SocketAddr,
    messages: PathBuf,
}

impl StandIn {
    /// Starts one that uses `umbel`'s folder.
    pub fn start(umbel: &Umbel, name: &str, manner: Manner<'_>) -> Self {
        StandIn::start_at(umbel, name, manner, umbel.take_ports(1))
    }

    /// The same without writing messages down: for load.
    pub fn quiet(umbel: &Umbel, name: &str, manner: Manner<'_>) -> Self {
        let port = umbel.take_ports(1);
        StandIn::play(umbel, name, manner, port, |sipp| sipp)
    }

    /// The same on a port of the caller's choice.
    pub fn start_at(umbel: &Umbel, name: &str, manner: Manner<'_>, port: u16) -> Self {
        StandIn::play(umbel, name, manner, port, Sipp::traced)
    }

    fn play(
        umbel: &Umbel,
        name: &str,
        manner: Manner<'_>,
        port: u16,
        more: impl FnOnce(Sipp) -> Sipp,
    ) -> Self {
        let scenario = match manner {
            Manner::Answers => "telephone_answers",
            Manner::RingsInVain => "telephone_rings",
            Manner::Refuses { .. } => "telephone_refuses",
        };
        let mut sipp = Sipp::new(umbel, scenario, name).waits_at(port);
        if let Manner::Refuses { status, elsewhere } = manner {
            sipp = sipp.with("STATUS", status).key("elsewhere", elsewhere);
        }
        let messages = sipp.trace();
        let mut program = more(sipp).start();
        let address: SocketAddr = (Ipv4Addr::LOCALHOST, port).into();
        until(&format!("{name} to wait for calls"), PATIENCE, || {
            if let Some(status) = program.ended() {
                panic!("{name} ended at its start: {status}\n{}", program.tail());
            }
            TcpStream::connect(address).ok()
        });
        StandIn { _program: program, address, messages }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A Contact of `user` there.
    pub fn uri(&self, user: &str) -> String {
        format!("sip:{user}@{};transport=tcp", self.address)
    }

    /// All that it has sent and received.
    pub fn messages(&self) -> Vec<Traced> {
        trace::read(&self.messages)
    }

    /// The INVITEs that have come, of this call only.
    pub fn invites(&self, call_id: &str) -> Vec<Traced> {
        let is_it = |message: &Traced| {
            message.is_received
                && message.first_line().starts_with("INVITE ")
                && message.headers("Call-ID") == [call_id]
        };
        self.messages().into_iter().filter(is_it).collect()
    }
}

/// Registers `user` at a server with the password of these tests, to be found at `port`, from which it comes.
pub fn register(umbel: &Umbel, server: SocketAddr, user: &str, port: u16) {
    let contact = format!("sip:{user}@127.0.0.1:{port};transport=tcp");
    Sipp::new(umbel, "register", &format!("register-{user}"))
        .server(server)
        .from_port(port)
        .key("registrar", &format!("sip:{DOMAIN}"))
        .key("user", &format!("sip:{user}@{DOMAIN}"))
        .key("contact", &format!("Contact: <{contact}>"))
        .password_of(user)
        .run();
}
