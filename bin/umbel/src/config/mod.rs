//! The configuration: one TOML file, read whole, checked whole, then turned into types.
//!
//! Everything that can be wrong is found before anything starts, and named with its line: a key we
//! do not know, a value out of range, two settings that contradict each other, a key whose feature
//! this version does not have yet.

mod check;
mod check_server;
mod file;
mod mail;
mod print;
mod server;
mod units;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use umbel_net::Listener;
use umbel_ocexum::{Network, PeerRule, TrustedTransport};
use umbel_play_on_phone::DiallingRules;
use umbel_sip_message::Uri;

use crate::cli::Place;
use crate::exit::Failure;

pub(crate) use check::load;
pub(crate) use file::{
    Authentication, ConfirmPlayback, DigestAlgorithm, DiversionPreference, KeyProfile, MailTls,
    NoDiversionWhenForwarding, PlayOnPhoneIdentity, Srtp, StepUp, UnlistedPeers, VoicemailForm,
};
pub(crate) use mail::Mail;
#[cfg(test)]
pub(crate) use mail::Smtp;
pub(crate) use print::print;
pub(crate) use server::{Route, Server};
pub(crate) use units::parse_duration;

/// The data directory where no configuration names one, relative to the current directory.
pub(crate) const DEFAULT_DATA: &str = "umbel-data";
/// The web front's default.
const DEFAULT_HTTP_LISTEN: &str = "127.0.0.1:8080";
/// The administration listener's default.
const DEFAULT_ADMIN_LISTEN: &str = "127.0.0.1:9090";
/// The unified messaging server's default listeners.
const DEFAULT_UM_LISTEN: [&str; 2] = ["tcp:127.0.0.1:5065", "tls:127.0.0.1:5066"];

/// The checked configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// The file it came from; `None` for the embedded defaults.
    pub(crate) source: Option<PathBuf>,
    /// The one SIP domain whose addresses are ours.
    pub(crate) domain: String,
    /// Store, spool and local certificate authority.
    pub(crate) data: PathBuf,
    /// Default language of prompts.
    pub(crate) language: String,
    /// A directory of an Asterisk sound pack, in place of our own prompts.
    pub(crate) prompts: Option<PathBuf>,
    /// Certificates and whom they make trusted.
    pub(crate) tls: Tls,
    /// The protocol server, where it is run.
    pub(crate) server: Option<Server>,
    /// The unified messaging server, where it is run.
    pub(crate) um: Option<Um>,
    /// What PINs must be like.
    pub(crate) pin: Pin,
    /// Which numbers outside Play on Phone and transfers may call.
    pub(crate) dialling: DiallingRules,
    /// The mailbox page, the API and web services.
    pub(crate) http: Http,
    /// Health, readiness and metrics.
    pub(crate) admin_listen: SocketAddr,
    /// Where mails go that tell owners of messages; `None`: none are sent.
    pub(crate) mail: Option<Mail>,
    /// Bounds on connections.
    pub(crate) limits: Limits,
}

/// Certificates and trust.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tls {
    /// Certificate chain and private key; `None`: made by the local authority.
    pub(crate) identity: Option<Identity>,
    /// Who may vouch for peers, besides the local authority where it made our certificate.
    pub(crate) client_authorities: Option<PathBuf>,
    /// PEM revocation lists.
    pub(crate) client_revocations: Option<PathBuf>,
    /// Names, fingerprints and `tcp:` addresses of trusted peers.
    pub(crate) trusted_peers: Vec<PeerRule>,
    /// What makes a transport trusted.
    pub(crate) trusted_transport: TrustedTransport,
    /// Networks trusted over plain TCP.
    pub(crate) trusted_networks: Vec<Network>,
}

/// A certificate chain and its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) certificate: PathBuf,
    pub(crate) private_key: PathBuf,
}

/// The unified messaging server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Um {
    pub(crate) listen: Vec<Listener>,
    /// Host for Contact; empty: the address listened on.
    pub(crate) advertise: Option<String>,
    /// The server that our own requests go through; `None`: our own protocol server, where there is one.
    pub(crate) outbound_proxy: Option<Uri>,
    /// User parts to call for one's own mailbox.
    pub(crate) pilots: Vec<String>,
    pub(crate) unlisted_peers: UnlistedPeers,
    /// Networks whose caller numbers are believed.
    pub(crate) gateways: Vec<Network>,
    pub(crate) diversion_preference: DiversionPreference,
    pub(crate) keys: KeyProfile,
    /// When Play on Phone asks for a key before it plays anything.
    pub(crate) confirm_playback: ConfirmPlayback,
    /// Whom From and To of its calls name.
    pub(crate) play_on_phone_identity: PlayOnPhoneIdentity,
    /// Whether its calls ask not to be taken by machines.
    pub(crate) play_on_phone_reject_contact: bool,
    pub(crate) rtp_address: IpAddr,
    pub(crate) rtp_advertise: Option<String>,
    /// First and last port, both usable.
    pub(crate) rtp_ports: (u16, u16),
    pub(crate) rtp_learn_source: bool,
    /// Differentiated services code point, 0 to 63.
    pub(crate) dscp: u8,
    pub(crate) max_calls: u32,
    pub(crate) max_call: Duration,
    pub(crate) srtp: Srtp,
    pub(crate) recording: Recording,
}

/// Limits of recordings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recording {
    /// Shorter ones are dropped; zero keeps all.
    pub(crate) min_length: Duration,
    pub(crate) max_length: Duration,
    /// Silence that ends a recording; `None`: never.
    pub(crate) silence: Option<Duration>,
    /// Messages a mailbox holds.
    pub(crate) max_messages: u32,
}

/// What PINs must be like, and what wrong ones lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pin {
    /// Digits.
    pub(crate) min_length: u8,
    /// Sequences, repeats and the extension are allowed.
    pub(crate) simple_patterns: bool,
    pub(crate) attempts_per_call: u8,
    /// Failures in a row before the first lock.
    pub(crate) lock_after: u8,
    pub(crate) step_up: StepUp,
}

impl Default for Pin {
    fn default() -> Self {
        Pin {
            min_length: 6,
            simple_patterns: false,
            attempts_per_call: 3,
            lock_after: 5,
            step_up: StepUp::Sensitive,
        }
    }
}

/// The web front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Http {
    pub(crate) listen: SocketAddr,
    /// With the certificate of `[tls]`.
    pub(crate) tls: bool,
}

impl Default for Http {
    fn default() -> Self {
        Http { listen: DEFAULT_HTTP_LISTEN.parse().expect("the default is an address"), tls: false }
    }
}

/// Bounds on SIP connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) connections: usize,
    pub(crate) connections_per_address: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { connections: 10_000, connections_per_address: 256 }
    }
}

impl Config {
    /// User parts to call for one's own mailbox.
    pub(crate) fn pilots(&self) -> &[String] {
        self.um.as_ref().map_or(&[], |um| &um.pilots)
    }

    /// Whether whoever calls this user part reaches a mailbox of his own.
    pub(crate) fn is_pilot(&self, user: &str) -> bool {
        self.pilots().iter().any(|pilot| pilot == user)
    }

    /// The configuration that a command line names: a file, or the embedded defaults with their data.
    pub(crate) fn at(place: &Place) -> Result<Self, Failure> {
        match (&place.config, &place.data) {
            (Some(file), _) => load(file),
            (None, Some(data)) => Ok(Config::embedded(data)),
            (None, None) => Ok(Config::embedded(Path::new(DEFAULT_DATA))),
        }
    }

    /// The embedded defaults: every role that exists, on loopback, with its data in `data`.
    pub(crate) fn embedded(data: &Path) -> Self {
        Config {
            source: None,
            domain: "example.test".to_owned(),
            data: data.to_owned(),
            language: "en".to_owned(),
            prompts: None,
            tls: Tls::default(),
            server: Some(Server::default()),
            um: Some(Um::default()),
            pin: Pin::default(),
            dialling: DiallingRules::default(),
            http: Http::default(),
            admin_listen: default_admin_listen(),
            mail: None,
            limits: Limits::default(),
        }
    }
}

fn default_admin_listen() -> SocketAddr {
    DEFAULT_ADMIN_LISTEN.parse().expect("the default is an address")
}

impl Default for Um {
    fn default() -> Self {
        Um {
            listen: DEFAULT_UM_LISTEN
                .iter()
                .map(|text| check::listen(text).expect("the default is valid"))
                .collect(),
            advertise: None,
            outbound_proxy: None,
            pilots: vec!["voicemail".to_owned()],
            unlisted_peers: UnlistedPeers::default(),
            gateways: Vec::new(),
            diversion_preference: DiversionPreference::default(),
            keys: KeyProfile::default(),
            confirm_playback: ConfirmPlayback::default(),
            play_on_phone_identity: PlayOnPhoneIdentity::default(),
            play_on_phone_reject_contact: false,
            rtp_address: IpAddr::from([127, 0, 0, 1]),
            rtp_advertise: None,
            rtp_ports: (20_000, 29_999),
            rtp_learn_source: true,
            dscp: 46,
            max_calls: 1_000,
            max_call: Duration::from_secs(30 * 60),
            srtp: Srtp::default(),
            recording: Recording::default(),
        }
    }
}

impl Default for Recording {
    fn default() -> Self {
        Recording {
            min_length: Duration::from_secs(1),
            max_length: Duration::from_secs(5 * 60),
            silence: Some(Duration::from_secs(10)),
            max_messages: 500,
        }
    }
}
