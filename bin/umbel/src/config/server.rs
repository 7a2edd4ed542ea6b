//! The protocol server's settings, checked.

use std::time::Duration;

use umbel_net::Listener;
use umbel_sip_message::Uri;

use super::check;
use super::file::{Authentication, DigestAlgorithm, NoDiversionWhenForwarding, VoicemailForm};

/// The default listeners.
const DEFAULT_LISTEN: [&str; 2] = ["tcp:127.0.0.1:5060", "tls:127.0.0.1:5061"];

/// The protocol server: registrar, proxy, forwarding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) listen: Vec<Listener>,
    /// Host for Via and Record-Route; none: the address listened on.
    pub(crate) advertise: Option<String>,
    /// Unified messaging servers, best first; `None`: our own, where it is run.
    pub(crate) voicemail: Option<Vec<Uri>>,
    pub(crate) voicemail_form: VoicemailForm,
    /// Whether voice mail is subscribed to for the lamps of users (REL-40).
    pub(crate) subscribe_to_voicemail: bool,
    /// How long telephones ring.
    pub(crate) ring_time: Duration,
    pub(crate) authentication: Authentication,
    /// Challenges, in this order.
    pub(crate) digest: Vec<DigestAlgorithm>,
    pub(crate) no_diversion_when_forwarding: NoDiversionWhenForwarding,
    pub(crate) routes: Vec<Route>,
    /// A media relay that voice mail may use: `Ms-Mras-Address` (EUMR-5).
    pub(crate) media_relay: Option<Uri>,
}

/// Numbers that begin alike, and their gateways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) prefix: String,
    /// Best first.
    pub(crate) to: Vec<Uri>,
}

impl Default for Server {
    fn default() -> Self {
        Server {
            listen: DEFAULT_LISTEN
                .iter()
                .map(|text| check::listen(text).expect("the default is valid"))
                .collect(),
            advertise: None,
            voicemail: None,
            voicemail_form: VoicemailForm::default(),
            subscribe_to_voicemail: true,
            ring_time: Duration::from_secs(20),
            authentication: Authentication::default(),
            digest: vec![DigestAlgorithm::Sha256, DigestAlgorithm::Md5],
            no_diversion_when_forwarding: NoDiversionWhenForwarding::default(),
            routes: Vec::new(),
            media_relay: None,
        }
    }
}
