//! Kamailio as the call server in front, with the configuration that we recommend to operators.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::certificates::{Papers, issued};
use crate::process::Program;
use crate::umbel::{DOMAIN, LISTED, Umbel};
use crate::wait::until;

/// Start and end take a fraction of this.
const PATIENCE: Duration = Duration::from_secs(20);
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
        let folder = umbel.folder().join("kamailio");
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        let Papers { certificate, authority, .. } = issued(umbel, name);
        let address: SocketAddr = (Ipv4Addr::LOCALHOST, umbel.spare(0)).into();
        let over_tls: SocketAddr = (Ipv4Addr::LOCALHOST, umbel.spare(1)).into();
        let definitions = [
            ("DOMAIN", quoted(DOMAIN)),
            ("PEER", quoted(&certificate.with_extension("").to_string_lossy())),
            ("AUTHORITY", quoted(&authority.to_string_lossy())),
            ("UM", quoted(&format!("sip:{};transport=tls", umbel.tls()))),
            ("LISTEN_TCP", format!("tcp:{address}")),
            ("LISTEN_TLS", format!("tls:{over_tls}")),
            ("GATEWAY", GATEWAY.to_owned()),
        ];
        let mut command = Command::new(crate::kamailio::program());
        command.args(["-DD", "-E", "-f"]).arg(recipe()).current_dir(&folder);
        command.arg("-Y").arg(&folder).arg("-w").arg(&folder).arg("-P").arg(folder.join("pid"));
        for (name, value) in definitions {
            command.args(["-A", &format!("{name}={value}")]);
        }
        let mut program = Program::start(&mut command, &folder.join("log"));
        until("Kamailio to listen", PATIENCE, || {
            if let Some(status) = program.ended() {
                panic!("Kamailio ended at its start: {status}\n{}", program.tail());
            }
            [address, over_tls].iter().all(|at| std::net::TcpStream::connect(at).is_ok()).then_some(())
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
