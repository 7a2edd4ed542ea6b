//! What a user agent is told about itself.

use umbel_node::Transport;
use umbel_sip_message::Uri;

use crate::capabilities::Served;

/// Settings of an agent, with their defaults in [`Config::default`].
#[derive(Clone, Debug)]
pub struct Config {
    /// Where requests of the peer reach us, by transport: the URI of Contact.
    pub contacts: Contacts,
    /// Whether Contact bears `automata` (RFC 3840 10.5): a machine answers here. Default: yes.
    pub automata: bool,
    /// The product, for User-Agent and Server (RFC 3261 20.35, 20.41). Default: `Umbel`.
    pub user_agent: String,
    /// The session interval that we propose (RFC 4028), in seconds; `None` proposes none. Default: 1,800.
    pub session_expires: Option<u32>,
    /// The shortest session interval that we accept, in seconds; never below 90. Default: 90.
    pub min_se: u32,
    /// So many calls at once; beyond, an INVITE gets 503 with Retry-After. Default: 1,000.
    pub calls_max: usize,
    /// Whether NOTIFY outside a dialog is taken, like message waiting (RFC 3842). Default: no.
    pub notify: bool,
    /// Whether SUBSCRIBE for message waiting is handed up (RFC 6665). Default: no.
    pub subscribe: bool,
    /// Whether MESSAGE is handed up (RFC 3428). Default: no.
    pub message: bool,
    /// Whether INVITEs that are refused here are told ([`crate::Event::TurnedAway`]). Default: no.
    pub tell_turned_away: bool,
    /// Whether [`crate::Command::Refer`] is used: the NOTIFYs that follow it are taken. Default: no.
    pub refers: bool,
    /// Whether REFER within a call is handed up (RFC 3515). Default: no (XFER-4).
    pub refer: bool,
    /// Whether an INVITE may take the place of a call that it names (RFC 3891). It is handed up, and above is
    /// decided who may. Default: no (SEC-23).
    pub replaces: bool,
    /// Settings of the transaction layer.
    pub endpoint: umbel_sip_endpoint::Config,
}

impl Config {
    pub(crate) fn served(&self) -> Served {
        Served {
            notify: self.notify,
            subscribe: self.subscribe,
            message: self.message,
            refer: self.refer,
            refers: self.refers,
            replaces: self.replaces,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            contacts: Contacts::default(),
            automata: true,
            user_agent: "Umbel".to_owned(),
            session_expires: Some(1_800),
            min_se: 90,
            calls_max: 1_000,
            notify: false,
            subscribe: false,
            message: false,
            tell_turned_away: false,
            refers: false,
            refer: false,
            replaces: false,
            endpoint: umbel_sip_endpoint::Config::default(),
        }
    }
}

/// Our address as peers are to use it.
///
/// A transport without an entry borrows that of the other; without any, the local end of the
/// flow in use stands in.
#[derive(Clone, Debug, Default)]
pub struct Contacts {
    /// For calls over TCP.
    pub tcp: Option<Uri>,
    /// For calls over TLS.
    pub tls: Option<Uri>,
}

impl Contacts {
    /// The URI to give to a peer that we talk to over `transport`.
    pub(crate) fn over(&self, transport: Transport) -> Option<&Uri> {
        match transport {
            Transport::Tcp => self.tcp.as_ref().or(self.tls.as_ref()),
            Transport::Tls => self.tls.as_ref().or(self.tcp.as_ref()),
        }
    }
}
