//! Kamailio as the call server in front, with the configuration that we recommend to operators.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::certificates::{Papers, issued};
use crate::process::Program;
use crate::umbel::{DOMAIN, LISTED, Umbel};
use crate::wait::until;

/// Start and end take a fraction of this.
const PATIENCE: Duration = Duration::from_secs(90);
/// The address of the one peer that the configuration takes for a gateway to the telephone network.
pub const GATEWAY: &str = "127.0.0.2";

/// A running call server.
#[derive(Debug)]
pub struct Kamailio {
    program: Program,
    address: SocketAddr,
    over_tls: SocketAddr,
}

impl Kamailio {
    /// Starts it in front of `umbel`, to which it shows a listed certificate.
    pub fn start(umbel: &Umbel) -> Self {
        Kamailio::start_as(umbel, LISTED)
    }

    /// The same with a certificate for another name, by which callers over TLS know it.
    pub fn start_as(umbel: &Umbel, name: &str) -> Self {
        Kamailio::start_with(umbel, name, &format!("sip:{};transport=tls", umbel.tls()), &[])
    }

    /// Starts it in front of another voice mail server, with more definitions.
    pub fn start_with(umbel: &Umbel, name: &str, voice_mail: &str, more: &[(&str, String)]) -> Self {
        let Papers { certificate, authority, .. } = issued(umbel, name);
        let definitions = [
            ("DOMAIN", quoted(DOMAIN)),
            ("PEER", quoted(&certificate.with_extension("").to_string_lossy())),
            ("AUTHORITY", quoted(&authority.to_string_lossy())),
            ("UM", quoted(voice_mail)),
            ("GATEWAY", GATEWAY.to_owned()),
        ];
        Kamailio::start_from(umbel, &recipe(), &[&definitions, more].concat(), true)
    }

    /// Starts it with another configuration, which has no TLS if `has_tls` is not said.
    pub fn start_from(umbel: &Umbel, config: &Path, definitions: &[(&str, String)], has_tls: bool) -> Self {
        let folder = umbel.folder().join("kamailio");
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        let port = umbel.take_ports(2);
        let address: SocketAddr = (Ipv4Addr::LOCALHOST, port).into();
        let over_tls: SocketAddr = (Ipv4Addr::LOCALHOST, port + 1).into();
        let listen = [("LISTEN_TCP", format!("tcp:{address}")), ("LISTEN_TLS", format!("tls:{over_tls}"))];
        let mut command = Command::new(crate::kamailio::program());
        // Its shared memory is not to be what a load run ends at; what it does not use costs nothing.
        command.args(["-DD", "-E", "-m", "512", "-f"]).arg(config).current_dir(&folder);
        command.arg("-Y").arg(&folder).arg("-w").arg(&folder).arg("-P").arg(folder.join("pid"));
        for (name, value) in listen.iter().chain(definitions) {
            command.args(["-A", &format!("{name}={value}")]);
        }
        let mut program = Program::start(&mut command, &folder.join("log"));
        let awaited = if has_tls { &[address, over_tls][..] } else { &[address] };
        until("Kamailio to listen", PATIENCE, || {
            if let Some(status) = program.ended() {
                panic!("Kamailio ended at its start: {status}\n{}", program.tail());
            }
            let listens = awaited.iter().all(|at| TcpStream::connect(at).is_ok());
            (listens && (!has_tls || answers(address))).then_some(())
        });
        Kamailio { program, address, over_tls }
    }

    /// Where it takes SIP over TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it takes SIP over TLS.
    pub fn over_tls(&self) -> SocketAddr {
        self.over_tls
    }

    /// Ends it with all its processes.
    pub fn stop(mut self) {
        self.program.terminate(PATIENCE);
    }

    /// The process that the others are children of.
    pub fn id(&self) -> u32 {
        self.program.id()
    }
}

impl Drop for Kamailio {
    /// Its children outlive a parent that is killed: it is asked to end, in a failed test too.
    fn drop(&mut self) {
        self.program.end(Duration::from_secs(30));
    }
}

/// Whether its workers are there: the system takes connections before them, and a handshake would wait too long.
fn answers(at: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(at)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let own = stream.local_addr()?;
        let request = format!(
            "OPTIONS sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/TCP {own};branch=z9hG4bK{port}\r\nMax-Forwards: 70\r\n\
             From: <sip:ready@elsewhere.test>;tag=1\r\nTo: <sip:{DOMAIN}>\r\nCall-ID: ready-{port}\r\n\
             CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
            port = own.port()
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer)?;
        Ok(&answer == b"SIP/2.0")
    };
    ask().unwrap_or(false)
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// The configuration in our documentation.
fn recipe() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operating/kamailio.cfg")
}

/// The program, which packages put where only root's path leads.
fn program() -> PathBuf {
    let places = ["/usr/sbin/kamailio", "/usr/local/sbin/kamailio"].map(PathBuf::from);
    places.into_iter().find(|place| place.is_file()).unwrap_or_else(|| "kamailio".into())
}
